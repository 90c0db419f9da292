"""The system call filter: what ships is what the policy says, attacks are refused, ordinary programs run."""

import errno
import json
import os
import platform
import signal
import struct
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from assessments.errors import InfrastructureError
from runner.engines import seccomp
from runner.engines.rootfs import open_to_all
from runner.engines.seccomp.policy import ABSENT, NEWEST, rules

MACHINES = ("x86_64", "aarch64")
ARCHITECTURES = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7, "i386": 0x4000_0003, "arm": 0x4000_0028}
ALLOW, REFUSE, KILL = 0x7FFF_0000, 0x0005_0000, 0x8000_0000
EPERM, ENOSYS = REFUSE | errno.EPERM, REFUSE | errno.ENOSYS
NATIVE = platform.machine()


@pytest.fixture(scope="module")
def libseccomp() -> ModuleType:
    """Knows the numbers of calls, and compiles. In CI it must be there."""
    try:
        import pyseccomp
    except (ImportError, RuntimeError) as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"libseccomp is needed in CI: {error}")
        pytest.skip(f"libseccomp is not installed: {error}")
    return pyseccomp


@pytest.fixture(scope="module")
def number(libseccomp):
    """The number of a call on a machine; negative where the machine has no such call."""
    return lambda call, machine=NATIVE: libseccomp.resolve_syscall(ARCHITECTURES[machine], call)


def decide(program: bytes, architecture: int, number: int, arguments: Sequence[int] = ()) -> int:
    """Run a filter as the kernel does (classic BPF, the few instructions that filters are made of)."""
    data = struct.pack("=IIQ6Q", number, architecture, 0, *arguments, *[0] * (6 - len(arguments)))
    instructions = list(struct.iter_unpack("=HBBI", program))
    position = accumulator = 0
    while True:
        code, if_true, if_false, operand = instructions[position]
        position += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, operand)
            case 0x54:
                accumulator &= operand
            case 0x05:
                position += operand
            case 0x15:
                position += if_true if accumulator == operand else if_false
            case 0x25:
                position += if_true if accumulator > operand else if_false
            case 0x35:
                position += if_true if accumulator >= operand else if_false
            case 0x06:
                return operand
            case _:
                pytest.fail(f"an instruction that no filter of ours has: {code:#x}")


@pytest.mark.parametrize("machine", MACHINES)
def test_the_bytes_that_ship_are_what_the_policy_compiles_to(libseccomp, machine):
    from runner.engines.seccomp.compile import compile_policy

    message = "the policy has changed: run python -m runner.engines.seccomp.compile"
    assert seccomp.load(machine) == compile_policy(machine), message


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_allows_the_calls_of_the_policy_and_nothing_else(number, libseccomp, machine):
    program, conditional = seccomp.load(machine), {rule.call for rule in rules() if rule.arguments}
    allowed = {number(rule.call, machine) for rule in rules() if not rule.arguments}
    absent = {number(name, machine) for name in ABSENT}
    left_out = {number(name, machine) for name in conditional}
    for call in set(range(600)) - left_out:
        expected = ENOSYS if call > NEWEST or call in absent else ALLOW if call in allowed else EPERM
        assert decide(program, ARCHITECTURES[machine], call) == expected, f"call {call}"


@pytest.mark.parametrize("machine", MACHINES)
def test_each_condition_of_the_policy_lets_its_value_through(number, machine):
    program = seccomp.load(machine)
    for rule in rules():
        if rule.arguments and number(rule.call, machine) >= 0:
            arguments = [0] * 6
            for part in rule.arguments:
                arguments[part.index] = part.value
            answer = decide(program, ARCHITECTURES[machine], number(rule.call, machine), arguments)
            assert answer == ALLOW, f"{rule} is answered with {answer:#x}"


@pytest.mark.parametrize("machine", MACHINES)
def test_every_call_for_another_architecture_kills(machine):
    program = seccomp.load(machine)
    for foreign in ARCHITECTURES.keys() - {machine}:
        assert {decide(program, ARCHITECTURES[foreign], call) for call in range(1000)} == {KILL}, foreign


def test_every_x32_call_kills():
    program = seccomp.load("x86_64")
    calls = [0x4000_0000 | call for call in range(600)]
    assert {decide(program, ARCHITECTURES["x86_64"], call) for call in calls} == {KILL}


