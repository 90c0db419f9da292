"""Using up the machine: whoever breaks a limit has broken it, and nobody else."""

import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.observation import Breach, SandboxRun
from assessments.outcome import Fault
from assessments.scorecard import Scorecard
from runner.bench import Bench
from runner.engines.protocol import Sandbox

Graded = Callable[..., Scorecard]
NEEDS_INODES, NEEDS_MEMORY = pytest.mark.needs_control("inodes"), pytest.mark.needs_control("memory")

ENDS = {
    "RES processes": ("say(*until_it_fails(lambda _: os.fork() or time.sleep(9), 500))", "EAGAIN"),
    "RES processes that nobody waits for": ("say(*until_it_fails(lambda _: os.fork() or os._exit(0), 500))", "EAGAIN"),
    "RES threads": ("""
        say(*until_it_fails(lambda _: threading.Thread(target=time.sleep, args=(9,), daemon=True).start(), 500))
        os._exit(0)""", "refused"),
    "RES descriptors": ("say(*until_it_fails(lambda _: os.dup(0), 10**5))", "EMFILE"),
    "RES pipes": ("say(*until_it_fails(lambda _: os.pipe(), 10**5))", "EMFILE"),
    "RES watches of files": ("""
        def watch(_):
            if libc.inotify_init1(0) < 0: raise OSError(ctypes.get_errno(), "")
        say(*until_it_fails(watch, 10**5))""", "EMFILE"),
    "RES the scratch folder": (
        "say(*until_it_fails(lambda n: open(f'/tmp/{n}', 'wb').write(bytes(2**20)), 9))", "ENOSPC"),
    "RES shared memory": (
        "say(*until_it_fails(lambda n: open(f'/dev/shm/{n}', 'wb').write(bytes(2**20)), 9))", "ENOSPC"),
    "RES the outputs": (
        "say(*until_it_fails(lambda n: open(f'/outputs/{n}', 'wb').write(bytes(2**20)), 9))", "ENOSPC"),
    "RES files without content": (
        "say(*until_it_fails(lambda n: os.close(os.open(f'/tmp/{n}', os.O_CREAT)), 10**5))", "ENOSPC"),
    "RES folders in folders": ("""
        os.chdir("/tmp")
        say(*until_it_fails(lambda _: (os.mkdir("d"), os.chdir("d")), 10**5))""", "ENOSPC"),
}  # fmt: skip
OF_INODES = ("RES files without content", "RES folders in folders")


@pytest.mark.parametrize(
    ("code", "why"),
    [pytest.param(*row, id=name, marks=[NEEDS_INODES] * (name in OF_INODES)) for name, row in ENDS.items()],
)
def test_it_comes_to_an_end(attempted: Callable[[str], str], code: str, why: str) -> None:
    count, reason = attempted(code).split()
    assert reason == why
    assert int(count) < 2000


REFUSALS = {
    "RES a file with a hole": ("say(attempt(os.truncate, os.open('/tmp/h', os.O_CREAT | os.O_RDWR), 60 << 30))",
        "EFBIG"),
    "RES a core": ("say(resource.getrlimit(resource.RLIMIT_CORE))", "(0, 0)"),
    "RES higher limits for itself": ("""
        def higher(kind):
            try: resource.setrlimit(kind, (resource.RLIM_INFINITY,) * 2)
            except ValueError: return "refused"
        say(*(higher(getattr(resource, "RLIMIT_" + kind)) for kind in ("NOFILE", "CORE", "FSIZE", "MEMLOCK")))""",
        "refused"),
    "RES arguments without end": ("say(attempt(os.execv, '/bin/sh', ['sh', *['x' * 10**5] * 100]))", "E2BIG"),
    "RES memory that is locked": ("say(call('mlock', ctypes.create_string_buffer(1 << 20), 1 << 20))", "EPERM"),
    "RES memory, queues and semaphores of System V": (
        "say(call('shmget', 0, 4096, 0o1600), call('msgget', 0, 0o1600), call('semget', 0, 1, 0o1600))", "EPERM"),
    "RES queues of POSIX": ("say(call('mq_open', b'/x', 0o102, 0o600, None))", "EPERM"),
    "RES flushing the host's disks": ("say(raw('sync'), call('syncfs', 1))", "EPERM"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), REFUSALS.values(), ids=REFUSALS.keys())
