"""Gives birth to grader processes and diallers: one parent with everything loaded, a cheap fork for each.

    runner ── a request and its descriptors ──> nursery process ──fork──> grader   (one a submission)
           <── the child's pidfd ──────────────                 ──fork──> dialler  (one a service)

The nursery is single-threaded, so forking it is safe, and pytest is imported once however many are graded. Its
children die with it, and it ends when the runner does.
"""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection

from assessments.errors import InfrastructureError

GRADER = b"g"
DIALLER = b"d"
_BIRTH_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Grader:
    """A newborn grader process: the wire to it, and a descriptor to end it by."""

    wire: Connection
    pidfd: int

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def close(self) -> None:
        """End the process, whatever it is doing, and let go of it."""
        self.kill()
        os.close(self.pidfd)
        self.wire.close()


class Nursery:
    """The runner's end, shared by all lanes. A nursery process that fails is replaced at the next birth.

    Every call raises InfrastructureError when no child could be had.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._channel, self._process = _start()

    def grader(self) -> Grader:
        """A newborn grader."""
        ours, theirs = socket.socketpair()
        with theirs, ours:
            pidfd = self._born(GRADER, theirs.fileno())
            return Grader(Connection(ours.detach()), pidfd)

    def dialler(self, network_fd: int) -> socket.socket:
        """The other end of a dialler that stands in the given network namespace (see graders.http.dial)."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                os.close(self._born(DIALLER, theirs.fileno(), network_fd))
            except BaseException:
                ours.close()
                raise
        return ours

    def end(self) -> None:
        """Kill the nursery, and with it every grader and dialler, for good. Idempotent; needs no lock."""
        self._ended = True
        self._process.kill()

    def close(self) -> None:
        self.end()
        self._process.wait()
        self._channel.close()

    def _born(self, kind: bytes, *descriptors: int) -> int:
        with self._lock:
            if self._process.poll() is not None and not self._ended:
                self._channel.close()
                self._channel, self._process = _start()
            try:
                socket.send_fds(self._channel, [kind], descriptors)
                _, born, _, _ = socket.recv_fds(self._channel, 1, 1)
            except OSError as error:
                self._process.kill()  # a late answer would be taken for the next request's
                self._process.wait()
                raise InfrastructureError(f"the nursery process does not answer: {error}") from error
            if not born:
                self._process.wait()
                raise InfrastructureError("the nursery process has ended; what it said stands above")
            return born[0]


@contextlib.contextmanager
def open_nursery() -> Iterator[Nursery]:
    """A nursery process for as long as the block lasts; what it bore is dead when the block is left."""
    with contextlib.closing(Nursery()) as nursery:
        yield nursery


def _start() -> tuple[socket.socket, "subprocess.Popen[bytes]"]:
    ours, theirs = socket.socketpair()
    ours.settimeout(_BIRTH_TIMEOUT_S)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "runner.nursery_process", str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            start_new_session=True,  # Ctrl-C is the runner's to handle
        )
    return ours, process
