"""Companions in a process of their own, for as long as load is put on the service they stand beside.

The load generator must not share its process, or it would be late whenever a companion thinks. This process shares the
generator's core, where it runs when the generator waits; what it uses is known, and counts as our own work.
"""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Mapping

from graders.companions.messages import Companion
from graders.companions.server import CompanionServer

_CPU_CLOCK = 2
_WORDS_BYTES = 2000


class CompanionsApart:
    """Serves companions by id, each on its listener, from a fork of this process until `stop`. Takes the listeners."""

    def __init__(self, companions: Mapping[str, Companion], listeners: Mapping[str, socket.socket]) -> None:
        self._said, says = os.pipe()  # what broke there
        lives, self._alive = os.pipe()  # its end is ours: there, it means that this process has gone
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._said)
            os.close(self._alive)
            _live(companions, listeners, says, lives)
        os.close(says)
        os.close(lives)
        for listener in listeners.values():
            listener.close()
        os.set_blocking(self._said, False)

    @property
    def cpu_s(self) -> float:
        """CPU time of the process so far, in seconds."""
        clock = (~self._pid << 3) | _CPU_CLOCK  # as the kernel numbers the CPU clock of a process (clock_getcpuclockid)
        try:
            return time.clock_gettime(clock)
        except OSError:
            return 0.0

    @property
    def broke(self) -> str:
        """What a companion raised, in words; empty when none did."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._said, _WORDS_BYTES).decode("utf-8", "replace")
        return ""

    def stop(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            os.close(self._said)
            os.close(self._alive)
            self._pid = 0


def _live(companions: Mapping[str, Companion], listeners: Mapping[str, socket.socket], says: int, lives: int) -> None:
    """The child's whole life, which ends here."""
    try:
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # the generator's preference is not ours

        def tell(name: str, error: Exception) -> None:
            os.write(says, f"the companion '{name}' broke: {type(error).__name__}: {error}".encode()[:_WORDS_BYTES])

        for name, companion in companions.items():
            CompanionServer(name, companion, listeners[name], tell)
        os.read(lives, 1)
    finally:
        os._exit(0)
