"""However runs end, killed, interrupted, two at once: every submission has the scorecard that it would have had."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from assessments.assessment import Assessment
from assessments.manifest import read_challenge
from runner.cohort.add import add
from runner.cohort.make import make_cohort
from runner.store import attempts, submissions
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.places import keys_folder
from runner.store.store import Store, open_store
from runner.submissions_file import Listed

SAMPLES = Path(__file__).resolve().parents[1] / "sample_challenges"
ASSAY = (sys.executable, "-m", "runner.cli.main")
PROGRAMS = {
    "right": "print(sum(map(int, input().split())))\n",
    "wrong": "print(0)\n",
    "crashing": "raise SystemExit('it does not work')\n",
    "vanishing": "import os\nos._exit(0)\n",
}
NUMBER = 12
EXPECTED = {
    f"{name} {number}": "passed" if name == "right" else "failed"
    for number in range(NUMBER // len(PROGRAMS))
    for name in PROGRAMS
}


@pytest.fixture
def state(built_state: Path, visible_folder: Path) -> Path:
    """A state folder of its own, with what is slow to build in it."""
    return furnished(visible_folder, built_state)


def furnished(state: Path, built_state: Path) -> Path:
    for name in ("rootfs", "environments", "programs"):
        if (built_state / name).is_dir():
            (state / name).symlink_to(built_state / name)
    return state


@pytest.fixture
def store(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("ASSAY_DATABASE", raising=False)
    monkeypatch.delenv("ASSAY_ARTEFACTS", raising=False)
    with open_store(state) as opened:
        yield opened


@pytest.fixture
def cohort(store: Store, role_of: Callable[..., Assessment], tmp_path: Path) -> Kept:
    return made_cohort(store, role_of("add-numbers"), tmp_path)


def made_cohort(store: Store, assessment: Assessment, tmp_path: Path) -> Kept:
    """Twelve small submissions wait."""
    kept = make_cohort(store, "spring", assessment, doing_now(), challenges=SAMPLES, uncertified_allowed=True)
    challenge = read_challenge(SAMPLES / "add-numbers")
    for each in EXPECTED:
        folder = tmp_path / "handed-in" / each
        folder.mkdir(parents=True)
        (folder / "main.py").write_text(f"# {each}\n{PROGRAMS[each.split()[0]]}")
        add(store, kept, Listed(each, challenge.id, folder, None, each), challenge, doing_now())
    return kept


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, "ASSAY_STATE": str(state), "ASSAY_CHALLENGES": str(SAMPLES)}


@contextmanager
def running(state: Path) -> Iterator["subprocess.Popen[str]"]:
    """A run of two lanes that tells what happens, in a group of its own as a terminal would have it."""
    with subprocess.Popen(
        [*ASSAY, "cohort", "run", "spring", "--allow-unenforced", "--lanes", "2", "--json"],
        env=environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def await_events(process: "subprocess.Popen[str]", kind: str, number: int) -> None:
    """Read on until so many of this kind were told."""
    assert process.stdout
    for line in process.stdout:
        number -= json.loads(line)["kind"] == kind
        if number == 0:
            return
    pytest.fail(f"the run ended before it told of so many {kind}")


def gradings(process: "subprocess.Popen[str]") -> int:
    """How many landed of a run, from here to its end."""
    assert process.stdout
    kinds = [json.loads(line)["kind"] for line in process.stdout]
    assert "lost" not in kinds
    return kinds.count("graded")


def counted(store: Store, kept: Kept) -> Counts:
    with store.database.reading() as connection:
        return attempts.count(connection, kept.id)


def assert_undisturbed(store: Store, kept: Kept) -> None:
    """Everything is graded, once, and as it would have been; and the store fits together."""
    with store.database.reading() as connection:
        cards = {one.candidate: one.scorecard for one in submissions.listed(connection, kept)}
    assert {name: card and str(card.checks[0].outcome) for name, card in cards.items()} == EXPECTED
    found = check(store)
    assert (found.problems, found.submissions, found.scorecards) == ((), NUMBER, NUMBER)


MOMENTS = [("started", 1), ("graded", 1), ("graded", 5)]


def test_killed_again_and_again_a_cohort_is_graded_to_its_end(store: Store, cohort: Kept, state: Path) -> None:
    landed = 0
    for kind, number in MOMENTS:
        if kind == "started" or number <= NUMBER - landed:
            with running(state) as process:
                await_events(process, kind, number)
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(20)
        stands = counted(store, cohort)
        assert stands.ended >= landed, "nothing that had landed is lost"
        landed = stands.ended
        assert stands.ended + stands.open == NUMBER
    with running(state) as process:
        assert gradings(process) == NUMBER - landed, "nothing is graded twice"
        assert process.wait(20) == 0
    assert_undisturbed(store, cohort)


def test_ctrl_c_once_ends_what_is_under_way_and_twice_ends_at_once(store: Store, cohort: Kept, state: Path) -> None:
    with running(state) as process:
        await_events(process, "started", 2)
        os.killpg(process.pid, signal.SIGINT)
        gradings(process)
        assert process.wait(20) == 130
    once = counted(store, cohort)
    assert (once.running, once.held) == (0, 0)
    assert 0 < once.ended < NUMBER
    with running(state) as process:
        await_events(process, "started", 1)
        os.killpg(process.pid, signal.SIGINT)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(20) == 130
    twice = counted(store, cohort)
    assert (twice.running, twice.held) == (0, 0), "what was under way waits again"
    with running(state) as process:
        assert gradings(process) == NUMBER - twice.ended
        assert process.wait(20) == 0
    assert_undisturbed(store, cohort)


def test_two_runs_at_once_share_a_cohort(store: Store, cohort: Kept, state: Path) -> None:
    with running(state) as one, running(state) as other:
        assert gradings(one) + gradings(other) == NUMBER
        assert (one.wait(20), other.wait(20)) == (0, 0)
    assert_undisturbed(store, cohort)


@pytest.fixture
def shared_store(
    state: Path, tmp_path: Path, postgresql: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Store]:
    """A store that several hosts use: PostgreSQL, and a folder of artefacts."""
    monkeypatch.setenv("ASSAY_DATABASE", postgresql())
    monkeypatch.setenv("ASSAY_ARTEFACTS", str(tmp_path / "artefacts"))
    with open_store(state) as opened:
        yield opened


def test_two_hosts_share_a_cohort_and_one_of_them_is_killed(
    shared_store: Store, state: Path, built_state: Path, role_of: Callable[..., Assessment], tmp_path: Path
) -> None:
    """A state folder stands for a host: neither can see the other's locks. The killed one goes on once it is back."""
    cohort = made_cohort(shared_store, role_of("add-numbers"), tmp_path)
    with tempfile.TemporaryDirectory(prefix="other-host-", dir=built_state) as folder:
        Path(folder).chmod(0o755)
        other = furnished(Path(folder), built_state)
        shutil.copytree(keys_folder(state), keys_folder(other))
        with running(state) as one, running(other) as two:
            await_events(one, "started", 1)
            os.killpg(one.pid, signal.SIGKILL)
            one.wait(20)
            with running(state) as again:
                gradings(again)
                gradings(two)
                assert (again.wait(20), two.wait(20)) == (0, 0)
    assert_undisturbed(shared_store, cohort)