def test_a_machine_without_a_filter_is_named():
    with pytest.raises(InfrastructureError, match="riscv64"):
        seccomp.load("riscv64")


AF_ALG, AF_NETLINK, AF_PACKET, AF_VSOCK, AF_XDP, AF_TIPC = 38, 16, 17, 40, 44, 30
NAMESPACES = (0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000)
SIGCHLD = 17
TIOCSTI, TIOCLINUX = 0x5412, 0x541C
A_DEVICE = 0o020666
REFUSED: dict[str, tuple[str, tuple[int, ...]]] = {
    **{f"ESC-02 clone into a new namespace {flag:#x}": ("clone", (flag | SIGCHLD,)) for flag in NAMESPACES},
    **{f"ESC-02 unshare {flag:#x}": ("unshare", (flag,)) for flag in NAMESPACES},
    **{
        f"ESC-02 {call}": (call, ())
        for call in (
            *("setns", "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsmount", "open_tree", "move_mount"),
            "mount_setattr",
        )
    },
    "ESC-03 a socket to the hypervisor": ("socket", (AF_VSOCK, 1, 0)),
    "ESC-03 with the high half of the register set": ("socket", (1 << 32 | AF_VSOCK, 1, 0)),
    "ESC-03 a pair of sockets of an odd family": ("socketpair", (AF_TIPC, 1, 0)),
    **{f"ESC-05 {call}": (call, (8,)) for call in ("io_uring_setup", "io_uring_enter", "io_uring_register")},
    "ESC-06 kernel crypto": ("socket", (AF_ALG, 5, 0)),
    **{f"ESC-06 {call}": (call, ()) for call in ("splice", "tee", "vmsplice")},
    **{f"family {family}": ("socket", (family, 2, 0)) for family in (0, AF_NETLINK, AF_PACKET, AF_XDP, AF_TIPC)},
    **{f"a raw socket of family {family}": ("socket", (family, 3, 1)) for family in (2, 10)},
    "a raw socket, flagged": ("socket", (2, 3 | 0o2000000, 1)),
    "a socket of a protocol in a module": ("socket", (2, 1, 132)),
    "a kind of socket whose default is in a module": ("socket", (2, 5, 0)),
    **{
        f"ESC-07 {call}": (call, ())
        for call in (
            *("bpf", "perf_event_open", "userfaultfd", "keyctl", "add_key", "request_key", "init_module"),
            *("finit_module", "delete_module", "kexec_load", "quotactl", "fanotify_init", "syslog", "acct", "reboot"),
            *("mq_open", "msgget", "semget", "shmget", "swapon", "memfd_secret", "landlock_create_ruleset", "seccomp"),
        )
    },
    **{
        f"ESC-08 {call}": (call, ())
        for call in ("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "process_madvise")
    },
    **{f"ESC-09 {call}": (call, ()) for call in ("open_by_handle_at", "name_to_handle_at")},
    "ESC-10 a device": ("mknodat", (0, 0, A_DEVICE)),
    "ESC-10 a device, beyond the bits the kernel reads": ("mknodat", (0, 0, 1 << 16 | A_DEVICE)),
    "ESC-19 typing into the terminal": ("ioctl", (0, TIOCSTI)),
    "ESC-19 with the high half of the register set": ("ioctl", (0, 1 << 32 | TIOCSTI)),
    "ESC-19 on a console": ("ioctl", (0, TIOCLINUX)),
    "ESC-21 no address randomisation": ("personality", (0x0004_0000,)),
    "ESC-21 another persona": ("personality", (8,)),
    **{f"ESC-21 real-time policy {policy}": ("sched_setscheduler", (0, policy)) for policy in (1, 2, 6)},
    "ESC-21 real-time, reset on fork": ("sched_setscheduler", (0, 0x4000_0001)),
    "ESC-21 real-time behind a pointer": ("sched_setattr", ()),
    **{f"ESC-21 {call}": (call, ()) for call in ("mlock", "mlock2", "mlockall")},
    **{f"LAT-05 {call}": (call, ()) for call in ("clock_settime", "settimeofday", "adjtimex", "clock_adjtime")},
    **{f"the host's disks: {call}": (call, ()) for call in ("sync", "syncfs")},
}
PROBE = """
import ctypes, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
answers = []
for number, arguments in json.loads(sys.argv[1]):
    padded = [ctypes.c_ulong(value) for value in (number, *arguments, *[0] * (6 - len(arguments)))]
    result = libc.syscall(*padded)
    answers.append(0 if result >= 0 else ctypes.get_errno())
print(json.dumps(answers))
"""


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("attempt", REFUSED)
def test_the_filter_refuses(number, machine, attempt):
    call, arguments = REFUSED[attempt]
    answer = decide(seccomp.load(machine), ARCHITECTURES[machine], number(call, machine), arguments)
    assert answer == EPERM, f"{call}{arguments} is answered with {answer:#x}"


def probe(box, calls: Sequence[tuple[int, Sequence[int]]]) -> list[int]:
    done = box.run(["python", "-c", PROBE, json.dumps(calls)], system_calls=seccomp.load())
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    answers: list[int] = json.loads(done.stdout)
    return answers


def test_a_sandbox_gets_eperm_for_every_refused_call(box, number):
    answers = probe(box, [(number(call), arguments) for call, arguments in REFUSED.values()])
    answered = dict(zip(REFUSED, answers, strict=True))
    assert {attempt: code for attempt, code in answered.items() if code != errno.EPERM} == {}


def test_the_same_probe_gets_other_answers_without_the_filter(box, number):
    """Otherwise the namespaces and not the filter would have answered."""
    calls = [(number("socket"), (AF_NETLINK, 2, 0)), (number("personality"), (8,)), (number("semget"), (0, 1, 0o600))]
    done = box.run(["python", "-c", PROBE, json.dumps(calls)])
    assert json.loads(done.stdout) == [0, 0, 0], done.stderr


def test_clone3_is_absent_and_so_are_calls_newer_than_the_policy(box, number):
    assert probe(box, [(number("clone3"), ()), (NEWEST + 1, ()), (NEWEST + 60, ())]) == [errno.ENOSYS] * 3


@pytest.mark.skipif(NATIVE != "x86_64", reason="the other tables are doors of x86_64")
@pytest.mark.parametrize(
    ("door", "machine_code"),
    [
        # mov eax, 20 (getpid); int 0x80; ret - and: mov eax, 102 (socketcall); mov ebx, 1; xor ecx, ecx; int 0x80; ret
        ("ESC-04 int 0x80, getpid", "b814000000cd80c3"),
        ("ESC-04 int 0x80, socketcall", "53b866000000bb0100000031c9cd805bc3"),
        # mov eax, 0x40000027 (x32 getpid); syscall; ret
        ("x32", "b8270000400f05c3"),
    ],
)
def test_a_call_through_another_table_kills(box, door, machine_code):
    code = f"""
import ctypes, mmap
memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
memory.write(bytes.fromhex("{machine_code}"))
ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(memory)))()
print("still alive")
"""
    done = box.python(code, system_calls=seccomp.load())
    killed = {128 + signal.SIGSYS, 128 + signal.SIGSEGV}  # the second where the kernel was built without that table
    assert done.returncode in killed, f"exit code {done.returncode}, {done.stdout}{done.stderr}"


ORDINARY = {
    "threads": """
        import threading
        threads = [threading.Thread(target=print) for _ in range(20)]
        [thread.start() for thread in threads]; [thread.join() for thread in threads]
    """,
    "subprocess and shell": """
        import subprocess, sys
        assert subprocess.run("echo shell", shell=True, capture_output=True).stdout == b"shell\\n"
        assert subprocess.check_output([sys.executable, "-c", "print(1)"], start_new_session=True) == b"1\\n"
    """,
    "multiprocessing, all ways to start": """
        import multiprocessing
        for method in ("fork", "spawn", "forkserver"):
            with multiprocessing.get_context(method).Pool(2) as pool:
                assert pool.map(abs, [-1, -2]) == [1, 2]
    """,
    "asyncio with streams, processes and signals": """
        import asyncio, signal, sys
        async def answer(reader, writer):
            writer.write(await reader.readline()); await writer.drain(); writer.close()
        async def main():
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, print)
            for host in ("127.0.0.1", "localhost"):
                server = await asyncio.start_server(answer, host, 0)
                port = server.sockets[0].getsockname()[1]
                reader, writer = await asyncio.open_connection(host, port)
                writer.write(b"hello\\n")
                assert await reader.readline() == b"hello\\n"
                writer.close(); server.close()
            child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(2)", stdout=-1)
            assert (await child.communicate())[0] == b"2\\n"
        asyncio.run(main())
    """,
    "files, links, pipes, locks and temporary folders": """
        import fcntl, mmap, os, pathlib, shutil, tempfile
        folder = pathlib.Path(tempfile.mkdtemp())
        (folder / "a").write_text("a"); shutil.copy2(folder / "a", folder / "b")
        shutil.move(folder / "b", folder / "c")
        os.link(folder / "a", folder / "d"); (folder / "e").symlink_to("a"); os.mkfifo(folder / "f")
        with open(folder / "a", "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX); mmap.mmap(file.fileno(), 0).close(); os.fsync(file)
        shutil.copytree(folder, "/tmp/copy", ignore=shutil.ignore_patterns("f")); shutil.rmtree(folder)
        os.memfd_create("memory")
    """,
    "a database": """
        import sqlite3
        database = sqlite3.connect("/tmp/base.db")
        database.execute("pragma journal_mode=wal"); database.execute("create table t (x)"); database.commit()
    """,
    "sockets, their options and names": """
        import socket
        assert socket.getaddrinfo("localhost", 80)
        for family in (socket.AF_INET, socket.AF_UNIX):
            socket.socket(family).close(); socket.socket(family, socket.SOCK_DGRAM).close()
        try:
            socket.socket(socket.AF_INET6).close()
        except PermissionError:
            raise
        except OSError:
            pass  # a host without IPv6
        server = socket.create_server(("127.0.0.1", 0), reuse_port=True)
        client = socket.create_connection(server.getsockname())
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1); client.setblocking(False)
        socket.socketpair(); socket.if_nametoindex("lo")
    """,
    "pseudo terminals, resources, priorities and time": """
        import os, resource, sched, signal, time, tty
        leader, follower = os.openpty(); tty.setraw(follower); os.get_terminal_size(follower)
        resource.getrusage(resource.RUSAGE_SELF); resource.getrlimit(resource.RLIMIT_NOFILE); os.nice(1)
        os.sched_setaffinity(0, os.sched_getaffinity(0)); os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        signal.setitimer(signal.ITIMER_REAL, 10); signal.pidfd_send_signal(os.pidfd_open(os.getpid()), 0)
        time.sleep(0.001); os.getrandom(4); os.getloadavg(); os.cpu_count()
    """,
}


@pytest.mark.parametrize("thing", ORDINARY)
def test_ordinary_programs_run_under_the_filter(box, thing):
    lines = ORDINARY[thing].split("\n")
    code = "\n".join(line.removeprefix(" " * 8) for line in lines)
    done = box.python(code, system_calls=seccomp.load())
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"


def test_a_model_is_served_under_the_filter(box, service_environment, visible_folder):
    """numpy, onnxruntime, FastAPI and uvicorn, as a candidate would use them."""
    _write_served_model(visible_folder)
    mounts = {box.rootfs.site_packages: service_environment.site_packages, "/submission": visible_folder}
    done = box.run(["python", "/submission/serve.py"], mounts=mounts, system_calls=seccomp.load())
    assert done.stdout == "[[11.0, 22.0]]\n", f"exit code {done.returncode}: {done.stderr}"


SERVE = """
import threading, time, json, urllib.request, numpy, onnxruntime, uvicorn, fastapi
session = onnxruntime.InferenceSession("/submission/model.onnx", providers=["CPUExecutionProvider"])
app = fastapi.FastAPI()

@app.get("/predict")
def predict():
    return session.run(None, {"x": numpy.array([[1, 2]], dtype=numpy.float32)})[0].tolist()

server = uvicorn.Server(uvicorn.Config(app, port=8000, log_level="warning"))
thread = threading.Thread(target=server.run)
thread.start()
while not server.started and thread.is_alive():
    time.sleep(0.01)
print(json.load(urllib.request.urlopen("http://127.0.0.1:8000/predict")))
server.should_exit = True
thread.join()
"""


def _write_served_model(folder: Path) -> None:
    """A model that multiplies by ten and adds (1, 2), beside the program that serves it."""
    onnx = pytest.importorskip("onnx")
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 2]) for name in "xy")
    constants = [
        onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, [2], values)
        for name, values in (("factor", [10.0, 10.0]), ("offset", [1.0, 2.0]))
    ]
    nodes = [onnx.helper.make_node("Mul", ["x", "factor"], ["m"]), onnx.helper.make_node("Add", ["m", "offset"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "linear", [x], [y], constants)
    opset = [onnx.helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "serve.py").write_text(SERVE)
    open_to_all(folder)
