"""Neighbours, and what is left for the next one: hostile sandboxes at once, one after another, and orphaned."""

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assessments.observation import Breach, SandboxRun
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from runner.bench import Bench, open_bench
from runner.engines.choose import EngineName, Wish
from runner.engines.protocol import Mount, Sandbox

Graded = Callable[..., Scorecard]
Start = Callable[..., Sandbox]
Ended = Callable[[Sandbox], SandboxRun]
Printed = Callable[[Sandbox, str], None]
HONEST = "print(sum(map(int, sys.stdin.read().split())))"

# What the first sandbox does and goes on doing, what the second tries, and what that one must print.
PAIRS = {
    "CON seeing the processes of a neighbour": ("pass", """
        seen = [int(one) for one in os.listdir("/proc") if one.isdigit()]
        say(len(seen), any("he" + "ld" in open(f"/proc/{one}/cmdline").read() for one in seen))""",
        "2 False"),
    "CON files of a neighbour": ("""
        for folder in ("/tmp", "/dev/shm", "/outputs"): open(folder + "/left", "w").write("x")""",
        "say(*os.listdir('/tmp'), *os.listdir('/dev/shm'), *os.listdir('/outputs'))", ""),
    "CON filling a neighbour's scratch": (
        "until_it_fails(lambda n: open(f'/tmp/{n}', 'wb').write(bytes(1 << 20)), 99)",
        "say(attempt(lambda: open('/tmp/x', 'wb').write(bytes(3 << 20))))", "done"),
    "CON taking a neighbour's processes": ("until_it_fails(lambda _: os.fork() or time.sleep(99), 99)", """
        children = []
        say(attempt(lambda: [children.append(os.fork() or os._exit(0)) for _ in range(9)]))""", "done"),
    "CON taking a neighbour's descriptors and watches": (
        "until_it_fails(lambda _: os.dup(0), 20); [libc.inotify_init1(0) for _ in range(30)]",
        "say(*{libc.inotify_init1(0) > 2 for _ in range(30)})", "True"),
    "CON a neighbour's port": ("""
        kept = socket.create_server(("0.0.0.0", 8000))""", """
        say(attempt(socket.socket().connect, ("127.0.0.1", 8000)))""", "ECONNREFUSED"),
    "CON taking a neighbour's port": ("""
        kept = socket.create_server(("0.0.0.0", 8000))""", """
        say(attempt(socket.create_server, ("0.0.0.0", 8000)))""", "done"),
    "CON a neighbour's socket that has a name and no file": ("""
        kept = socket.socket(socket.AF_UNIX); kept.bind("\\0here"); kept.listen()""", """
        say(attempt(socket.socket(socket.AF_UNIX).connect, "\\0here"))""", "ECONNREFUSED"),
    "CON taking a neighbour's processor": ("""
        for _ in range(8): os.fork() or [None for _ in iter(int, 1)]""", """
        say("done")""", "done"),
}  # fmt: skip


@pytest.mark.parametrize(("first", "second", "said"), PAIRS.values(), ids=PAIRS.keys())
def test_a_neighbour_has_nothing_of_it(
    start: Start, ended: Ended, printed: Printed, first: str, second: str, said: str
) -> None:
    holding = start(textwrap.dedent(first) + "\nos.write(1, b'held'); time.sleep(99)")
    printed(holding, "held")
    assert ended(start(second)).stdout.text.strip() == said
    assert holding.wait(0) is None


@pytest.mark.attack("CON", "signals to a neighbour")
def test_no_signal_reaches_a_neighbour(start: Start, ended: Ended, printed: Printed) -> None:
    neighbour = start("say('held'); time.sleep(99)")
    printed(neighbour, "held")
    shot = "for pid in (*range(2, 5000), -1):\n if pid != os.getpid(): attempt(os.kill, pid, signal.SIGKILL)"
    ended(start(shot))
    assert neighbour.wait(0.05) is None


@pytest.mark.attack("CON", "being the same user as a neighbour")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each box a user of its own")
def test_two_at_once_are_two_users(start: Start, printed: Printed) -> None:
    users = []
    for _ in range(2):
        sandbox = start("say(os.getuid(), open('/proc/self/mountinfo').read(), 'told'); time.sleep(99)")
        printed(sandbox, "told")
        text = sandbox.output()[0].decode()
        inside = int(text.split()[0])
        users.append({inside} if inside != 65534 else set(map(int, re.findall(r"tmpfs rw,.*?uid=([0-9]+)", text))))
    assert users[0]
    assert users[1]
    assert not users[0] & users[1]


BESIDE = {
    "CON a fork bomb beside an honest job": "while True: attempt(os.fork)",
    "CON a flood of output beside an honest job": "while True: os.write(1, b'x' * 65536)",
    "CON a flood of files beside an honest job": """
        while True:
            until_it_fails(lambda n: os.close(os.open(f"/tmp/{n}", os.O_CREAT)))
            for one in os.listdir("/tmp"): os.unlink("/tmp/" + one)""",
}


