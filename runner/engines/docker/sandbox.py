"""One living container: its processes as this host sees them, its accounts, and how it ends."""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import requests
from docker.errors import APIError

from assessments.errors import InfrastructureError
from assessments.observation import Breach, SandboxRun, Usage
from runner.engines.cgroups import Accounts
from runner.engines.collect import Collected, CollectLimits, collect
from runner.engines.docker.daemon import Daemon
from runner.engines.docker.stream import Demultiplexer
from runner.engines.living import Ending, freeze
from runner.engines.output import Drain, KeptOutput, first_breach

_LEAVE_TIMEOUT_S = 3
_DYING_TIMEOUT_S = 60.0
"""Whoever maps much memory many times takes seconds to die; that must not turn their failure into one of ours."""
_DRAIN_TIMEOUT_S = 1.0
_NOT_MEASURED = Usage(peak_memory_bytes=None, cpu_s=None, oom_kills=None)
_KILLED_BY_SIGNAL = 128 + signal.SIGKILL


@dataclass(frozen=True, slots=True)
class Seen:
    """A container's processes as this host sees them, which it does unless a runtime of its own hides them."""

    init_pidfd: int
    main_pidfd: int
    network_fd: int
    kept_fd: int | None
    accounts: Accounts

    def close(self) -> None:
        for descriptor in (self.init_pidfd, self.main_pidfd, self.network_fd, self.kept_fd):
            if descriptor is not None:
                os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running sandbox is made of."""

    purpose: str
    daemon: Daemon
    container: str
    stream: Any
    """The engine's stream to the container: what is sent is its stdin, what comes is its output."""
    seen: Seen | None
    release: Callable[[], None]
    """Gives back what the engine lent for as long as the sandbox lives."""
    leave: Callable[[str], None]
    """Takes a container that the engine has not removed, to be removed later."""
    kept_limits: CollectLimits


