"""A cohort whose budgets are measured has canaries: the reference, graded as if it were a candidate's."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from assessments.assessment import Assessment
from assessments.errors import InfrastructureError
from assessments.manifest import read_challenge
from runner.bench import Bench
from runner.cohort.add import add
from runner.cohort.make import make_cohort
from runner.cohort.owner import place_of
from runner.cohort.progress import Event, EventKind
from runner.cohort.run import Stop, Work, run
from runner.store import attempts, canaries, submissions
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.store import Store
from runner.submissions_file import Listed

TESTS = Path(__file__).resolve().parents[2]
TIMED = TESTS / "sample_challenges/timed-service"

Made = Callable[..., tuple[Kept, Callable[[], list[Event]]]]


@pytest.fixture
def timed(module_at: Callable[[Path], ModuleType]) -> ModuleType:
    return module_at(TESTS / "sample_challenges/timed.py")


@pytest.fixture
def challenges(tmp_path: Path) -> Path:
    """The timed service, to be spoiled, and measured as little as can be: what comes of it does not matter here."""
    shutil.copytree(TIMED, tmp_path / "challenges/timed-service")
    manifest = tmp_path / "challenges/timed-service/challenge.toml"
    least = "warm_up_s = 0\nblock_s = 0.2\npairs_min = 5\npairs_max = 5\ntries = 1\n"
    manifest.write_text(manifest.read_text().replace("warm_up_s = 0.5\n", least))
    return tmp_path / "challenges"


@pytest.fixture
def graded(
    store: Store,
    challenges: Path,
    role_of: Callable[..., Assessment],
    timed: ModuleType,
    bench: Bench,
    tmp_path: Path,
) -> Made:
    """Makes a cohort of right services, one of each candidate, and gives what runs it: a canary after every second."""

    def made(*candidates: str) -> tuple[Kept, Callable[[], list[Event]]]:
        assessment = role_of("timed-service")
        kept = make_cohort(store, "spring", assessment, doing_now(), challenges=challenges, uncertified_allowed=True)
        challenge = read_challenge(challenges / "timed-service")
        for name in candidates:
            (tmp_path / name).mkdir()
            (tmp_path / name / "main.py").write_text(timed.version()["main.py"])
            add(store, kept, Listed(name, challenge.id, tmp_path / name, None, name), challenge, doing_now())
        events: list[Event] = []

        def run_it() -> list[Event]:
            work = Work(kept, {challenge.id: challenge}, 1, unenforced_allowed=True, canary_every=2)
            run(store, bench, work, events.append, Stop())
            return events

        return kept, run_it

    return made


def test_where_the_reference_fails_the_run_ends_with_an_alarm_and_what_it_graded_waits_again(
    store: Store, challenges: Path, timed: ModuleType, graded: Made
) -> None:
    spoiled = timed.version(WRONG_EVERY=2)["main.py"]
    (challenges / "timed-service/solutions/accepted/reference/main.py").write_text(spoiled)
    kept, run_it = graded("ann")
    with pytest.raises(InfrastructureError, match=r"(?s)ALARM.* failed 'proves': .*1 grading will be made"):
        run_it()
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id) == Counts(waiting=1)
        (one,) = submissions.listed(connection, kept)
        assert one.scorecard is None
    assert check(store).problems == ()


def test_where_it_does_not_fail_what_was_measured_is_vouched_for(store: Store, graded: Made) -> None:
    kept, run_it = graded("ann", "bob", "cem")
    told = [(event.kind, event.candidate) for event in run_it() if event.kind is not EventKind.STARTED]
    assert told == [
        (EventKind.GRADED, "ann"),
        (EventKind.GRADED, "bob"),
        (EventKind.CANARY, "canary"),
        (EventKind.GRADED, "cem"),
        (EventKind.CANARY, "canary"),
        (EventKind.FINISHED, ""),
    ]
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id) == Counts(ended=3)
        assert not canaries.any_unvouched(connection, kept, place_of(store.folder))
    again = run_it()
    assert [event.kind for event in again].count(EventKind.CANARY) == 2, "those before: it needs no other"
