"""Grading again stands beside the old, says what changed and why, and counts only once it is accepted."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assessments.assessment_result import Standing
from assessments.challenge import Challenge
from assessments.errors import UsageError
from assessments.manifest import read_challenge
from assessments.outcome import Outcome
from runner.bench import Bench
from runner.cohort.add import Added
from runner.cohort.pages import standing_of
from runner.cohort.progress import Event
from runner.cohort.regrade import Wanted, accept, compare, drop, order_regrade
from runner.cohort.run import Stop, Work, run
from runner.insights.regrade import Cause
from runner.store import cohorts, regrades
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.cohorts import Kept
from runner.store.regrades import Decision, Regrade
from runner.store.store import Store

HandIn = Callable[..., Added]
Graded = Callable[..., tuple[Counts, list[Event]]]
RIGHT = "print(sum(map(int, input().split())))\n"
WRONG = "print(0)\n"


@pytest.fixture
def mended(challenges: dict[str, Challenge], tmp_path: Path) -> Mapping[str, Challenge]:
    """The challenge after its author turned a check round: what was wrong passes, and what was right fails."""
    folder = tmp_path / "mended/add-numbers"
    shutil.copytree(challenges["add-numbers"].folder, folder)
    for test in (folder / "hidden_tests").glob("test_*.py"):
        test.write_text(test.read_text().replace("assert printed == ", "assert printed != "))
    (folder / "solutions/accepted/reference/main.py").write_text(WRONG)
    return {"add-numbers": read_challenge(folder)}


@pytest.fixture
def regraded(
    store: Store, kept: Kept, bench: Bench, hand_in: HandIn, graded: Graded, mended: Mapping[str, Challenge]
) -> Regrade:
    hand_in("ann")
    hand_in("bob", WRONG)
    graded()
    ordered = order_regrade(store, kept, Wanted(), mended, "the check was the wrong way round", doing_now())
    run(store, bench, Work(kept, mended, 2, ordered.id, unenforced_allowed=True), lambda event: None, Stop())
    return ordered


def shares(store: Store, kept: Kept) -> dict[str, float]:
    return {one.name: one.result.share.low for one in standing_of(store, kept).candidates}


def test_what_the_reference_fails_too_lands_with_that_check_open(
    store: Store, kept: Kept, bench: Bench, hand_in: HandIn, graded: Graded, mended: Mapping[str, Challenge]
) -> None:
    """It is no failure of ours to be met with another try: by the same seed it would never end."""
    hand_in("ann")
    graded()
    folder = mended["add-numbers"].folder
    (folder / "solutions/accepted/reference/main.py").write_text(RIGHT)
    challenges = {"add-numbers": read_challenge(folder)}
    ordered = order_regrade(store, kept, Wanted(), challenges, "the check was the wrong way round", doing_now())
    run(store, bench, Work(kept, challenges, 2, ordered.id, unenforced_allowed=True), lambda event: None, Stop())
    compared = compare(store, kept, ordered)
    assert compared.missing == 0
    (one,) = compared.differences
    assert one.after.points.undecided == 1


def test_nothing_takes_effect_until_it_is_accepted(
    store: Store, kept: Kept, regraded: Regrade, mended: Mapping[str, Challenge]
) -> None:
    before = shares(store, kept)
    assert before == {"ann": 1.0, "bob": 0.0}
    compared = compare(store, kept, regraded)
    assert compared.missing == 0
    changes = {one.candidate: one for one in compared.differences}
    (change,) = changes["ann"].changes
    assert (change.before, change.after) == (Outcome.PASSED, Outcome.FAILED)
    assert Cause.CHALLENGE in changes["ann"].causes
    assert Cause.SEED not in changes["ann"].causes
    crossing = {one.candidate: (one.standing_before, one.standing_after) for one in compared.shifts if one.crosses}
    assert crossing == {
        "ann": (Standing.PASSED, Standing.NOT_PASSED),
        "bob": (Standing.NOT_PASSED, Standing.PASSED),
    }
    assert shares(store, kept) == before
    accept(store, kept, regraded, doing_now())
    assert shares(store, kept) == {"ann": 0.0, "bob": 1.0}
    with store.database.reading() as connection:
        assert regrades.find(connection, kept, regraded.id).decision is Decision.ACCEPTED
        held_to = cohorts.find(connection, "spring").cohort.challenges
    assert [pin.digest for pin in held_to] != [pin.digest for pin in kept.cohort.challenges]
    with pytest.raises(UsageError, match="was accepted before"):
        accept(store, kept, regraded, doing_now())


def test_a_dropped_one_never_counts_and_another_can_be_ordered(
    store: Store, kept: Kept, regraded: Regrade, challenges: dict[str, Challenge]
) -> None:
    again = Wanted(outcomes=(Outcome.FAILED,))
    with pytest.raises(UsageError, match="is not decided yet"):
        order_regrade(store, kept, again, challenges, "once more", doing_now())
    drop(store, kept, regraded, doing_now())
    assert shares(store, kept) == {"ann": 1.0, "bob": 0.0}
    ordered = order_regrade(store, kept, again, challenges, "once more", doing_now())
    with store.database.reading() as connection:
        assert [one.candidate for one in regrades.beside(connection, ordered)] == ["bob"]
    with pytest.raises(UsageError, match="1 of its gradings have no scorecard that counts yet"):
        accept(store, kept, ordered, doing_now())


def test_the_same_seed_and_files_give_the_same_outcomes(
    store: Store, kept: Kept, challenges: dict[str, Challenge], hand_in: HandIn, graded: Graded
) -> None:
    hand_in("ann")
    graded()
    ordered = order_regrade(store, kept, Wanted(), challenges, "to see", doing_now())
    graded(regrade_id=ordered.id)
    compared = compare(store, kept, ordered)
    assert [(one.changes, one.causes) for one in compared.differences] == [((), (Cause.NOTHING,))]
    assert compared.shifts == ()


def test_a_regrade_needs_a_reason_and_something_to_grade(
    store: Store, kept: Kept, challenges: dict[str, Challenge], hand_in: HandIn, graded: Graded
) -> None:
    hand_in("ann")
    graded()
    with pytest.raises(UsageError, match="say why"):
        order_regrade(store, kept, Wanted(), challenges, "  ", doing_now())
    with pytest.raises(UsageError, match="is what you asked for"):
        order_regrade(store, kept, Wanted(candidates=("nobody",)), challenges, "why not", doing_now())
