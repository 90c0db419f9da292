"""Regrades: gradings of the same submissions again, beside the old scorecards, until somebody accepts or drops them."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, Row, ScalarSelect, func, insert, or_, select, update

from assessments.cohort import AttemptState, PinnedChallenge
from assessments.errors import UsageError
from assessments.scorecard_summary import ScorecardSummary
from assessments.submission import Digest
from runner.store import cohorts, scorecards
from runner.store.audit import Action, Doing, append
from runner.store.cohorts import Kept
from runner.store.database import new_id
from runner.store.schema import ATTEMPTS, REGRADES, SCORECARDS, SUBMISSIONS
from runner.store.submissions import enqueue

_GRADED = (AttemptState.ENDED, AttemptState.VOID)


class Decision(StrEnum):
    """What became of a regrade."""

    ACCEPTED = "accepted"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Regrade:
    """One order to grade again. `decision` None: nobody has decided yet, and nothing has taken effect."""

    id: int
    reason: str
    pins: tuple[PinnedChallenge, ...]
    by: str
    at: str
    decision: Decision | None
    decided_by: str | None = None
    decided_at: str | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """One submission's scorecards before and after."""

    submission_id: int
    candidate: str
    challenge: str
    before: ScorecardSummary | None
    after: ScorecardSummary | None
    """None while it is not graded."""


def order(
    connection: Connection,
    kept: Kept,
    submissions: Sequence[tuple[int, int]],
    pins: Sequence[PinnedChallenge],
    reason: str,
    doing: Doing,
) -> Regrade:
    """Let submissions, given with their seeds, wait to be graded again with these challenges.

    Raises UsageError while another regrade of the cohort is undecided: their differences would mix.
    """
    cohorts.hold(connection, kept.cohort.name)
    for earlier in every(connection, kept):
        if earlier.decision is None:
            how = f"assay cohort regrade {kept.cohort.name} --accept {earlier.id} (or --drop {earlier.id})"
            raise UsageError(f"regrade {earlier.id} of {kept.cohort.name} is not decided yet; first run: {how}")
    result = connection.execute(
        insert(REGRADES).values(
            cohort_id=kept.id, reason=reason, pins=cohorts.dump_pins(pins), by=doing.by, at=doing.at
        )
    )
    regrade_id = new_id(result)
    enqueue(connection, kept.id, submissions, regrade_id)
    append(
        connection,
        doing,
        Action.REGRADE_ORDERED,
        f"cohort {kept.cohort.name}",
        regrade=regrade_id,
        reason=reason,
        submissions=len(submissions),
        challenges={pin.id: pin.digest for pin in pins},
    )
    return find(connection, kept, regrade_id)


def every(connection: Connection, kept: Kept) -> list[Regrade]:
    """All regrades of a cohort, oldest first."""
    query = select(REGRADES).where(REGRADES.c.cohort_id == kept.id).order_by(REGRADES.c.id)
    return [_regrade(row) for row in connection.execute(query)]


def find(connection: Connection, kept: Kept, regrade_id: int) -> Regrade:
    """One of them. Raises UsageError where there is none."""
    found = [one for one in every(connection, kept) if one.id == regrade_id]
    if not found:
        raise UsageError(f"there is no regrade {regrade_id} of {kept.cohort.name}; see: assay cohort status")
    return found[0]


def hold_open(connection: Connection, regrade_id: int) -> bool:
    """Whether it is there and undecided; if so, nobody decides before this transaction ends."""
    query = select(REGRADES.c.id).where(REGRADES.c.id == regrade_id, REGRADES.c.decision.is_(None))
    return connection.execute(query.with_for_update()).first() is not None


def pinned(connection: Connection, regrade_id: int) -> dict[str, Digest]:
    """Challenge -> the files it is graded again with; empty where there is no such regrade any more."""
    pins = connection.scalar(select(REGRADES.c.pins).where(REGRADES.c.id == regrade_id))
    return {pin.id: pin.digest for pin in cohorts.load_pins(pins)} if pins else {}