def test_it_gets_no_further_than(attempted: Callable[[str], str], code: str, said: str) -> None:
    assert attempted(code) == said


LIMITS = {
    "RES memory": ("x = bytearray(200 << 20)", Breach.MEMORY),
    "RES memory of a child, the parent ends well": ("""
        if os.fork() == 0:
            x = bytearray(200 << 20)
        os.wait()
        say("fine")""", Breach.MEMORY),
    "RES memory in files without a name": ("""
        files = [os.memfd_create(str(number)) for number in range(40)]
        for file in files * 3: os.write(file, b"x" * (1 << 20))""", Breach.MEMORY),
    "RES memory of all processes, the init of the box too": ("""
        while True:
            try: os.fork()
            except OSError: x = bytearray(30 << 20)""", Breach.MEMORY),
    "RES output on the other stream": ("while True: os.write(2, b'x' * 65536)", Breach.OUTPUT),
    "RES output by many": ("""
        while True:
            try: os.fork()
            except OSError: pass
            os.write(1, b"x" * 4096)""", Breach.OUTPUT),
    "RES output through another door to the same stream": ("""
        try: door = os.open("/proc/self/fd/1", os.O_WRONLY)
        except PermissionError: door = os.dup(1)
        os.close(1)
        while True: os.write(door, b"x" * 65536)""", Breach.OUTPUT),
    "RES time, stopped": ("os.kill(os.getpid(), signal.SIGSTOP)", Breach.TIME),
    "RES time, deaf to signals": ("""
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(1)""", Breach.TIME),
    "RES time, reading what never comes": ("os.read(os.pipe()[0], 1)", Breach.TIME),
    "RES time, with its output closed": ("os.close(1); os.close(2); time.sleep(99)", Breach.TIME),
    "RES time, writing to the disk again and again": ("""
        file = os.open("/tmp/x", os.O_CREAT | os.O_RDWR)
        while True: os.pwrite(file, b"x" * 65536, 0); os.fsync(file)""", Breach.TIME),
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "breach"),
    [pytest.param(*row, id=name, marks=[NEEDS_MEMORY] * (row[1] is Breach.MEMORY)) for name, row in LIMITS.items()],
)
def test_a_limit_that_is_broken_costs_the_check(job: Graded, code: str, breach: Breach) -> None:
    scorecard = job(code)
    expected = {Breach.MEMORY: Fault.OUT_OF_MEMORY, Breach.OUTPUT: Fault.OUTPUT_FLOOD, Breach.TIME: Fault.TIME_LIMIT}
    assert (scorecard.runs[0].breach, scorecard.results[0].fault) == (breach, expected[breach])


@pytest.mark.attack("RES", "forking for ever, children that end at once")
def test_forking_for_ever_ends_at_one_limit_or_another(job: Graded) -> None:
    forks = """
        while True:
            try:
                if os.fork() == 0: os._exit(0)
            except OSError: pass"""
    result = job(forks).results[0]
    assert result.fault in (Fault.TIME_LIMIT, Fault.OUT_OF_MEMORY)  # which one comes first is the kernel's affair


@pytest.mark.attack("RES", "memory in the buffers of sockets")
@NEEDS_MEMORY
def test_socket_buffers_are_memory_too(job: Graded) -> None:
    code = """
        listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        kept, total = [], 0
        for _ in range(100):
            sender = socket.create_connection(listener.getsockname())
            receiver, _ = listener.accept()
            sender.setblocking(False)
            kept += [sender, receiver]
            try:
                while total < 300 << 20: total += sender.send(b"x" * (1 << 20))
            except OSError: pass
        say(total >> 20)"""
    run = job(code).runs[0]
    assert int(run.stdout.text or 0) <= 2 * 64, "a box of 64 MB held more than that in its sockets"


