"""What a canary says of the gradings before it: they are believed, or count no more and are made again."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from assessments.cohort import AttemptState
from assessments.errors import UsageError
from assessments.scorecard import Scorecard
from runner.store import attempts, audit, canaries, regrades, scorecards, submissions
from runner.store.attempts import Counts
from runner.store.audit import Action, Doing
from runner.store.canaries import Session
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.regrades import Regrade
from runner.store.scorecards import seal
from runner.store.store import Store
from runner.store.submissions import Recorded

HandIn = Callable[..., Recorded]
Grade = Callable[..., None]
NOW = Doing("operator", "2026-01-01T00:00:00+00:00")
HERE, ELSEWHERE = "host-1-2", "host-1-23"


@pytest.fixture
def grade(store: Store, kept: Kept, scorecard: Scorecard) -> Grade:
    """Grade the one that waits, with a scorecard of this name, for a canary to come."""

    def grade(name: str, place: str = HERE, regrade_id: int | None = None, vouched: bool = False) -> None:
        with store.database.writing() as connection:
            claim = attempts.claim(connection, kept.id, f"{place}/run", NOW, regrade_id)
            assert claim is not None
            sealed = seal(replace(scorecard, id=name), store.signer)
            assert attempts.end(connection, claim, sealed, NOW, vouched=vouched)

    return grade


@pytest.fixture
def session(kept: Kept) -> Session:
    return Session(kept, "serve", HERE)


@pytest.fixture
def doubtful_regrade(store: Store, kept: Kept, hand_in: HandIn, grade: Grade) -> Regrade:
    """Of the one submission, which was graded before: graded again, for a canary to come."""
    hand_in("ann")
    grade("first", vouched=True)
    with store.database.writing() as connection:
        ordered = regrades.order(connection, kept, [(1, 5)], kept.cohort.challenges, "why", NOW)
    grade("doubtful", regrade_id=ordered.id)
    return ordered


def void(store: Store, session: Session) -> int:
    with store.database.writing() as connection:
        return canaries.void(connection, session, ("'in-time': too slow",), NOW)


def counting(store: Store, kept: Kept) -> dict[str, tuple[AttemptState, str | None]]:
    with store.database.reading() as connection:
        return {
            one.candidate: (one.state, one.scorecard and one.scorecard.id)
            for one in submissions.listed(connection, kept)
        }


def test_one_that_fails_makes_void_what_came_since_the_last_one_on_this_host_and_of_this_challenge(
    store: Store, kept: Kept, session: Session, hand_in: HandIn, grade: Grade
) -> None:
    for candidate, challenge, name, place in (
        ("ann", "serve", "believed", HERE),
        ("bob", "serve", "doubtful", HERE),
        ("cem", "serve", "elsewhere", ELSEWHERE),
        ("dan", "watch", "another", HERE),
    ):
        hand_in(candidate, challenge)
        grade(name, place)
        if name == "believed":
            with store.database.writing() as connection:
                canaries.vouch(connection, session, canaries.unvouched(connection, session), NOW)
    assert void(store, session) == 1
    assert counting(store, kept) == {
        "ann": (AttemptState.ENDED, "believed"),
        "bob": (AttemptState.WAITING, None),
        "cem": (AttemptState.ENDED, "elsewhere"),
        "dan": (AttemptState.ENDED, "another"),
    }
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id) == Counts(waiting=1, ended=3)
        assert canaries.unvouched(connection, session) == []
        assert canaries.any_unvouched(connection, kept, HERE), "of the other challenge"
        entries = [
            entry for entry in audit.entries(connection) if entry.action in (Action.VOIDED, Action.CANARY_GRADED)
        ]
        assert scorecards.kept_scorecard(connection, "doubtful"), "a scorecard stays"
    assert [entry.action for entry in entries] == [Action.CANARY_GRADED, Action.CANARY_GRADED, Action.VOIDED]
    assert entries[1].detail["failed"] == ["'in-time': too slow"]
    assert check(store).problems == ()


def test_it_is_graded_again_with_the_same_seed_and_the_new_one_counts(
    store: Store, kept: Kept, session: Session, hand_in: HandIn, grade: Grade
) -> None:
    hand_in("ann")
    with store.database.reading() as connection:
        before = connection.exec_driver_sql("SELECT seed FROM attempts").scalar_one()
    grade("doubtful")
    void(store, session)
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("SELECT DISTINCT seed FROM attempts").scalars().all() == [before]
    grade("again")
    assert counting(store, kept) == {"ann": (AttemptState.ENDED, "again")}
    with store.database.reading() as connection:
        assert scorecards.graded_again(connection, kept.id)[0].id == "again"
        assert len(scorecards.graded_again(connection, kept.id)) == 1, "a void one says nothing of a check's steadiness"


def test_a_regrade_is_not_accepted_before_its_canary_and_void_ones_are_not_part_of_it(
    store: Store, kept: Kept, session: Session, grade: Grade, doubtful_regrade: Regrade
) -> None:
    again = replace(session, regrade_id=doubtful_regrade.id)
    with store.database.writing() as connection, pytest.raises(UsageError, match="1 of its gradings have no scorecard"):
        regrades.accept(connection, kept, doubtful_regrade, NOW)
    assert void(store, again) == 1
    assert counting(store, kept) == {"ann": (AttemptState.ENDED, "first")}
    grade("second", regrade_id=doubtful_regrade.id)
    with store.database.writing() as connection:
        canaries.vouch(connection, again, canaries.unvouched(connection, again), NOW)
        (one,) = regrades.beside(connection, doubtful_regrade)
        assert one.after
        assert one.after.id == "second"
        regrades.accept(connection, kept, doubtful_regrade, NOW)
    assert counting(store, kept) == {"ann": (AttemptState.ENDED, "second")}
    assert check(store).problems == ()


def test_what_is_void_of_a_regrade_that_was_dropped_waits_for_nobody(
    store: Store, kept: Kept, session: Session, doubtful_regrade: Regrade
) -> None:
    """A run goes on with the submissions that it has in hand when somebody drops the regrade, its canary last."""
    with store.database.writing() as connection:
        regrades.drop(connection, kept, doubtful_regrade, NOW)
    assert void(store, replace(session, regrade_id=doubtful_regrade.id)) == 0
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id) == Counts(ended=1)
        assert attempts.count(connection, kept.id, doubtful_regrade.id) == Counts()
        assert not canaries.any_unvouched(connection, kept, HERE, doubtful_regrade.id)
    assert counting(store, kept) == {"ann": (AttemptState.ENDED, "first")}
    assert check(store).problems == ()
