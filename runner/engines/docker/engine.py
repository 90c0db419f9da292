"""The Docker engine: starts sandboxes as containers, and says what this host lets it enforce.

    dockerd ── containerd-shim ── process 1 (our shell)      holds the command back, and its accounts afterwards
                                     └─ the command          the submission, once this side has let it go

Everything that isolates is asked for at creation. Then the container is started with its command held back, and what
stands is compared with what was asked, as the engine tells it and as the kernel does; only then is it let go.
"""

import contextlib
import functools
import getpass
import hashlib
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assessments.errors import InfrastructureError
from assessments.scorecard import Control, EngineRef
from runner.engines.box_users import FIRST_UID, lend_slot
from runner.engines.cgroups import WEIGHTS, Preference, accounts_of
from runner.engines.docker.container import Identity, Placement, body, differences, weaknesses
from runner.engines.docker.daemon import Daemon
from runner.engines.docker.images import REGISTRY_VARIABLE, Images
from runner.engines.docker.sandbox import DockerSandbox, Parts, Seen
from runner.engines.environments import Environment
from runner.engines.fill import fill
from runner.engines.living import Living
from runner.engines.protocol import SandboxSpec
from runner.engines.rootfs import Rootfs, Say
from runner.engines.runs import Run
from runner.engines.seccomp.profile import profile