class DockerSandbox:
    """See `runner.engines.protocol.Sandbox` for what each call promises."""

    def __init__(self, parts: Parts, output_limit_bytes: int, kept_bytes: int) -> None:
        self._parts = parts
        self._ending = Ending()
        self._breach: Breach | None = None
        self._killed = False
        self._last_seen = _NOT_MEASURED
        self._collected: Collected | None = None
        self._stdout, self._stderr = KeptOutput(kept_bytes), KeptOutput(kept_bytes)
        self._ended = threading.Event()
        self._held = True
        self._cpu_before_s = parts.seen.accounts.usage().cpu_s or 0.0 if parts.seen else 0.0
        self.started_at = time.monotonic()
        streams = Demultiplexer(self._stdout, self._stderr)
        self._drain = Drain(
            {os.dup(parts.stream.fileno()): streams.feed}, output_limit_bytes, self._on_flood, self._ended.set
        )

    def let_go(self) -> None:
        """Let the command run, which process 1 has held back until now."""
        with self._ending.lock:
            if self._ending.begun or not self._held:
                return
            self._held = False
            self.started_at = time.monotonic()
            with contextlib.suppress(OSError):  # whoever waits for it will meet its end
                self._parts.stream.sendall(b"\n")

    @property
    def network_fd(self) -> int:
        if self._parts.seen is None:
            raise InfrastructureError("the runtime keeps its sandboxes' network to itself; use one that does not")
        return self._parts.seen.network_fd

    def signal(self, number: int) -> None:
        if self._parts.seen is None:
            raise InfrastructureError("the runtime hides its processes: none can be signalled; use one that does not")
        with self._ending.lock, contextlib.suppress(ProcessLookupError):
            if not self._ending.begun:
                signal.pidfd_send_signal(self._parts.seen.main_pidfd, number)

    def wait(self, timeout_s: float) -> SandboxRun | None:
        if not self._ending.over and not self._main_ended(max(timeout_s, 0)):
            return None
        return self._ending.finish(self._closed)

    def usage(self) -> Usage:
        with self._ending.lock:
            return self._ending.run.usage if self._ending.run is not None else self._measured()

    def freeze(self) -> None:
        seen = self._parts.seen
        if seen is None:
            raise InfrastructureError("the runtime hides its processes: none can be frozen; use one that does not")
        freeze(self._ending, seen.accounts)

    def thaw(self) -> None:
        if self._parts.seen is not None:
            with contextlib.suppress(OSError):
                self._parts.seen.accounts.thaw()

    def waited_s(self) -> float | None:
        if self._parts.seen is None:
            return None
        try:
            return self._parts.seen.accounts.waited_s()
        except OSError:
            return None

    def output(self) -> tuple[bytes, bytes]:
        return self._stdout.kept(), self._stderr.kept()

    def collect(self) -> Collected:
        if self._ending.over and self._parts.seen is None:
            return Collected(problems=("the runtime keeps a sandbox's files to itself",))
        if self._collected is None:
            msg = "only a sandbox with outputs or a state has something to collect, and only after its end"
            raise ValueError(msg)
        return self._collected

    def kill(self, breach: Breach | None = None) -> SandboxRun:
        self._end(breach)
        return self._ending.finish(self._closed)

    def _on_flood(self) -> None:
        self._end(Breach.OUTPUT)

    def _main_ended(self, timeout_s: float) -> bool:
        if self._parts.seen is None:
            return self._ended.wait(timeout_s)
        with self._ending.lock:
            if self._ending.begun:
                return True
            waiting = os.dup(self._parts.seen.main_pidfd)  # another thread may finish meanwhile
        try:
            return _is_over(waiting, timeout_s)
        finally:
            os.close(waiting)

    def _end(self, breach: Breach | None) -> None:
        """Kill process 1 and with it the whole container, without asking the engine where we can do it ourselves."""
        with self._ending.lock:
            if self._ending.begun:
                return
            seen = self._parts.seen
            if self._ended.is_set() if seen is None else _is_over(seen.main_pidfd, 0):
                return
            if seen is not None:
                seen.accounts.let_die()
            self._breach = self._breach or breach
            self._last_seen = self._measured()
            self._killed = True
            if seen is not None:
                _kill(seen.init_pidfd)

    def _measured(self) -> Usage:
        if self._parts.seen is None:
            return _NOT_MEASURED
        try:
            usage = self._parts.seen.accounts.usage()
            return replace(usage, cpu_s=(usage.cpu_s or 0.0) - self._cpu_before_s)
        except OSError:  # the group has gone with its processes
            return self._last_seen

    def _closed(self) -> SandboxRun:
        """Release everything the sandbox held, whatever fails on the way. Raises InfrastructureError."""
        parts, seen = self._parts, self._parts.seen
        with contextlib.ExitStack() as held:
            held.callback(parts.release)
            if seen is not None:
                held.callback(seen.close)
            held.callback(_close_stream, parts.stream)
            held.callback(self._drain.close, _DRAIN_TIMEOUT_S)
            held.callback(self._remove)
            if seen is not None:
                held.callback(_kill, seen.init_pidfd)
            wall_s = time.monotonic() - self.started_at
            self.thaw()  # process 1, which has its part in the ending, is frozen too
            usage = self._last_seen if self._killed else self._measured()
            host_ran_out = not self._killed and seen is not None and _host_ran_out(seen.accounts)
            if not self._killed:
                self._require_own_end()
            code = None if self._killed else self._let_go()
            if seen is not None:
                seen.accounts.let_die()
                _kill(seen.init_pidfd)
                if not _is_over(seen.init_pidfd, _DYING_TIMEOUT_S):
                    raise InfrastructureError(f"a sandbox survived SIGKILL for {_DYING_TIMEOUT_S:.0f} s; look with ps")
                if seen.kept_fd is not None:
                    self._collected = collect(seen.kept_fd, parts.kept_limits)
        if host_ran_out:
            raise InfrastructureError("the host ran out of memory and killed the sandbox; grade in fewer lanes")
        breach = self._breach or first_breach(usage, flooded=self._drain.flooded)
        code = None if breach is Breach.OUTPUT else code
        return SandboxRun(parts.purpose, code, breach, wall_s, usage, self._stdout.excerpt(), self._stderr.excerpt())

    def _remove(self) -> None:
        """What came of the run is settled: an engine that is slow to clear up does not change it."""
        try:
            self._parts.daemon.remove(self._parts.container)
        except InfrastructureError:
            if self._parts.seen is None:
                raise
            self._parts.leave(self._parts.container)

    def _require_own_end(self) -> None:
        """That the command ended, and not its container: process 1 outlives it, and nothing in there can end that.

        Raises InfrastructureError when somebody outside did, or the engine has let go of the container's output.
        """
        seen = self._parts.seen
        if seen is None or os.geteuid() != 0:  # a rootless engine's process 1 can be killed for want of memory
            return
        if _is_over(seen.init_pidfd, 0):
            raise InfrastructureError("a container was ended from outside: by the Docker engine, or by hand")
        if self._ended.is_set():
            raise InfrastructureError("the Docker engine let go of a container's output; was it restarted?")

    def _let_go(self) -> int:
        """The command's exit code, from process 1, which ends now that its accounts have been read."""
        parts = self._parts
        with contextlib.suppress(OSError):
            parts.stream.sendall(b"\n")
        if parts.seen is not None and not _is_over(parts.seen.init_pidfd, _LEAVE_TIMEOUT_S):
            _kill(parts.seen.init_pidfd)  # somebody in the container has tampered with its process 1
            return _KILLED_BY_SIGNAL
        with parts.daemon.asked_to("say how a container ended"):
            try:
                return int(parts.daemon.ending.wait(parts.container, timeout=_LEAVE_TIMEOUT_S)["StatusCode"])
            except (requests.RequestException, APIError):
                if parts.seen is not None:
                    raise
                return _KILLED_BY_SIGNAL


def _host_ran_out(accounts: Accounts) -> bool:
    try:
        return accounts.host_ran_out()
    except OSError:
        return False


def _kill(pidfd: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)


def _is_over(pidfd: int, timeout_s: float) -> bool:
    """Whether the process ends within that time. Not a child of ours, so that only its descriptor tells."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(timeout_s * 1000))


def _close_stream(stream: Any) -> None:
    with contextlib.suppress(OSError):
        stream.close()