@pytest.mark.parametrize("code", BESIDE.values(), ids=BESIDE.keys())
def test_an_honest_job_earns_its_points_beside_it(start: Start, job: Graded, code: str) -> None:
    hostile = start(code, output_bytes=1 << 40)
    assert job(HONEST).results[0].outcome is Outcome.PASSED
    hostile.kill()


@pytest.mark.attack("CON", "memory without end beside an honest job")
@pytest.mark.needs_control("memory")
def test_an_honest_job_earns_its_points_beside_one_that_eats_memory(start: Start, ended: Ended, job: Graded) -> None:
    hostile = start("kept = []\nwhile True: kept.append(bytearray(1 << 20))")
    assert job(HONEST).results[0].outcome is Outcome.PASSED
    assert ended(hostile).breach is Breach.MEMORY


@pytest.mark.attack("CON", "several jobs at once that each try to answer for the others")
def test_each_of_several_at_once_has_its_own_output(start: Start, ended: Ended) -> None:
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(lambda n: ended(start(f"for _ in range(999): say({n})")), range(4)))
    assert [set(run.stdout.text.split()) for run in runs] == [{str(n)} for n in range(4)]


LEAVES = """
    places = ("/tmp", "/dev/shm", "/outputs", os.environ["HOME"], "/var/tmp", "/run")
    say(*(one for place in places for one in os.listdir(place) if place != "/run" or one != "stdin"))
    for place in places: attempt(open, place + "/left", "w")
"""


@pytest.mark.attack("CON", "handing in again to find what the first time left")
def test_handing_in_again_finds_nothing_of_the_first_time(job: Graded) -> None:
    first, second = job(LEAVES), job(LEAVES)
    assert (first.runs[0].stdout.text, second.runs[0].stdout.text) == ("\n", "\n")
    assert first.submission.tree_digest == second.submission.tree_digest
    assert first.id != second.id


KILLED = """
import os, signal, sys
from pathlib import Path
from assessments.challenge import Limits
from runner.bench import open_bench
from runner.engines.choose import EngineName, Wish
from runner.engines.protocol import SandboxSpec
limits = Limits(64 << 20, 16, 1.0, 4 << 20, 1 << 17, 64, 60.0)
code = "import os, time\\nos.setsid() if os.fork() == 0 else 0\\ntime.sleep(600)"
with open_bench(Path(sys.argv[1]), lambda line: None, Wish(EngineName(sys.argv[2]))) as bench:
    bench.engine.start(SandboxSpec("killed", ("/opt/python/bin/python", "-c", code), "/tmp", (), limits))
    print(bench.run.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.attack("CON", "going on when the runner has been killed")
def test_nothing_of_a_killed_runner_goes_on_after_the_next_start(
    bench: Bench, engine_name: EngineName, processes_of: Callable[[str], list[str]]
) -> None:
    killed = subprocess.run(
        [sys.executable, "-P", "-c", KILLED, bench.state, engine_name],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    run_id = killed.stdout.strip()
    assert run_id, killed.stderr
    with open_bench(bench.state, print, Wish(engine_name)):
        assert processes_of(run_id) == []
    assert not (bench.state / "runs" / run_id).exists()


# What is not contained, and known


@pytest.mark.attack("CON", "whispering to a neighbour by locks on a file that both may read")
@pytest.mark.residual
def test_two_at_once_can_lock_the_same_shared_file(
    start: Start, ended: Ended, printed: Printed, visible_folder: Path
) -> None:
    (visible_folder / "word.txt").write_text("shared")
    shared = (Mount(visible_folder, "/assets"),)
    lock = "fcntl.flock(os.open('/assets/word.txt', os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)"
    first = start(f"{lock}; say('held'); time.sleep(99)", mounts=shared)
    printed(first, "held")
    assert ended(start(f"say(attempt(lambda: {lock}))", mounts=shared)).stdout.text == "EAGAIN\n"


SEEN = {
    "CON the host's memory": ("open('/proc/meminfo').readline().split()[1]",
        lambda: Path("/proc/meminfo").read_text().split()[1]),
    "CON the host's number of processors": ("os.cpu_count()", lambda: str(os.cpu_count())),
    "CON the host's kernel": ("os.uname().release", lambda: os.uname().release),
    "CON when the host was started": ("next(line for line in open('/proc/stat') if 'btime' in line).split()[1]",
        lambda: re.findall(r"btime (\d+)", Path("/proc/stat").read_text())[0]),
    "CON the host's and neighbours' load": ("len(open('/proc/loadavg').read().split()) > 3", lambda: "True"),
}  # fmt: skip


@pytest.mark.residual
@pytest.mark.parametrize(("look", "there"), SEEN.values(), ids=SEEN.keys())
def test_a_little_of_the_host_can_be_seen(start: Start, ended: Ended, look: str, there: Callable[[], str]) -> None:
    assert ended(start(f"say({look})")).stdout.text.strip() == there()