_START_TIMEOUT_S = 10.0
_FIRST_MAPPED_UID = 20_000
"""Where an engine maps the users of containers, only some ten thousands of them exist."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass
class DockerEngine:
    """See `runner.engines.protocol.Engine`. `runtime` None: the engine's own default."""

    daemon: Daemon
    images: Images
    rootfs: Rootfs
    state: Path
    run: Run
    runtime: str | None = None
    _image_ids: dict[str, str] = field(default_factory=dict, init=False)
    _left: list[str] = field(default_factory=list, init=False)
    _living: Living = field(default_factory=Living, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._preference = Preference(self.run.folder / WEIGHTS)

    def describe(self, *, unenforced_allowed: bool) -> EngineRef:
        runtime = self.runtime or str(self.daemon.told.get("DefaultRuntime", "its own runtime"))
        version = f"{self.daemon.version} ({runtime})"
        found = tuple(controls(self.daemon))
        if not self._sees_processes:
            found = tuple(_unproven(control, runtime) for control in found)
        return EngineRef("docker", version, found, unenforced_allowed)

    def prepare(self, environment: Environment | None) -> None:
        self._image(environment)

    def start(self, spec: SandboxSpec) -> DockerSandbox:
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
        return bool(self.daemon.told.get("CPUSet"))

    @property
    def can_prefer(self) -> bool:
        return self._sees_processes and os.geteuid() == 0

    @property
    def freezes_by(self) -> str:
        return "the cgroup freezer"

    def shut(self) -> None:
        self._living.shut()
        self._preference.restore()
        with self._lock:
            left, self._left = self._left, []
        for container in left:
            with contextlib.suppress(InfrastructureError):  # the next start of a run finds it by its label
                self.daemon.remove(container)

    def _removed(self, container: str) -> None:
        """Remove what never became a sandbox; what kept it from that is the failure to tell of."""
        try:
            self.daemon.remove(container)
        except InfrastructureError:
            self._leave(container)

    def _leave(self, container: str) -> None:
        """Keep in mind a container whose processes are dead and that the engine has not removed yet."""
        with self._lock:
            self._left.append(container)

    def _image(self, environment: Environment | None) -> str:
        key = environment.digest if environment else ""
        with self._lock:
            found = self._image_ids.get(key)
        if found is None:
            found = self.images.environment(environment) if environment else self.images.base()
            with self._lock:
                self._image_ids[key] = found
        return found

    @property
    def _sees_processes(self) -> bool:
        return self.runtime in (None, "runc", self.daemon.told.get("DefaultRuntime"))

    def _start(self, spec: SandboxSpec) -> DockerSandbox:
        _require_plain_words(spec)
        identity = Identity(self.run.id, state_id(self.state), owner(), secrets.token_hex(4))
        with contextlib.ExitStack() as undo:
            slot, release = lend_slot(self.state)
            undo.callback(release)
            files = undo.enter_context(contextlib.ExitStack())
            placement = self._placement(spec, slot, files)
            request = body(spec, identity, placement)
            name = identity.marker.replace(":", "-")
            undo.callback(self._removed, name)  # also one that was made although no answer came
            container = self._created(request, name)
            stream = self._attached(container)
            undo.callback(stream.close)
            with self.daemon.asked_to("start a container"):
                self.daemon.api.start(container)
                told = self.daemon.api.inspect_container(container)
            _require(differences(request, told))
            seen = self._seen(told, identity, spec, stream) if self._sees_processes else None
            if seen:
                undo.callback(seen.close)
                self._require_held(int(told["State"]["Pid"]), spec, seen, placement.uid)
                if seen.kept_fd is not None:
                    fill(seen.kept_fd, spec.state or {}, int(told["State"]["Pid"]))
                if spec.preferred and self.can_prefer:
                    self._preference.prefer(seen.accounts.weights(), seen.accounts.most_weight)
            done = functools.partial(_each, files.close, release)
            parts = Parts(spec.purpose, self.daemon, container, stream, seen, done, self._leave, spec.kept_limits)
            sandbox = DockerSandbox(parts, spec.limits.output_bytes, spec.kept_bytes)
            undo.pop_all()
        return sandbox

    def _created(self, request: dict[str, Any], name: str) -> str:
        try:
            return self.daemon.create(request, name)
        except InfrastructureError:
            with self._lock:
                self._image_ids.clear()  # somebody may have removed the image: another try makes it anew
            raise

    def _placement(self, spec: SandboxSpec, slot: int, files: contextlib.ExitStack) -> Placement:
        uid = (_FIRST_MAPPED_UID if self.daemon.remapped else FIRST_UID) + slot
        passwd = f"root:x:0:0:root:/:/bin/sh\nnobody:x:{uid}:{uid}:nobody:/tmp:/bin/sh\n".encode()
        return Placement(
            image=self._image(spec.environment),
            uid=uid,
            passwd=_readable_file(self.run.folder, passwd, files),
            stdin=_readable_file(self.run.folder, spec.stdin, files) if spec.stdin else None,
            seccomp_profile=profile(),
            runtime=self.runtime,
            cgroup_version=int(self.daemon.told.get("CgroupVersion") or 1),
            counts_swap=bool(self.daemon.told.get("SwapLimit")),
            holds=self._sees_processes,
        )

    def _attached(self, container: str) -> Any:
        """The engine's stream to the container, opened before it starts so that nothing of it is missed."""
        with self.daemon.asked_to("attach to a container"):
            parameters = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            attached = self.daemon.api.attach_socket(container, parameters)
            with attached._sock as taken, attached:
                stream = taken.dup()  # the library's wrapper cannot send
            stream.settimeout(None)
            return stream

    def _seen(self, told: dict[str, Any], identity: Identity, spec: SandboxSpec, stream: Any) -> Seen:
        """Find the container's processes among this host's. Raises InfrastructureError if they are not there."""
        pid = int(told["State"]["Pid"])
        with contextlib.ExitStack() as undo:
            try:
                if not pid:
                    raise ProcessLookupError
                init = _kept(undo, os.pidfd_open(pid))
                _await_process_1(pid, identity.marker.encode())
                main = _kept(undo, os.pidfd_open(_only_child(pid)))
                network = _kept(undo, os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC))
                kept = None
                if spec.kept_folder:
                    folder = f"/proc/{pid}/root{spec.kept_folder}"
                    kept = _kept(undo, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))
                accounts = accounts_of(pid)
            except (ProcessLookupError, FileNotFoundError, ValueError) as error:
                raise InfrastructureError(f"a container ended before its command ran: {_said(stream)}") from error
            if accounts is None:
                raise InfrastructureError("the control group of a container cannot be seen from here")
            undo.pop_all()
        return Seen(init, main, network, kept, accounts)

    def _require_held(self, pid: int, spec: SandboxSpec, seen: Seen, uid: int) -> None:
        """What the kernel itself says of the container, whatever the engine made of what it was asked."""
        problems = weaknesses(Path(f"/proc/{pid}/status").read_text(), None if self.daemon.remapped else uid)
        if os.path.samestat(os.fstat(seen.network_fd), Path("/proc/self/ns/net").stat()):
            problems.append("it is in the network of the host")
        memory_bytes, processes = seen.accounts.held_to()
        if memory_bytes > spec.limits.memory_bytes + _PAGE_BYTES or processes > spec.limits.processes:
            problems.append(f"the kernel holds it to {memory_bytes} bytes and {processes} processes")
        _require(problems)
        seen.accounts.hold_sockets()
        seen.accounts.forget_peak()
        with contextlib.suppress(PermissionError):  # a rootless engine's user may not: its accounts can be lost then
            Path(f"/proc/{pid}/oom_score_adj").write_text("-1000")


