"""What is purged is gone, all of it and nothing else, also where somebody pulls the plug midway."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError, UsageError
from runner.cohort import purge as purging
from runner.cohort.add import Added, add
from runner.cohort.make import make_cohort
from runner.cohort.owner import owner_of
from runner.cohort.progress import Event
from runner.cohort.purge import Purged, purge
from runner.cohort.regrade import Wanted, order_regrade
from runner.engines.runs import Run, open_run
from runner.store import attempts, cohorts
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.schema import FINGERPRINTS
from runner.store.store import Store
from runner.submissions_file import Listed

HandIn = Callable[..., Added]
Graded = Callable[..., tuple[Counts, list[Event]]]
SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"


@pytest.fixture
def another(store: Store, kept: Kept) -> Kept:
    """A second cohort of the same assessment."""
    return make_cohort(
        store, "autumn", kept.cohort.assessment, doing_now(), challenges=SAMPLES, uncertified_allowed=True
    )


@pytest.fixture
def listed(tmp_path: Path) -> Listed:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/main.py").write_text("print(1)\n")
    return Listed("ann", "add-numbers", tmp_path / "work", None, "line 1")


def take(store: Store, kept: Kept, owner: str, regrade_id: int | None = None) -> None:
    with store.database.writing() as connection:
        assert attempts.claim(connection, kept.id, owner, doing_now(), regrade_id)


def test_a_purge_leaves_nothing_of_what_was_handed_in_and_a_log_that_fits(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded, another: Kept
) -> None:
    hand_in("ann")
    graded()
    purge(store, kept, doing_now())
    with store.database.reading() as connection:
        assert connection.execute(FINGERPRINTS.select()).all() == []
    assert set(store.artefacts.digests()) == set(another.starters.values())
    found = check(store)
    assert (found.problems, found.submissions, found.unclaimed) == ((), 0, 0)


def test_what_comes_after_a_purge_is_not_taken_for_what_was_purged(
    store: Store,
    kept: Kept,
    hand_in: HandIn,
    graded: Graded,
    another: Kept,
    listed: Listed,
    challenges: dict[str, Challenge],
) -> None:
    """The log names rows by their ids: one that was given twice would be two submissions' in it."""
    hand_in("ann")
    graded()
    purge(store, kept, doing_now())
    add(store, another, listed, challenges["add-numbers"], doing_now())
    assert check(store).problems == ()
    with store.database.writing() as connection:
        claim = attempts.claim(connection, another.id, "me", doing_now())
    assert claim is not None
    assert claim.attempt_id == claim.submission_id == 2


def test_nothing_is_purged_under_the_hands_of_who_grades_it(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded, challenges: dict[str, Challenge]
) -> None:
    hand_in("ann")
    with open_run(store.folder.parent) as run:
        take(store, kept, owner_of(store.folder, run))
        with pytest.raises(UsageError, match="is being graded; stop that first"):
            purge(store, kept, doing_now())
    graded()
    ordered = order_regrade(store, kept, Wanted(), challenges, "why", doing_now())
    take(store, kept, "another-host/0123", ordered.id)
    with pytest.raises(UsageError, match="is being graded; stop that first"):
        purge(store, kept, doing_now())


def test_a_runner_that_died_keeps_nobody_from_purging(store: Store, kept: Kept, hand_in: HandIn) -> None:
    hand_in("ann")
    take(store, kept, owner_of(store.folder, Run("0123456789ab", Path("/nowhere"))))
    assert purge(store, kept, doing_now()) == Purged(submissions=1, scorecards=0)


def test_a_purge_that_was_killed_midway_is_found_and_goes_on(
    store: Store, kept: Kept, hand_in: HandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in("ann")

    def killed(*_: object) -> None:
        raise InfrastructureError("the power went")

    with monkeypatch.context() as patch:
        patch.setattr(purging, "_remove_bytes", killed)
        with pytest.raises(InfrastructureError):
            purge(store, kept, doing_now())
    assert check(store).problems == (
        "cohort spring: was purged, and 1 of its submissions are still here; purge it once more",
    )
    purge(store, kept, doing_now())
    assert check(store).problems == ()


def test_the_same_bytes_handed_in_while_another_cohort_is_purged_are_not_lost(
    store: Store,
    kept: Kept,
    another: Kept,
    listed: Listed,
    challenges: dict[str, Challenge],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add(store, kept, listed, challenges["add-numbers"], doing_now())
    module = "runner.cohort.add.fingerprint"
    before = purging.purge

    def meanwhile(*arguments: object) -> object:
        """Between putting the bytes and recording them."""
        monkeypatch.undo()
        before(store, kept, doing_now())
        from runner.insights.similarity import fingerprint

        return fingerprint(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(module, meanwhile)
    add(store, another, listed, challenges["add-numbers"], doing_now())
    assert check(store).problems == ()


def test_a_cohort_is_closed_once(store: Store, kept: Kept) -> None:
    with store.database.writing() as connection:
        cohorts.close(connection, kept, doing_now())
    with pytest.raises(UsageError, match=r"was closed on .* already"), store.database.writing() as connection:
        cohorts.close(connection, kept, doing_now())
