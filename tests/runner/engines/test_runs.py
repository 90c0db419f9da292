"""A runner that is killed with SIGKILL leaves sandboxes behind; the next one finds and removes them."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from runner.bench import Bench, open_bench
from runner.engines.cgroups import find_cgroups
from runner.engines.choose import EngineName, Wish, choose
from runner.engines.docker.container import RUN_LABEL
from runner.engines.protocol import SandboxSpec
from runner.engines.runs import open_run
from runner.engines.sweep import sweep

NothingIsLeft = Callable[[Path, str], None]
BOXES = 4
LIMITS = Limits(64 << 20, 16, 1.0, 1 << 20, 1 << 20, 64, 5.0)
VICTIM = f"""
import os, sys
from pathlib import Path
for group in sys.argv[3:]:
    Path(group, "cgroup.procs").write_text(str(os.getpid()))
from assessments.challenge import Limits
from runner.bench import open_bench
from runner.engines.choose import EngineName, Wish
from runner.engines.protocol import SandboxSpec
limits = {LIMITS!r}
with open_bench(Path(sys.argv[1]), lambda line: None, Wish(EngineName(sys.argv[2]))) as bench:
    # Each box ignores the death of its monitor as far as it can.
    code = "import os, time\\nos.setsid() if os.fork() == 0 else None\\ntime.sleep(3600)"
    spec = SandboxSpec("x", ("/opt/python/bin/python", "-c", code), "/", (), limits)
    boxes = [bench.engine.start(spec) for _ in range({BOXES})]
    print(bench.run.id, flush=True)
    sys.stdin.read()
"""
SUICIDE = """
import os, signal, sys
from pathlib import Path
from runner.engines.runs import open_run
with open_run(Path(sys.argv[1]), docker=sys.argv[2]) as run:
    print(run.id, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="session", params=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    return EngineName(request.param)


@pytest.fixture
def assert_nothing_is_left(cgroups_of: Callable[[str], list[str]]) -> NothingIsLeft:
    def check(state: Path, run_id: str) -> None:
        assert processes_of(run_id) == [], "processes were left"
        assert containers_of(run_id) == [], "containers were left"
        assert not (state / "runs" / run_id).exists()
        assert cgroups_of(run_id) == [], "cgroups were left"

    return check


def test_nothing_is_left_of_a_killed_runner_after_the_next_start(
    bench: Bench, engine_name: EngineName, assert_nothing_is_left: NothingIsLeft
) -> None:
    run_id = killed_runner(bench.state, engine_name)
    before = containers_of(run_id)
    with open_bench(bench.state, print, Wish(engine_name)):
        assert containers_of(run_id) == []
    assert len(before) == (BOXES if engine_name is EngineName.DOCKER else 0)
    assert_nothing_is_left(bench.state, run_id)


@pytest.mark.parametrize("engine_name", [EngineName.DOCKER], indirect=True)
def test_the_next_start_may_use_another_engine(
    bench: Bench, engine_name: EngineName, assert_nothing_is_left: NothingIsLeft
) -> None:
    run_id = killed_runner(bench.state, engine_name)
    with open_bench(bench.state, print, Wish(EngineName.BUBBLEWRAP)):
        assert containers_of(run_id) == []
    assert_nothing_is_left(bench.state, run_id)


def test_what_a_living_run_has_started_is_left_alone(bench: Bench) -> None:
    command = ("/opt/python/bin/python", "-c", "print(input())")
    waits = ("/opt/python/bin/python", "-c", "import time; time.sleep(3600)")
    box = bench.engine.start(SandboxSpec("x", waits, "/", (), LIMITS))
    try:
        with open_bench(bench.state, print, Wish(EngineName.BUBBLEWRAP)):
            sweep(bench.state, getattr(bench.engine, "daemon", None))
            assert box.wait(0) is None, "the sweep ended a living run's sandbox"
            assert bench.run.folder.is_dir()
        after = bench.engine.start(SandboxSpec("x", command, "/", (), LIMITS, stdin=b"fine\n")).wait(20)
        assert after is not None
        assert after.stdout.text == "fine\n"
    finally:
        box.kill()


@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)
@pytest.mark.usefixtures("needs_cgroups")
def test_nothing_is_left_of_a_runner_that_stood_in_other_cgroups_than_the_next(
    bench: Bench, engine_name: EngineName, assert_nothing_is_left: NothingIsLeft
) -> None:
    cgroups = find_cgroups()
    assert cgroups is not None
    if cgroups.version == 2:
        pytest.skip("in version 2 a group that hands controllers down holds no process, so none can be put beside it")
    with contextlib.ExitStack() as elsewhere:
        groups = [elsewhere.enter_context(new_group(parent)) for parent in cgroups.parents]
        run_id = killed_runner(bench.state, engine_name, *groups)
        with open_bench(bench.state, print, Wish(engine_name)):
            pass
        assert_nothing_is_left(bench.state, run_id)


