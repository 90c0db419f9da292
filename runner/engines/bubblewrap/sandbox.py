"""One running bubblewrap sandbox: its processes, its accounts, and how it ends."""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from assessments.errors import InfrastructureError
from assessments.observation import Breach, SandboxRun, Usage
from runner.engines.bubblewrap.stopping import continue_all, stop_all
from runner.engines.cgroups import Cgroup
from runner.engines.collect import Collected, CollectLimits, collect
from runner.engines.living import Ending, freeze
from runner.engines.output import Drain, KeptOutput, first_breach

_KILL_TIMEOUT_S = 5.0
_DYING_TIMEOUT_S = 60.0
"""Whoever maps much memory many times takes seconds to die; that must not turn their failure into one of ours."""
_DRAIN_TIMEOUT_S = 1.0
_NOT_MEASURED = Usage(peak_memory_bytes=None, cpu_s=None, oom_kills=None)
_FIRST_COMMAND_PID = "2"  # bubblewrap's own init is 1 in the box


@dataclass(frozen=True, slots=True)
class Parts:
    """What a running sandbox is made of. `init_pid` is the host's number of process 1 in the box."""

    purpose: str
    monitor: subprocess.Popen[bytes]
    init_pid: int
    init_pidfd: int
    descriptors: tuple[int, int]
    """Its network namespace, and the pipe its monitor writes its status to."""
    go: int
    """The pipe where its command waits for a byte. Whoever closes it unwritten has killed the box before."""
    kept_fd: int | None
    """Its folder of outputs or of state, which stays readable through this when the box is gone."""
    kept_limits: CollectLimits
    cgroup: Cgroup | None
    release: Callable[[], None]
    """Gives back what the engine lent for as long as the sandbox lives."""


