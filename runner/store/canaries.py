"""What a canary says of the gradings before it.

A canary is the reference solution, graded as if a candidate had handed it in (see `runner.cohort.canary`). One that
does not fail vouches for what was graded on the same host since the one before. One that fails makes it void: those
scorecards stay and count no more, and the submissions wait to be graded again, with the same seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, select, update

from assessments.cohort import AttemptState
from runner.store import attempts, regrades
from runner.store.audit import Action, Doing, append
from runner.store.cohorts import Kept
from runner.store.schema import ATTEMPTS, SCORECARDS, SUBMISSIONS
from runner.store.submissions import enqueue


@dataclass(frozen=True, slots=True)
class Session:
    """The gradings of one challenge on one host, of a cohort or of one of its regrades."""

    kept: Kept
    challenge: str
    place: str
    """How owners' names begin there."""
    regrade_id: int | None = None


@dataclass(frozen=True, slots=True)
class Unvouched:
    """A grading that no canary has come after yet."""

    attempt_id: int
    submission_id: int
    seed: int
    scorecard_id: str


def unvouched(connection: Connection, session: Session) -> list[Unvouched]:
    """Those of a session, oldest first."""
    query = (
        select(ATTEMPTS.c.id, ATTEMPTS.c.submission_id, ATTEMPTS.c.seed, SCORECARDS.c.id.label("scorecard_id"))
        .join(SUBMISSIONS, SUBMISSIONS.c.id == ATTEMPTS.c.submission_id)
        .join(SCORECARDS, SCORECARDS.c.attempt_id == ATTEMPTS.c.id)
        .where(
            _waits_for_canary(session.kept, session.place, session.regrade_id),
            SUBMISSIONS.c.challenge == session.challenge,
        )
        .order_by(ATTEMPTS.c.id)
    )
    return [Unvouched(*row) for row in connection.execute(query)]


def any_unvouched(connection: Connection, kept: Kept, place: str, regrade_id: int | None = None) -> bool:
    """Whether a canary is still to come."""
    found = select(ATTEMPTS.c.id).where(_waits_for_canary(kept, place, regrade_id)).limit(1)
    return connection.execute(found).first() is not None


def vouch(connection: Connection, session: Session, gradings: Sequence[Unvouched], doing: Doing) -> None:
    """A canary did not fail after these."""
    ids = [one.attempt_id for one in gradings]
    connection.execute(update(ATTEMPTS).where(ATTEMPTS.c.id.in_(ids)).values(vouched=True))
    _tell(connection, session, doing, ())


def void(connection: Connection, session: Session, failed: Sequence[str], doing: Doing) -> int:
    """A canary failed these checks: nothing counts that it has not vouched for. Gives how many will be made again.

    Those of a regrade that was dropped meanwhile will not: nobody wants them any more.
    """
    wanted = session.regrade_id is None or regrades.hold_open(connection, session.regrade_id)
    gradings = unvouched(connection, session)
    for one in gradings:
        connection.execute(
            update(ATTEMPTS).where(ATTEMPTS.c.id == one.attempt_id).values(state=AttemptState.VOID, vouched=True)
        )
        connection.execute(
            update(SUBMISSIONS)
            .where(SUBMISSIONS.c.id == one.submission_id, SUBMISSIONS.c.scorecard_id == one.scorecard_id)
            .values(scorecard_id=None)
        )
    again = [(one.submission_id, one.seed) for one in gradings] if wanted else []
    enqueue(connection, session.kept.id, again, session.regrade_id)
    _tell(connection, session, doing, failed)
    for one in gradings:
        append(
            connection,
            doing,
            Action.VOIDED,
            f"submission {one.submission_id}",
            attempt=one.attempt_id,
            scorecard=one.scorecard_id,
        )
    return len(again)


def _tell(connection: Connection, session: Session, doing: Doing, failed: Sequence[str]) -> None:
    append(
        connection,
        doing,
        Action.CANARY_GRADED,
        f"cohort {session.kept.cohort.name}",
        challenge=session.challenge,
        regrade=session.regrade_id,
        failed=list(failed),
    )


def _waits_for_canary(kept: Kept, place: str, regrade_id: int | None) -> ColumnElement[bool]:
    return (
        attempts.of(kept.id, regrade_id)
        & (ATTEMPTS.c.state == AttemptState.ENDED)
        & ATTEMPTS.c.vouched.is_(False)
        & ATTEMPTS.c.owner.startswith(f"{place}/", autoescape=True)
    )
