"""Gradings are taken by one owner at a time, land once, and are never lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from assessments.cohort import AttemptState
from assessments.scorecard import Scorecard
from runner.store import attempts, submissions
from runner.store.attempts import MAX_DEATHS, MAX_FAULTS, Claim, Counts, Watch
from runner.store.audit import Doing
from runner.store.cohorts import Kept
from runner.store.scorecards import Sealed, kept_scorecard, seal
from runner.store.store import Store
from runner.store.submissions import Recorded

HandIn = Callable[..., Recorded]
NOW = Doing("operator", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def take(store: Store, kept: Kept) -> Callable[..., Claim | None]:
    def take(owner: str = "me") -> Claim | None:
        with store.database.writing() as connection:
            return attempts.claim(connection, kept.id, owner, NOW)

    return take


@pytest.fixture
def sealed(store: Store, scorecard: Scorecard) -> Callable[[str], Sealed]:
    return lambda name: seal(replace(scorecard, id=name), store.signer)


def counts(store: Store, kept: Kept) -> Counts:
    with store.database.reading() as connection:
        return attempts.count(connection, kept.id)


def end(store: Store, claim: Claim, sealed: Sealed) -> bool:
    with store.database.writing() as connection:
        return attempts.end(connection, claim, sealed, NOW)


def test_a_grading_is_taken_once_and_its_scorecard_counts(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None], sealed: Callable[[str], Sealed]
) -> None:
    hand_in("ann")
    claim = take()
    assert claim is not None
    assert take("another") is None
    assert end(store, claim, sealed("card"))
    assert counts(store, kept) == Counts(ended=1)
    with store.database.reading() as connection:
        (one,) = submissions.listed(connection, kept)
        assert kept_scorecard(connection, "car").submission_id == one.id
    assert one.state is AttemptState.ENDED
    assert one.scorecard is not None
    assert one.scorecard.id == "card"


def test_who_lost_a_grading_cannot_land_it_nor_put_it_back(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None], sealed: Callable[[str], Sealed]
) -> None:
    hand_in("ann")
    first = take("dead")
    assert first is not None
    with store.database.writing() as connection:
        assert attempts.take_back(connection, kept.id, lambda owner: owner == "dead", Watch(), NOW) == 1
    second = take("living")
    assert second is not None
    assert second.token == first.token + 1
    assert not end(store, first, sealed("late"))
    with store.database.writing() as connection:
        attempts.release(connection, first)
        assert not attempts.fail(connection, first, "late", NOW)
    assert end(store, second, sealed("right"))
    assert counts(store, kept) == Counts(ended=1)


def test_many_at_once_take_each_grading_once(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None]
) -> None:
    for number in range(12):
        hand_in(f"candidate {number}")

    def takes_all(owner: str) -> list[int]:
        mine = []
        while claim := take(owner):
            mine.append(claim.attempt_id)
        return mine

    with ThreadPoolExecutor(4) as pool:
        taken = [attempt for mine in pool.map(takes_all, "abcd") for attempt in mine]
    assert len(taken) == len(set(taken)) == 12


def test_our_failures_are_tried_again_a_few_times_and_then_wait_for_the_operator(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None]
) -> None:
    hand_in("ann")
    hand_in("bob")
    poison = take()
    assert poison is not None
    for time in range(1, MAX_FAULTS + 1):
        with store.database.writing() as connection:
            assert attempts.fail(connection, poison, "no sandbox", NOW) is (time == MAX_FAULTS)
        if time == 1:
            other = take()
            assert other is not None
            assert other.submission_id != poison.submission_id, "those that failed least often come first"
        if time < MAX_FAULTS:
            again = take()
            assert again is not None
            poison = again
    assert counts(store, kept) == Counts(running=1, held=1)
    with store.database.writing() as connection:
        assert attempts.held_problems(connection, kept.id) == [("ann", "serve", "no sandbox")]
        assert attempts.resume(connection, kept.id, NOW, "spring") == 1
    assert counts(store, kept) == Counts(waiting=1, running=1)


def test_a_problem_is_kept_whatever_it_quotes(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None]
) -> None:
    """A message may quote what a submission printed, and a database takes neither NUL nor half characters."""
    hand_in("ann")
    claim = take()
    assert claim is not None
    with store.database.writing() as connection:
        assert attempts.fail(connection, claim, "said \0 and \ud800 " + "y" * 10**6, NOW, for_good=True)
        ((_, _, problem),) = attempts.held_problems(connection, kept.id)
    assert problem.startswith("said \\x00 and \\ud800 y")
    assert len(problem) <= 4_000


def test_what_kills_its_runner_again_and_again_is_held(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None]
) -> None:
    hand_in("ann")
    for _ in range(MAX_DEATHS):
        assert take("dead") is not None
        with store.database.writing() as connection:
            attempts.take_back(connection, kept.id, lambda _: True, Watch(), NOW)
    assert counts(store, kept) == Counts(held=1)
    assert take() is None


def test_an_owner_on_another_host_is_dead_once_its_beat_stood_still_for_long_by_our_own_clock(
    store: Store, kept: Kept, hand_in: HandIn, take: Callable[..., Claim | None]
) -> None:
    hand_in("ann")
    claim = take("elsewhere")
    assert claim is not None
    now = [0.0]
    watch = Watch(patience_s=60, clock=lambda: now[0])

    def taken_back() -> int:
        with store.database.writing() as connection:
            return attempts.take_back(connection, kept.id, lambda _: None, watch, NOW)

    assert taken_back() == 0
    now[0] = 59
    assert taken_back() == 0
    with store.database.writing() as connection:
        attempts.beat(connection, [claim])
    now[0] = 100
    assert taken_back() == 0, "it has shown a sign of life since"
    now[0] = 160
    assert taken_back() == 1