@pytest.mark.attack("RES", "all processors at once")
@pytest.mark.needs_control("cpu")
def test_its_processes_have_no_more_of_the_processors_than_one_box_may(start: Callable[..., Sandbox]) -> None:
    sandbox = start("for _ in range(3): os.fork()\nwhile True: pass", cpus=0.5)
    assert sandbox.wait(1.0) is None
    run = sandbox.kill(Breach.TIME)
    assert run.usage.cpu_s is not None
    assert run.usage.cpu_s <= 0.5 * run.wall_s + 0.2, "two periods of the quota more than it may have at most"


@pytest.mark.attack("RES", "timers without end")
def test_timers_end_at_some_number(start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun]) -> None:
    code = """
        timer, count = ctypes.c_void_p(), 0
        while count < 10**6 and libc.timer_create(1, None, ctypes.byref(timer)) == 0: count += 1
        say(count < 10**6, name(ctypes.get_errno()))"""
    run = ended(start(code))
    assert run.breach is Breach.MEMORY or run.stdout.text == "True EAGAIN\n"


@pytest.mark.attack("RES", "orphans that go on when the job has ended")
def test_a_farm_of_orphans_leaves_nothing_on_the_host(
    job: Graded,
    bench: Bench,
    processes_of: Callable[[str], list[str]],
    cgroups_of: Callable[[str], list[str]],
    everything_printed: Callable[[Scorecard], str],
) -> None:
    farm = """
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork(): os._exit(0)
                signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)
        say("sown")"""
    assert everything_printed(job(farm)) == "sown\n"
    assert (processes_of(bench.run.id), cgroups_of(bench.run.id), list(bench.run.folder.glob("tmp*"))) == ([], [], [])


@pytest.mark.attack("RES", "pseudo-terminals of the host")
@pytest.mark.residual
def test_a_box_takes_terminals_from_the_hosts_number(
    start: Callable[..., Sandbox], printed: Callable[[Sandbox, str], None]
) -> None:
    taken = Path("/proc/sys/kernel/pty/nr")
    before = int(taken.read_text())
    sandbox = start("say(*until_it_fails(lambda _: os.open('/dev/ptmx', os.O_RDWR), 40), 'held'); time.sleep(99)")
    printed(sandbox, "held")
    assert int(taken.read_text()) >= before + 20


# Services that are not ready


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory, echo_challenge: Challenge) -> Challenge:
    """The service challenge, with a moment to start."""
    copy = tmp_path_factory.mktemp("challenges") / echo_challenge.id
    manifest = Path(shutil.copytree(echo_challenge.folder, copy)) / "challenge.toml"
    manifest.write_text(manifest.read_text().replace("start_timeout_s = 5", "start_timeout_s = 0.3"))
    return read_challenge(copy)


NOT_READY = {
    "RES a service that never listens": "time.sleep(99)",
    "RES a service that listens and never answers":
        "s = socket.create_server(('', int(os.environ['PORT']))); time.sleep(99)",
    "RES a service that closes its door":
        "s = socket.create_server(('', int(os.environ['PORT']))); s.close(); time.sleep(99)",
    "RES a service that is never ready":
        "def ok(body): return b'HTTP/1.1 503 No\\r\\nContent-Length: 0\\r\\n\\r\\n'",
    "RES a service that is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "RES a service that has ended": "os._exit(0)",
    "RES a service that writes for ever": "while True: os.write(1, b'x' * 65536)",
    "RES a service that forks for ever": "while True:\n    try: os.fork()\n    except OSError: pass",
}  # fmt: skip


@pytest.mark.parametrize("code", NOT_READY.values(), ids=NOT_READY.keys())
def test_a_service_that_is_not_ready_fails_every_check_by_its_own_fault(
    service: Graded, faults: Callable[..., object], all_right: dict[str, None], impatient: Challenge, code: str
) -> None:
    scorecard = service(textwrap.dedent(code), impatient)
    assert faults(scorecard) == dict.fromkeys(all_right, Fault.DID_NOT_START)