def images_of(daemon: Daemon, rootfs: Rootfs, state: Path, run: Run, say: Say) -> Images:
    """The images that a run uses; the containers they are made in are the run's."""
    labels = Identity(run.id, state_id(state), owner(), "image").labels
    registry = os.environ.get(REGISTRY_VARIABLE) or None
    return Images(daemon, state, rootfs, labels, registry, say)


def state_id(state: Path) -> str:
    """What containers of a state folder's runs are labelled with."""
    return hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]


def owner() -> str:
    """Who runs this, for people who look at what the engine holds."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _require(problems: list[str]) -> None:
    if problems:
        raise InfrastructureError(f"the Docker engine did not make the sandbox as asked: {'; '.join(problems)}")


def _require_plain_words(spec: SandboxSpec) -> None:
    words = (*spec.command, *spec.env, *spec.env.values(), spec.folder)
    if any("\0" in word for word in words):
        raise InfrastructureError("a sandbox's option holds a zero byte")


def _each(*calls: Callable[[], None]) -> None:
    with contextlib.ExitStack() as stack:
        for call in calls:
            stack.callback(call)


def _kept(undo: contextlib.ExitStack, descriptor: int) -> int:
    undo.callback(os.close, descriptor)
    return descriptor


def _readable_file(folder: Path, content: bytes, files: contextlib.ExitStack) -> Path:
    """A file of the run that every user may read, under a name nobody can guess; gone when the stack is closed."""
    path = folder / secrets.token_hex(16)
    path.write_bytes(content)
    files.callback(path.unlink, missing_ok=True)
    path.chmod(0o444)
    return path


def _await_process_1(pid: int, marker: bytes) -> None:
    """The engine says that a container has started a moment before its process 1 has become our shell."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while marker not in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
        if time.monotonic() > deadline:
            msg = f"process {pid} is not the sandbox: the Docker engine does not run on this very host"
            raise InfrastructureError(msg)
        time.sleep(0.001)


def _only_child(pid: int) -> int:
    """The command's process, which process 1 forks at once and then holds back."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while not (found := children.read_text().split()):
        if time.monotonic() > deadline:
            raise InfrastructureError(f"process 1 of a container did nothing for {_START_TIMEOUT_S:.0f} s")
        time.sleep(0.001)
    return int(found[0])


def _said(stream: Any) -> str:
    """What a container that has ended already had to say."""
    stream.settimeout(1.0)
    with contextlib.suppress(OSError):
        return bytes(stream.recv(2000))[8:].decode("utf-8", "replace").strip() or "it said nothing"
    return "it said nothing"


def controls(daemon: Daemon) -> Iterator[Control]:
    """Every control, and whether this engine enforces it on this host, as far as it tells."""
    told = daemon.told
    group = f"cgroup version {told.get('CgroupVersion', '1')} by the engine"
    own = "a user of its own for each container" if not daemon.remapped else "users of the host that map to nobody"
    yield Control("network", enforced=True, how="network none: a namespace with loopback only")
    yield Control("files", enforced=True, how="a read-only image; the submission is mounted read-only")
    yield Control("system-calls", enforced=True, how="a seccomp profile of our own for the native architecture")
    yield Control("privileges", enforced=True, how="no capabilities, no new privileges")
    yield Control("user", enforced=True, how=own)
    yield _held_by(group, "memory", told, "MemoryLimit", "SwapLimit")
    yield _held_by(group, "cpu", told, "CpuCfsQuota")
    yield _held_by(group, "processes", told, "PidsLimit")
    yield Control("scratch", enforced=True, how="sized tmpfs; file size rlimit")
    yield Control("inodes", enforced=True, how="files in each scratch place are counted")
    yield Control("output", enforced=True, how="log driver none; drained and counted; killed beyond the limit")
    yield Control("time", enforced=True, how="deadline, then SIGKILL of the whole container")


_PROVEN_BY_THE_KERNEL = {"privileges", "system-calls", "memory", "cpu", "processes"}


def _unproven(control: Control, runtime: str) -> Control:
    """A control as it is under a runtime whose processes this host does not see: what the kernel would prove is not."""
    if control.name not in _PROVEN_BY_THE_KERNEL:
        return control
    return Control(control.name, enforced=False, how=f"{runtime} hides its processes: neither compared nor measured")


def _held_by(group: str, name: str, told: Any, *needed: str) -> Control:
    missing = [one for one in needed if not told.get(one)]
    how = group if not missing else f"the engine says that it has no {', '.join(missing)}"
    return Control(name, enforced=not missing, how=how)
