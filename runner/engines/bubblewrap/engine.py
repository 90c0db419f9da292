"""The bubblewrap engine: starts a sandbox, and says what this host lets it enforce.

    monitor (bwrap, on the host)          waits for the box, hands on its exit code
      └─ process 1 of the box (bwrap)     namespaces, mounts; held at a descriptor until its cgroup and its
           └─ process 2: the command      network are ours; then the filter, the limits, the submission

As root every box gets a uid of its own, which has no rights on the host: bubblewrap started as uid 0 would leave
the box kernel uid 0, able to open sysctls of the host for writing.
"""

import contextlib
import functools
import json
import os
import resource
import secrets
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from assessments.scorecard import Control, EngineRef
from runner.engines import seccomp
from runner.engines.box_users import lend_uid
from runner.engines.bubblewrap.command import MARKER, Descriptors, all_scratch_places, inner_command, options
from runner.engines.bubblewrap.inodes import cap_files
from runner.engines.bubblewrap.sandbox import BubblewrapSandbox, Parts, end_box
from runner.engines.cgroups import PREFIX, WEIGHTS, Cgroup, Cgroups, Preference
from runner.engines.environments import Environment
from runner.engines.fill import fill
from runner.engines.living import Living
from runner.engines.protocol import SandboxSpec
from runner.engines.rootfs import Rootfs
from runner.engines.runs import Run

_START_TIMEOUT_S = 10.0
_LAST_WORDS_S = 1.0
_DATA_FACTOR = 2
"""Where nothing caps a box's memory, each process may hold this many times the limit (thread stacks count too)."""


