"""However a runner ends, nothing of it is left: killed, by the next start; interrupted, by itself and at once."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from runner.bench import open_bench
from runner.engines.choose import ENGINE_VARIABLE, EngineName, Wish

TIMED = Path(__file__).resolve().parents[1] / "sample_challenges/timed-service"
CHAOS = Path(__file__).resolve().parents[2] / "benchmarks/chaos.py"
KILLS, SEED = 10, 20
LANES = 4
GONE_WITHIN_S = 10.0
"""An engine on a busy host takes some seconds to end four sandboxes; to wait for one of them takes a minute."""


def test_the_next_start_finds_everything_that_killed_runners_left(engine: EngineName) -> None:
    """In a process of its own, whose descendants are the runners' and nobody else's."""
    asked = ["--engine", engine.value, "--kills", str(KILLS), "--seed", str(SEED)]
    done = subprocess.run([sys.executable, CHAOS, *asked], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{engine.value}, after it: 0 processes, 0 cgroups, 0 containers" in done.stdout
    assert "left nothing" in done.stderr
    assert re.search(r"left [1-9]", done.stderr), "no kill left anything, so nothing was tried"


NEVER_ENDING = {
    "deaf": """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(1)""",
    "orphans": """
        for _ in range(8):
            if os.fork() == 0:
                os.setsid()
                if os.fork(): os._exit(0)
        time.sleep(99)""",
    "fork-bomb": """
        while True:
            try: os.fork()
            except OSError: pass""",
    "stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
}


@pytest.fixture
def never_ending(tmp_path: Path) -> list[Path]:
    """Four submissions of each kind: in four lanes they keep a runner busy for four minutes."""
    paths = []
    for number in range(4):
        for name, code in NEVER_ENDING.items():
            folder = tmp_path / f"{name}-{number}"
            folder.mkdir()
            lines = (line.removeprefix(" " * 8) for line in code.strip("\n").splitlines())
            (folder / "main.py").write_text("import os, signal, time\n" + "\n".join(lines))
            paths.append(folder)
    return paths


def press_ctrl_c(process: "subprocess.Popen[str]") -> None:
    """A terminal sends it to the whole group, the engine's own processes in it too."""
    os.killpg(process.pid, signal.SIGINT)


def terminate(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [press_ctrl_c, terminate])
def test_an_interrupted_runner_ends_at_once_and_leaves_nothing(
    own_state: Path,
    tmp_path: Path,
    chaos: ModuleType,
    engine: EngineName,
    sum_copy: Path,
    never_ending: list[Path],
    end: Callable[["subprocess.Popen[str]"], None],
) -> None:
    manifest = sum_copy / "challenge.toml"
    patient = manifest.read_text().replace("job_s = 2", "job_s = 60") + "time_limit_s = 100\n"
    assert "job_s = 60" in patient
    manifest.write_text(patient)
    with chaos.watching(own_state, engine) as watch:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "runner.cli.main", "grade", *map(str, never_ending)),
                *("--challenge", str(sum_copy)),
                *("--lanes", str(LANES), "--allow-unenforced", "--out", str(tmp_path / "out")),
            ],
            env={**os.environ, "ASSAY_STATE": str(own_state), ENGINE_VARIABLE: engine},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            await_sandboxes(own_state, process)
            ended_at = time.monotonic()
            end(process)
            process.wait(20)
            seconds = time.monotonic() - ended_at
        finally:
            process.kill()
            said, _ = process.communicate()
        assert process.returncode == 130, said
        assert "assay: interrupted" in said
        assert watch.until_clean(time.monotonic() + chaos.CLEAN_WITHIN_S) == {}
        assert seconds < GONE_WITHIN_S, f"it took {seconds:.2f} s to end"


def test_a_runner_that_is_killed_while_it_measures_leaves_nothing_frozen(
    own_state: Path, tmp_path: Path, chaos: ModuleType, engine: EngineName
) -> None:
    """On version 1 of the control groups a frozen process does not die of SIGKILL: a sweep has to know that."""
    reference = TIMED / "solutions/accepted/reference"
    with chaos.watching(own_state, engine) as watch:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "runner.cli.main", "grade", str(reference), "--challenge", str(TIMED)),
                *("--allow-unenforced", "--out", str(tmp_path / "out")),
            ],
            env={**os.environ, "ASSAY_STATE": str(own_state), ENGINE_VARIABLE: engine},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            deadline = time.monotonic() + 120
            while not frozen_groups(marks_of(own_state, watch)):
                assert process.poll() is None, f"it ended before it measured: {process.communicate()[0]}"
                assert time.monotonic() < deadline, "it did not get as far as measuring"
                time.sleep(0.002)
        finally:
            process.kill()
            process.communicate()
        assert watch.leftovers(), "a killed runner left nothing, so nothing was tried"
        with open_bench(own_state, print, Wish(engine)):
            left = watch.until_clean(time.monotonic() + chaos.CLEAN_WITHIN_S, a_living_run_has={"processes", "folders"})
            assert left == {}
        assert watch.until_clean(time.monotonic() + chaos.CLEAN_WITHIN_S) == {}


def marks_of(state: Path, watch: Any) -> list[str]:
    """What the names of the control groups of this state folder's run hold; other tests measure meanwhile."""
    runs = [f"assay-{folder.name}-" for folder in (state / "runs").glob("[!.]*")]
    return [*runs, *watch.leftovers().get("containers", [])]


def frozen_groups(marks: Sequence[str]) -> list[Path]:
    """Control groups of either version, with one of these marks in their path, that stand still."""
    found = []
    for folder, _, files in os.walk("/sys/fs/cgroup"):
        if not any(mark in folder for mark in marks):
            continue
        if "freezer.state" in files and is_said(Path(folder, "freezer.state"), "FROZEN"):
            found.append(Path(folder))
        if "cgroup.events" in files and is_said(Path(folder, "cgroup.events"), "frozen 1"):
            found.append(Path(folder))
    return found


def is_said(file: Path, words: str) -> bool:
    try:
        return words in file.read_text()
    except OSError:  # the group has just gone
        return False


def await_sandboxes(state: Path, process: "subprocess.Popen[str]") -> None:
    """Wait until there is a sandbox under way in each lane."""
    deadline = time.monotonic() + 300  # another test may be measuring, for which all lanes of this host stand still
    while len(sandboxes(state)) < LANES:
        assert process.poll() is None, f"it ended before it was told to: {process.communicate()[0]}"
        assert time.monotonic() < deadline, "it did not get as far as having a sandbox in each lane"
        time.sleep(0.005)


def sandboxes(state: Path) -> set[str]:
    """The names of the living sandboxes of the state folder's one run, by the marks of their processes."""
    marks = tuple(f"assay:{folder.name}:" for folder in (state / "runs").glob("[!.]*"))
    found: set[str] = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:
            continue
        found.update(word for word in words if marks and word.startswith(marks))
    return found