def beside(connection: Connection, regrade: Regrade) -> list[Beside]:
    """The submissions of a regrade with their scorecards before and after it, in the order of arrival.

    The one before is what counted when the regrade was ordered, also once another one counts.
    """
    before, after = SCORECARDS.alias("before"), SCORECARDS.alias("after")
    query = (
        select(SUBMISSIONS, before.c.summary.label("before"), after.c.summary.label("after"))
        .join(ATTEMPTS, ATTEMPTS.c.submission_id == SUBMISSIONS.c.id)
        .outerjoin(before, before.c.attempt_id == _counted_before(regrade))
        .outerjoin(after, after.c.attempt_id == ATTEMPTS.c.id)
        .where(_of(regrade), ATTEMPTS.c.state != AttemptState.VOID)
        .order_by(SUBMISSIONS.c.id)
    )
    return [
        Beside(row.id, row.candidate, row.challenge, _summary(row.before), _summary(row.after))
        for row in connection.execute(query)
    ]


def accept(connection: Connection, kept: Kept, regrade: Regrade, doing: Doing) -> None:
    """Let its scorecards be those that count, and hold the cohort to its challenges.

    Raises UsageError where it is decided already, or some of it is not graded, or not vouched for by a canary.
    """
    _require_open(connection, kept, regrade)
    unfinished = ATTEMPTS.c.state.not_in(_GRADED) | ATTEMPTS.c.vouched.is_(False)
    missing = len(connection.execute(select(ATTEMPTS.c.id).where(_of(regrade), unfinished)).all())
    if missing:
        raise UsageError(
            f"regrade {regrade.id}: {missing} of its gradings have no scorecard that counts yet; resume the cohort"
        )
    query = select(SCORECARDS.c.submission_id, SCORECARDS.c.id).join(ATTEMPTS, ATTEMPTS.c.id == SCORECARDS.c.attempt_id)
    for row in connection.execute(query.where(_of(regrade), ATTEMPTS.c.state == AttemptState.ENDED)).all():
        scorecards.counts(connection, row.submission_id, row.id)
    cohorts.repin(connection, kept, regrade.pins)
    _decide(connection, kept, regrade, Decision.ACCEPTED, doing)


def drop(connection: Connection, kept: Kept, regrade: Regrade, doing: Doing) -> None:
    """Leave everything as it is; its scorecards stay, and never count. Raises UsageError where it is decided."""
    _require_open(connection, kept, regrade)
    _decide(connection, kept, regrade, Decision.DROPPED, doing)


def _require_open(connection: Connection, kept: Kept, regrade: Regrade) -> None:
    """Look again, now that nobody else can decide: of two who decide at once the second one is told."""
    cohorts.hold(connection, kept.cohort.name)
    decision = find(connection, kept, regrade.id).decision
    if decision is not None:
        raise UsageError(f"regrade {regrade.id} was {decision} before; order another one")


def _decide(connection: Connection, kept: Kept, regrade: Regrade, decision: Decision, doing: Doing) -> None:
    connection.execute(
        update(REGRADES)
        .where(REGRADES.c.id == regrade.id)
        .values(decision=decision, decided_by=doing.by, decided_at=doing.at)
    )
    connection.execute(ATTEMPTS.delete().where(_of(regrade), ATTEMPTS.c.state.not_in(_GRADED)))  # not wanted any more
    action = Action.REGRADE_ACCEPTED if decision is Decision.ACCEPTED else Action.REGRADE_DROPPED
    append(connection, doing, action, f"cohort {kept.cohort.name}", regrade=regrade.id)


def _of(regrade: Regrade) -> ColumnElement[bool]:
    return ATTEMPTS.c.regrade_id == regrade.id


def _counted_before(regrade: Regrade) -> ScalarSelect[int]:
    """The submission's last grading before this regrade that has ever counted: its first, or one that was accepted."""
    earlier = ATTEMPTS.alias("earlier")
    accepted = select(REGRADES.c.id).where(REGRADES.c.decision == Decision.ACCEPTED, REGRADES.c.id < regrade.id)
    return (
        select(func.max(earlier.c.id))
        .where(
            earlier.c.submission_id == SUBMISSIONS.c.id,
            earlier.c.state == AttemptState.ENDED,
            or_(earlier.c.regrade_id.is_(None), earlier.c.regrade_id.in_(accepted)),
        )
        .scalar_subquery()
    )


def _summary(text: str | None) -> ScorecardSummary | None:
    return scorecards.load_summary(text) if text else None


def _regrade(row: Row[tuple[object, ...]]) -> Regrade:
    decision = Decision(row.decision) if row.decision else None
    return Regrade(
        row.id, row.reason, cohorts.load_pins(row.pins), row.by, row.at, decision, row.decided_by, row.decided_at
    )