@contextlib.contextmanager
def new_group(parent: Path) -> Iterator[Path]:
    """A version 1 group beside ours that processes can be put in."""
    group = parent / f"elsewhere-{os.getpid()}"
    group.mkdir()
    try:
        for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new group, which takes no process before both are set
            if (group / name).exists():
                (group / name).write_text((parent / name).read_text())
        yield group
    finally:
        remove_when_empty(group)


def remove_when_empty(group: Path) -> None:
    """The killed runner's nursery was in it too, and ends as soon as it reads that its runner has."""
    deadline = time.monotonic() + 5
    while (group / "cgroup.procs").read_text():
        assert time.monotonic() < deadline, f"{group} did not empty"
        time.sleep(0.01)
    group.rmdir()


def test_a_sweep_leaves_living_runs_alone(built_state: Path) -> None:
    with open_run(built_state) as run:
        sweep(built_state)
        assert run.folder.is_dir()
    assert not run.folder.exists()


def test_a_dead_run_waits_for_a_docker_engine_that_does_not_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "docker.sock"))
        silent.listen()
        url = f"unix://{tmp_path}/docker.sock"
        folder = dead_run(tmp_path / "state", url)
        swept = sweep(tmp_path / "state")
        assert (swept.runs, swept.waiting) == (0, (url,))
        assert url in str(swept)
        assert folder.is_dir(), "nobody would know any more that containers may be left"


def test_a_sweep_waits_for_the_one_that_has_taken_a_dead_run_over(tmp_path: Path) -> None:
    """It would pass the run over as owned, and come back with everything of it still there."""
    address = tmp_path / "docker.sock"
    folder = dead_run(tmp_path / "state", f"unix://{address}")
    with ThreadPoolExecutor() as pool:
        with socket.socket(socket.AF_UNIX) as silent:
            silent.bind(str(address))
            silent.listen()
            first = pool.submit(sweep, tmp_path / "state")
            connection, _ = silent.accept()
            second = pool.submit(sweep, tmp_path / "state")
            wait_for_a_waiter(folder.parent)
            address.unlink()
        connection.close()
        assert (first.result().runs, first.result().waiting) == (0, (f"unix://{address}",))
        assert second.result().runs == 1
    assert not folder.exists()


def wait_for_a_waiter(locked: Path) -> None:
    """Until somebody waits for the lock of a file, as the kernel tells it."""
    deadline = time.monotonic() + 10
    while not any(
        f":{locked.stat().st_ino} " in line for line in Path("/proc/locks").read_text().split("\n") if "->" in line
    ):
        assert time.monotonic() < deadline, f"nobody waits for {locked}"
        time.sleep(0.01)


def test_a_dead_run_is_forgotten_with_its_docker_engine(tmp_path: Path) -> None:
    folder = dead_run(tmp_path / "state", f"unix://{tmp_path}/gone.sock")
    swept = sweep(tmp_path / "state")
    assert (swept.runs, swept.waiting) == (1, ())
    assert not folder.exists()


def dead_run(state: Path, docker: str) -> Path:
    """The folder of a run whose runner has killed itself."""
    done = subprocess.run([sys.executable, "-c", SUICIDE, state, docker], capture_output=True, text=True, check=False)
    folder = state / "runs" / done.stdout.strip()
    assert (done.returncode, folder.is_dir()) == (-signal.SIGKILL, True), done.stderr
    return folder


def killed_runner(state: Path, engine: EngineName, *groups: Path) -> str:
    """The run of a runner that was killed when it had started its sandboxes, in these cgroups if any."""
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(state), engine, *map(str, groups)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert victim.stdout is not None
    run_id = victim.stdout.readline().strip()
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    assert run_id, "the victim did not get as far as starting its sandboxes"
    return run_id


def containers_of(run_id: str) -> list[str]:
    """What the Docker engine holds of a run; nothing where none answers."""
    try:
        daemon = choose(Wish(EngineName.DOCKER)).daemon
    except InfrastructureError:
        return []
    assert daemon is not None
    with contextlib.closing(daemon):
        return [container for container, _ in daemon.containers([f"{RUN_LABEL}={run_id}"])]


def processes_of(run_id: str) -> list[bytes]:
    """Processes with the run's marker; a killed one may take a moment to be reaped by whoever adopted it."""
    deadline = time.monotonic() + 5
    while True:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if f"assay:{run_id}:".encode() in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                    found.append((entry / "cmdline").read_bytes())
            except OSError:
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.01)
