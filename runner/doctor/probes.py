"""Small hostile programs that run in a real sandbox and report what they could do. Each stands for a control.

What they print is data from a sandbox like any other: bounded and parsed strictly.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from assessments.observation import Breach, SandboxRun
from graders.http import strict_json
from runner.engines.protocol import Engine, SandboxSpec

_MB = 1024 * 1024
_LIMITS = Limits(
    memory_bytes=64 * _MB,
    processes=16,
    cpus=1.0,
    scratch_bytes=4 * _MB,
    output_bytes=256 * 1024,
    open_files=64,
    job_s=5.0,
)
_PYTHON = "/opt/python/bin/python"


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether one control held, and what was seen."""

    control: str
    held: bool
    seen: str


_LOOK_AROUND = r"""
import ctypes, errno, json, os, socket
libc = ctypes.CDLL(None, use_errno=True)
def denied(call):
    try:
        call()
    except OSError as error:
        return error.errno in (errno.EPERM, errno.EACCES, errno.EROFS, errno.ENOSYS, errno.EAFNOSUPPORT,
                               errno.ENETUNREACH, errno.ENOENT)
    return False
def syscall(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), "")
def writable_sysctls():
    found = 0
    for folder, _, names in os.walk("/proc/sys"):
        for name in names:
            try:
                os.close(os.open(os.path.join(folder, name), os.O_WRONLY))
                found += 1
            except OSError:
                pass
    return found
def outside():
    with socket.socket() as s:
        s.settimeout(1)
        s.connect(("192.0.2.1", 80))
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines() if ":" in line)
print(json.dumps({
    "interfaces": sorted(line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]),
    "no_way_out": denied(outside),
    "root_is_read_only": denied(lambda: open("/escaped", "w")),
    "writable_sysctls": writable_sysctls(),
    "no_vsock": denied(lambda: socket.socket(40, socket.SOCK_STREAM)),
    "no_io_uring": denied(lambda: syscall(425, 1, None)),
    "no_user_namespace": denied(lambda: syscall(272 if os.uname().machine == "x86_64" else 97, 0x10000000)),
    "user": os.getuid(),
    "capabilities": int(status["CapEff"].strip(), 16),
    "no_new_privileges": status["NoNewPrivs"].strip() == "1",
    "environment_of_init": 0 if denied(lambda: open("/proc/1/environ")) else len(open("/proc/1/environ", "rb").read()),
    "memory_of_init": not denied(lambda: open("/proc/1/mem", "r+b")),
}))
"""


def probe(engine: Engine) -> Iterator[Probed]:
    """Try every control. Raises InfrastructureError when no sandbox can be started at all."""
    yield from _looked_around(engine)
    yield _tried(engine, "memory", "b = bytearray(400 * 1024 * 1024); b[::4096] = b'x' * len(b[::4096])", _was_killed)
    yield _tried(engine, "processes", _MANY_PROCESSES, lambda run: _number(run) < _LIMITS.processes)
    yield _tried(engine, "scratch", _FILL_SCRATCH, lambda run: _number(run) <= 2 * _LIMITS.scratch_bytes)
    yield _tried(engine, "inodes", _MANY_FILES, lambda run: _number(run) < _LIMITS.scratch_files)
    yield _tried(engine, "cpu", _SPIN, _kept_to_its_cpus)
    yield _tried(engine, "output", "while True: print('x' * 1000)", lambda run: run.breach is Breach.OUTPUT)
    yield _tried(engine, "time", _REFUSE_TO_END, lambda run: run.wall_s < _KILLED_WITHIN_S, timeout_s=0.3)


_MANY_PROCESSES = """
import os, time
made = 0
try:
    for _ in range(100):
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        made += 1
except OSError:
    pass
print(made)
"""
_FILL_SCRATCH = """
written = 0
for folder in ("/tmp", "/dev/shm"):
    try:
        for number in range(1000):
            with open(f"{folder}/{number}", "wb", buffering=0) as file:
                written += file.write(bytes(65536))
    except OSError:
        pass
print(written)
"""
_MANY_FILES = """
import os
made = 0
try:
    for made in range(10000):
        os.close(os.open(f"/tmp/{made}", os.O_CREAT))
except OSError:
    pass
print(made)
"""
_SPIN = """
import os, time
for _ in range(3):
    if os.fork() == 0:
        break
end = time.monotonic() + 1
while time.monotonic() < end:
    pass
"""
_REFUSE_TO_END = """
import os, signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(number, signal.SIG_IGN)
while os.fork() or True:
    time.sleep(60)
"""
_KILLED_WITHIN_S = 2.0


def _looked_around(engine: Engine) -> Iterator[Probed]:
    seen = _answers(_run(engine, "look around", _LOOK_AROUND, timeout_s=10))
    yield Probed("network", seen["interfaces"] == ["lo"] and seen["no_way_out"], f"interfaces: {seen['interfaces']}")
    sysctls = seen["writable_sysctls"]
    yield Probed("files", seen["root_is_read_only"] and sysctls == 0, f"{sysctls} kernel settings could be written")
    calls = ("no_vsock", "no_io_uring", "no_user_namespace")
    open_calls = [name.removeprefix("no_") for name in calls if not seen[name]]
    yield Probed("system-calls", not open_calls, f"open: {', '.join(open_calls) or 'none of those tried'}")
    yield Probed("user", seen["user"] != 0, f"user {seen['user']} in the sandbox")
    closed = seen["environment_of_init"] == 0 and not seen["memory_of_init"]
    bare = seen["capabilities"] == 0 and seen["no_new_privileges"] and closed
    yield Probed("privileges", bare, f"capabilities {seen['capabilities']:#x}")


def _answers(run: SandboxRun) -> dict[str, Any]:
    try:
        answers = strict_json.parse(run.stdout.text.encode())
    except ValueError as error:
        msg = f"the probe in the sandbox gave no answer: {run.stderr.text[-500:] or error}"
        raise InfrastructureError(msg) from error
    if not isinstance(answers, dict):
        raise InfrastructureError("the probe in the sandbox gave an answer of an odd shape")
    return answers


def _kept_to_its_cpus(run: SandboxRun) -> bool:
    """Whether spinning in four processes used no more than the time of the CPUs allowed, and a fifth on top."""
    return run.usage.cpu_s is not None and run.usage.cpu_s <= 1.2 * _LIMITS.cpus * run.wall_s + 0.1


def _was_killed(run: SandboxRun) -> bool:
    return run.breach is Breach.MEMORY or run.exit_code == 137


def _number(run: SandboxRun) -> int:
    text = run.stdout.text.strip()
    return int(text) if text.isdigit() and len(text) < 12 else 1 << 60


def _tried(
    engine: Engine, control: str, code: str, held: Callable[[SandboxRun], bool], timeout_s: float = 10.0
) -> Probed:
    run = _run(engine, control, code, timeout_s)
    end = f"ended for its {run.breach} limit" if run.breach else f"exit code {run.exit_code}"
    got = f", got {reached}" if (reached := _number(run)) < 1 << 60 else ""
    return Probed(control, held(run), f"{end} after {run.wall_s:.2f} s{got}")


def _run(engine: Engine, purpose: str, code: str, timeout_s: float) -> SandboxRun:
    spec = SandboxSpec(purpose, (_PYTHON, "-I", "-c", code), "/tmp", (), _LIMITS)  # noqa: S108 - the box's own
    sandbox = engine.start(spec)
    return sandbox.wait(timeout_s) or sandbox.kill(Breach.TIME)