@dataclass
class BubblewrapEngine:
    """See `runner.engines.protocol.Engine`. `program` is a bwrap that every user can execute."""

    program: Path
    rootfs: Rootfs
    state: Path
    run: Run
    cgroups: Cgroups | None
    _living: Living = field(default_factory=Living, init=False)

    def __post_init__(self) -> None:
        self._preference = Preference(self.run.folder / WEIGHTS)

    @functools.cached_property
    def version(self) -> str:
        answer = subprocess.run([self.program, "--version"], capture_output=True, text=True, timeout=10, check=False)
        return answer.stdout.strip().removeprefix("bubblewrap ")

    def describe(self, *, unenforced_allowed: bool) -> EngineRef:
        found = tuple(controls(self.cgroups, root=os.geteuid() == 0))
        return EngineRef("bubblewrap", self.version, found, unenforced_allowed)

    def prepare(self, environment: Environment | None) -> None:
        """An environment's folder is mounted as it is."""

    def start(self, spec: SandboxSpec) -> BubblewrapSandbox:
        try:
            sandbox = self._start(spec)
        except OSError as error:
            msg = f"a sandbox could not be started: {error}; assay doctor looks at the cause"
            raise InfrastructureError(msg) from error
        self._living.admit(sandbox)
        if not spec.held:
            sandbox.let_go()
        return sandbox

    @property
    def can_pin(self) -> bool:
        return self.cgroups is not None and self.cgroups.has_cores

    @property
    def can_prefer(self) -> bool:
        return self.cgroups is not None and self.cgroups.at_the_top

    @property
    def freezes_by(self) -> str:
        return "the cgroup freezer" if self.cgroups else "SIGSTOP"

    def shut(self) -> None:
        self._living.shut()
        self._preference.restore()

    def _start(self, spec: SandboxSpec) -> BubblewrapSandbox:
        _require_room(spec.limits)
        name = f"{self.run.id}:{secrets.token_hex(4)}"  # the box can read it: no number that tells how many there were
        with contextlib.ExitStack() as undo:
            uid, release = lend_uid(self.state) if os.geteuid() == 0 else (None, _nothing)
            undo.callback(release)
            cgroup = self._cgroup(name, spec)
            if cgroup:
                undo.callback(cgroup.remove)
            with _held_back(functools.partial(self._spawn, spec, name, uid)) as (monitor, init_pid, status, go):
                undo.callback(_discard, monitor)
                undo.callback(os.close, status)
                try:
                    init_pidfd = os.pidfd_open(init_pid)
                    undo.callback(os.close, init_pidfd)
                    undo.callback(end_box, init_pidfd)
                    network_fd = os.open(f"/proc/{init_pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
                    undo.callback(os.close, network_fd)
                    if cgroup:
                        cgroup.add(init_pid)
                    kept_fd = self._scratch(init_pid, spec)
                    if kept_fd is not None:
                        undo.callback(os.close, kept_fd)
                        fill(kept_fd, spec.state or {}, init_pid)
                except (ProcessLookupError, FileNotFoundError) as error:  # it ended while it set the box up
                    raise _no_box(monitor) from error
            undo.pop_all()
        parts = Parts(
            purpose=spec.purpose,
            monitor=monitor,
            init_pid=init_pid,
            init_pidfd=init_pidfd,
            descriptors=(network_fd, status),
            go=go,
            kept_fd=kept_fd,
            kept_limits=spec.kept_limits,
            cgroup=cgroup,
            release=release,
        )
        return BubblewrapSandbox(parts, spec.limits.output_bytes, spec.kept_bytes)

    def _cgroup(self, name: str, spec: SandboxSpec) -> Cgroup | None:
        if self.cgroups is None:
            if spec.cores:
                raise InfrastructureError("no cgroup can be made here: no sandbox can have cores of its own")
            return None
        cgroup = self.cgroups.create(f"{PREFIX}{name.replace(':', '-')}", spec.limits, spec.cores)
        if spec.preferred:
            self._preference.prefer(cgroup.weights(), cgroup.most_weight)
        return cgroup

    def _scratch(self, init_pid: int, spec: SandboxSpec) -> int | None:
        """Cap the files of the box's scratch places, and open the one that is kept, if any."""
        root = f"/proc/{init_pid}/root"
        self._await_mounts(Path(root))
        cap_files(init_pid, all_scratch_places(spec), spec.limits.scratch_files)
        if spec.kept_folder is None:
            return None
        return os.open(root + spec.kept_folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def _await_mounts(self, root: Path) -> None:
        """Wait until the box's root is ours, to which bubblewrap turns when all is mounted."""
        deadline = time.monotonic() + _START_TIMEOUT_S
        while not root.samefile(self.rootfs.path):
            if time.monotonic() > deadline:
                raise InfrastructureError(f"bubblewrap did not set its sandbox up within {_START_TIMEOUT_S:.0f} s")
            time.sleep(0.001)

    def _spawn(self, spec: SandboxSpec, name: str, uid: int | None, status: int, block: int) -> subprocess.Popen[bytes]:
        with contextlib.ExitStack() as inherited:
            filter_fd = _in_memory(inherited, seccomp.load())
            told = Descriptors(status=status, block=block, seccomp=filter_fd)
            arguments_fd = _in_memory(inherited, _zero_ended(options(spec, self.rootfs, told)))
            stdin_fd = _in_memory(inherited, spec.stdin)
            data_bytes = None if self.cgroups else spec.limits.memory_bytes * _DATA_FACTOR
            inner = inner_command(spec.command, spec.limits, f"{MARKER}{name}", data_bytes=data_bytes)
            return subprocess.Popen(
                [self.program, "--args", str(arguments_fd), "--", *inner],
                stdin=stdin_fd,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(status, block, filter_fd, arguments_fd),
                env={},  # the box can read the environment its launcher was started with
                cwd="/",
                process_group=0,  # a terminal's Ctrl-C is the runner's to handle
                user=uid,
                group=uid,
                extra_groups=None if uid is None else [],
            )


@contextlib.contextmanager
def _held_back(
    spawn: Callable[[int, int], subprocess.Popen[bytes]],
) -> Iterator[tuple[subprocess.Popen[bytes], int, int, int]]:
    """A spawned box whose command waits. If the block fails, it never runs.

    Gives the monitor, the box's process 1, the end of its status pipe, which must stay open as long as it runs (the
    monitor writes to it once more at its end), and the end of the pipe where the command waits for a byte.
    """
    status_read, status_write = os.pipe()
    block_read, block_write = os.pipe()
    try:
        try:
            monitor = spawn(status_write, block_read)
        finally:
            os.close(status_write)
            os.close(block_read)
        try:
            init_pid = _init_pid(status_read, monitor)
        except BaseException:
            _discard(monitor)
            os.close(status_read)
            raise
        yield monitor, init_pid, status_read, block_write
    except BaseException:
        os.close(block_write)
        raise


def _init_pid(status: int, monitor: subprocess.Popen[bytes]) -> int:
    """The host's number of the box's process 1, which bubblewrap reports as soon as it has made it."""
    line = _first_line(status, time.monotonic() + _START_TIMEOUT_S)
    if not line:
        raise _no_box(monitor)
    return int(json.loads(line)["child-pid"])


def _no_box(monitor: subprocess.Popen[bytes]) -> InfrastructureError:
    """What bubblewrap had to say for not making a box."""
    _kill_group(monitor)
    said = ""
    if monitor.stderr:
        ready, _, _ = select.select([monitor.stderr], [], [], _LAST_WORDS_S)
        said = os.read(monitor.stderr.fileno(), 2000).decode("utf-8", "replace").strip() if ready else ""
    return InfrastructureError(
        f"bubblewrap made no sandbox: {said or 'it said nothing'}; assay doctor looks at the cause"
    )


def _first_line(descriptor: int, deadline: float) -> bytes:
    """The first line, which may come in pieces; empty if the stream ends or time runs out before its end."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(deadline - time.monotonic(), 0))
        piece = os.read(descriptor, 1) if ready else b""
        if not piece:
            return b""
        line += piece
    return line


def _kill_group(monitor: subprocess.Popen[bytes]) -> None:
    """Kill the monitor and, if it has one already, the process that was to become the box."""
    if monitor.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(monitor.pid, signal.SIGKILL)


def _discard(monitor: subprocess.Popen[bytes]) -> None:
    _kill_group(monitor)
    monitor.wait()
    for stream in (monitor.stdout, monitor.stderr):
        if stream:
            stream.close()


def _zero_ended(words: tuple[str, ...]) -> bytes:
    """The words as bubblewrap reads them. A word that held a zero would be two, the second one an option."""
    if any("\0" in word for word in words):
        raise InfrastructureError("a sandbox's option holds a zero byte")
    return b"".join(os.fsencode(word) + b"\0" for word in words)


def _require_room(limits: Limits) -> None:
    """A box can have no more than this process may have: the shell in it could not set what the challenge says."""
    wanted = {
        "nofile": (resource.RLIMIT_NOFILE, limits.open_files),
        "fsize": (resource.RLIMIT_FSIZE, limits.scratch_bytes),
    }
    wanted["nproc"] = (resource.RLIMIT_NPROC, limits.processes)
    for name, (number, least) in wanted.items():
        _, hard = resource.getrlimit(number)
        if hard not in (resource.RLIM_INFINITY, -1) and hard < least:
            raise InfrastructureError(
                f"this process's own limit {name} is {hard}, a sandbox needs {least}; raise it with ulimit"
            )


def _nothing() -> None:
    pass


def _in_memory(stack: contextlib.ExitStack, content: bytes) -> int:
    """A descriptor that reads as `content`, closed with the stack; nothing of it is ever on a disk."""
    descriptor = os.memfd_create("assay", os.MFD_CLOEXEC)
    stack.callback(os.close, descriptor)
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def controls(cgroups: Cgroups | None, *, root: bool) -> Iterator[Control]:
    """Every control, and whether this host lets it be enforced."""
    group = f"cgroup version {cgroups.version}" if cgroups else "no cgroup can be made here"
    yield Control("network", enforced=True, how="a network namespace with loopback only")
    yield Control("files", enforced=True, how="a read-only root of its own; the submission is mounted read-only")
    yield Control("system-calls", enforced=True, how="a seccomp allow-list for the native architecture")
    yield Control("privileges", enforced=True, how="no capabilities, no new privileges, no user namespaces")
    own_uid = (
        "a host uid of its own for each box" if root else "the host uid of whoever grades, in namespaces of its own"
    )
    yield Control("user", enforced=True, how=own_uid)
    yield Control("memory", enforced=cgroups is not None, how=group if cgroups else f"{group}; rlimit a process only")
    yield Control("cpu", enforced=cgroups is not None, how=group)
    yield Control("processes", enforced=True, how=group if cgroups else "rlimit in a user namespace of its own")
    yield Control("scratch", enforced=True, how="sized tmpfs; file size rlimit")
    yield Control("inodes", enforced=True, how="files in each scratch place are counted")
    yield Control("output", enforced=True, how="drained and counted; killed beyond the limit")
    yield Control("time", enforced=True, how="deadline, then SIGKILL of the whole box")
