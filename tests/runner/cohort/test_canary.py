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
from runner.cohort.progress import Event, EventKind
from runner.cohort.run import Stop, Work, run
from runner.store import attempts, submissions
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.store import Store
from runner.submissions_file import Listed

TESTS = Path(__file__).resolve().parents[2]
TIMED = TESTS / "sample_challenges/timed-service"

Made = Callable[[], tuple[Kept, Callable[[], list[Event]]]]


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
    """Makes a cohort of one right service, and gives what runs it."""

    def made() -> tuple[Kept, Callable[[], list[Event]]]:
        assessment = role_of("timed-service")
        kept = make_cohort(store, "spring", assessment, doing_now(), challenges=challenges, uncertified_allowed=True)
        challenge = read_challenge(challenges / "timed-service")
        (tmp_path / "work").mkdir()
        (tmp_path / "work/main.py").write_text(timed.version()["main.py"])
        add(store, kept, Listed("ann", challenge.id, tmp_path / "work", None, "ann"), challenge, doing_now())
        events: list[Event] = []

        def run_it() -> list[Event]:
            work = Work(kept, {challenge.id: challenge}, 1, unenforced_allowed=True)
            run(store, bench, work, events.append, Stop())
            return events

        return kept, run_it

    return made


def test_where_the_reference_fails_the_run_ends_with_an_alarm_and_what_it_graded_waits_again(
    store: Store, challenges: Path, timed: ModuleType, graded: Made
) -> None:
    spoiled = timed.version(WRONG_EVERY=2)["main.py"]
    (challenges / "timed-service/solutions/accepted/reference/main.py").write_text(spoiled)
    kept, run_it = graded()
    with pytest.raises(InfrastructureError, match=r"(?s)ALARM.* failed 'proves': .*1 grading will be made"):
        run_it()
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id) == Counts(waiting=1)
        (one,) = submissions.listed(connection, kept)
        assert one.scorecard is None
    assert check(store).problems == ()


def test_where_it_does_not_fail_what_was_measured_is_vouched_for(store: Store, graded: Made) -> None:
    kept, run_it = graded()
    events = run_it()
    told = [(event.kind, event.candidate) for event in events]
    assert told == [
        (EventKind.STARTED, "ann"),
        (EventKind.GRADED, "ann"),
        (EventKind.STARTED, "canary"),
        (EventKind.CANARY, "canary"),
        (EventKind.FINISHED, ""),
    ]
    assert events[3].text == "did not fail"
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id) == Counts(ended=1)
    assert [event.kind for event in run_it()[5:]] == [EventKind.FINISHED], "and needs no other canary"