class BubblewrapSandbox:
    """See `runner.engines.protocol.Sandbox` for what each call promises."""

    def __init__(self, parts: Parts, output_limit_bytes: int, kept_bytes: int) -> None:
        self._parts = parts
        self._ending = Ending()
        self._breach: Breach | None = None
        self._killed = False
        self._last_seen = _NOT_MEASURED
        self._held = True
        self.started_at = time.monotonic()
        self._collected = Collected()
        self._stdout, self._stderr = KeptOutput(kept_bytes), KeptOutput(kept_bytes)
        stdout, stderr = parts.monitor.stdout, parts.monitor.stderr
        if stdout is None or stderr is None:
            msg = "the monitor must be started with pipes for its output"
            raise ValueError(msg)
        feeds = {_taken(stdout): self._stdout.add, _taken(stderr): self._stderr.add}
        self._drain = Drain(feeds, output_limit_bytes, self._on_flood)

    @property
    def network_fd(self) -> int:
        return self._parts.descriptors[0]

    def let_go(self) -> None:
        with self._ending.lock:
            if self._ending.begun or not self._held:
                return
            self._held = False
            self.started_at = time.monotonic()
            with contextlib.suppress(BrokenPipeError):  # whoever waits for it will meet its end
                os.write(self._parts.go, b"x")

    def signal(self, number: int) -> None:
        for pid in _children(self._parts.init_pid):
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                pidfd = os.pidfd_open(pid)
                try:
                    if _is_first_command(pid):  # asked after the descriptor was opened: the number cannot be another's
                        signal.pidfd_send_signal(pidfd, number)
                finally:
                    os.close(pidfd)

    def wait(self, timeout_s: float) -> SandboxRun | None:
        if not self._ending.over:
            try:
                self._parts.monitor.wait(max(timeout_s, 0))
            except subprocess.TimeoutExpired:
                return None
        return self._ending.finish(self._closed)

    def usage(self) -> Usage:
        with self._ending.lock:
            return self._ending.run.usage if self._ending.run is not None else self._measured()

    def freeze(self) -> None:
        if self._parts.cgroup:
            freeze(self._ending, self._parts.cgroup)
        else:
            stop_all(self._parts.init_pid)

    def thaw(self) -> None:
        if self._parts.cgroup:
            with contextlib.suppress(OSError):
                self._parts.cgroup.thaw()
        else:
            continue_all(self._parts.init_pid)

    def waited_s(self) -> float | None:
        try:
            return self._parts.cgroup.waited_s() if self._parts.cgroup else None
        except OSError:
            return None

    def output(self) -> tuple[bytes, bytes]:
        return self._stdout.kept(), self._stderr.kept()

    def collect(self) -> Collected:
        if not self._ending.over or self._parts.kept_fd is None:
            msg = "only a sandbox with outputs or a state has something to collect, and only after its end"
            raise ValueError(msg)
        return self._collected

    def kill(self, breach: Breach | None = None) -> SandboxRun:
        self._end(breach)
        return self._ending.finish(self._closed)

    def _on_flood(self) -> None:
        self._end(Breach.OUTPUT)

    def _end(self, breach: Breach | None) -> None:
        """Kill process 1 of the box, and with it every process there; the monitor then ends by itself."""
        with self._ending.lock:
            if self._ending.begun or self._parts.monitor.poll() is not None:
                return
            self._breach = self._breach or breach
            self._last_seen = _NOT_MEASURED if self._parts.cgroup else self._measured()
            self._killed = True
            if self._parts.cgroup:
                self._parts.cgroup.let_die()
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._parts.init_pidfd, signal.SIGKILL)

    def _measured(self) -> Usage:
        try:
            return self._parts.cgroup.usage() if self._parts.cgroup else _resident(self._parts.init_pid)
        except OSError:  # another thread has just taken the group away
            return self._last_seen

    def _closed(self) -> SandboxRun:
        """Release everything the sandbox held, whatever fails on the way. Raises InfrastructureError."""
        parts = self._parts
        with contextlib.ExitStack() as held:
            held.callback(parts.release)
            for descriptor in (parts.init_pidfd, *parts.descriptors, parts.go):
                held.callback(os.close, descriptor)
            if parts.kept_fd is not None:
                held.callback(os.close, parts.kept_fd)
            held.callback(self._drain.close, _DRAIN_TIMEOUT_S)
            if parts.cgroup:
                held.callback(parts.cgroup.remove)
            code = self._monitors_code()
            wall_s = time.monotonic() - self.started_at
            if parts.cgroup:
                parts.cgroup.let_die()
            if not end_box(parts.init_pidfd):
                raise InfrastructureError(f"a sandbox survived SIGKILL for {_DYING_TIMEOUT_S:.0f} s; look with ps")
            if parts.kept_fd is not None:
                self._collected = collect(parts.kept_fd, parts.kept_limits)
            usage = parts.cgroup.usage() if parts.cgroup else self._last_seen
            ran = self._killed or usage.oom_kills or _command_ran(parts.descriptors[1])
            host_ran_out = parts.cgroup is not None and parts.cgroup.host_ran_out()
        if not ran:
            said = self._stderr.kept()[-500:].decode("utf-8", "replace").strip()
            raise InfrastructureError(
                f"the sandbox came to its end before the command ran: {said or 'it said nothing'}"
            )
        if host_ran_out and not self._killed:
            raise InfrastructureError("the host ran out of memory and killed the sandbox; grade in fewer lanes")
        breach = self._breach or first_breach(usage, flooded=self._drain.flooded)
        return SandboxRun(
            purpose=parts.purpose,
            exit_code=None if self._killed or breach is Breach.OUTPUT else code,
            breach=breach,
            wall_s=wall_s,
            usage=usage,
            stdout=self._stdout.excerpt(),
            stderr=self._stderr.excerpt(),
        )

    def _monitors_code(self) -> int:
        try:
            return self._parts.monitor.wait(_KILL_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._parts.monitor.kill()
            return self._parts.monitor.wait()


def _taken(stream: IO[bytes]) -> int:
    """The stream's descriptor, for a reader that closes it by itself; the stream's own end is closed."""
    descriptor = os.dup(stream.fileno())
    stream.close()
    return descriptor


def _command_ran(status: int) -> bool:
    """Whether bubblewrap got as far as running the command: only then does it report an exit code at its end.

    A mount that fails, say, is ours; the monitor's own exit code would look like the submission's.
    """
    os.set_blocking(status, False)
    with contextlib.suppress(BlockingIOError):
        return b'"exit-code"' in os.read(status, 65536)
    return False


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def _resident(init_pid: int) -> Usage:
    """Where there is no cgroup: the peaks of the processes directly below init, shared pages counted for each."""
    peaks = []
    for pid in _children(init_pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            peaks += [int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:")]
    return Usage(peak_memory_bytes=sum(peaks) or None, cpu_s=None, oom_kills=None)


def _is_first_command(pid: int) -> bool:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return line.split()[-1] == _FIRST_COMMAND_PID
    return False


def end_box(pidfd: int) -> bool:
    """Kill process 1 of a box and wait until it is gone: it takes its whole box along. Whether it is gone."""
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    return bool(poller.poll(_DYING_TIMEOUT_S * 1000))
