"""A regrade is decided once, and the difference it made can be seen as long as its scorecards are kept."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from assessments.errors import UsageError
from assessments.scorecard import Scorecard
from runner.store import attempts, cohorts, regrades
from runner.store.audit import Doing
from runner.store.cohorts import Kept
from runner.store.regrades import Decision, Regrade
from runner.store.scorecards import seal
from runner.store.store import Store
from runner.store.submissions import Recorded

HandIn = Callable[..., Recorded]
NOW = Doing("operator", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def grade(store: Store, kept: Kept, scorecard: Scorecard) -> Callable[..., None]:
    """Grade the one that waits, with a scorecard of this name."""

    def grade(name: str, regrade_id: int | None = None) -> None:
        with store.database.writing() as connection:
            claim = attempts.claim(connection, kept.id, "me", NOW, regrade_id)
            assert claim is not None
            assert attempts.end(connection, claim, seal(replace(scorecard, id=name), store.signer), NOW)

    return grade


@pytest.fixture
def regrade(store: Store, kept: Kept, hand_in: HandIn, grade: Callable[..., None]) -> Callable[..., Regrade]:
    """Orders one of ann's submission, which is graded by then, and grades it."""
    hand_in("ann")
    grade("first")

    def regrade(name: str) -> Regrade:
        with store.database.writing() as connection:
            ordered = regrades.order(connection, kept, [(1, 5)], kept.cohort.challenges, "why", NOW)
        grade(name, ordered.id)
        return ordered

    return regrade


def beside(store: Store, ordered: Regrade) -> tuple[str | None, str | None]:
    with store.database.reading() as connection:
        (one,) = regrades.beside(connection, ordered)
    return one.before and one.before.id, one.after and one.after.id


def test_of_two_who_decide_at_once_the_second_one_is_told(
    store: Store, kept: Kept, regrade: Callable[..., Regrade]
) -> None:
    """Both have read it while it was open."""
    ordered = regrade("second")
    with store.database.writing() as connection:
        regrades.accept(connection, kept, ordered, NOW)
    for decide in (regrades.accept, regrades.drop):
        with pytest.raises(UsageError, match="was accepted before"), store.database.writing() as connection:
            decide(connection, kept, ordered, NOW)
    with store.database.reading() as connection:
        assert regrades.find(connection, kept, ordered.id).decision is Decision.ACCEPTED


def test_who_decides_on_a_cohort_is_alone_with_it(
    postgresql: Callable[[], str], monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """SQLite has one writer anyway; on PostgreSQL it takes a lock."""
    monkeypatch.setenv("ASSAY_DATABASE", postgresql())
    monkeypatch.delenv("ASSAY_ARTEFACTS", raising=False)
    from runner.store.store import open_store

    with open_store(request.getfixturevalue("tmp_path") / "state") as store:
        digest = store.artefacts.put(b"a starter")
        new = cohorts.NewCohort(
            "spring", request.getfixturevalue("assessment"), [], {"serve": digest}, certified=True, seed=5
        )
        with store.database.writing() as connection:
            kept = cohorts.make(connection, new, NOW)
        ended = threading.Event()

        def close() -> None:
            with store.database.writing() as connection:
                cohorts.close(connection, kept, NOW)
            ended.set()

        with store.database.writing() as connection:
            cohorts.hold(connection, "spring")
            thread = threading.Thread(target=close)
            thread.start()
            deadline = time.monotonic() + 20
            while not _waiting(store) and not ended.is_set():
                assert time.monotonic() < deadline
            assert not ended.is_set()
        thread.join(20)
        assert ended.is_set()


def _waiting(store: Store) -> bool:
    """Whether somebody waits for a row."""
    with store.database.reading() as connection:
        return bool(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")))


def test_what_a_regrade_changed_is_still_told_when_it_counts_and_when_later_ones_do(
    store: Store, kept: Kept, regrade: Callable[..., Regrade]
) -> None:
    second = regrade("second")
    assert beside(store, second) == ("first", "second")
    with store.database.writing() as connection:
        regrades.accept(connection, kept, second, NOW)
    dropped = regrade("dropped")
    with store.database.writing() as connection:
        regrades.drop(connection, kept, dropped, NOW)
    fourth = regrade("fourth")
    with store.database.writing() as connection:
        regrades.accept(connection, kept, fourth, NOW)
    assert beside(store, second) == ("first", "second")
    assert beside(store, dropped) == ("second", "dropped")
    assert beside(store, fourth) == ("second", "fourth")
