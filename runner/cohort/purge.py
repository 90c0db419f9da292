"""What is removed when nobody may keep it any longer: submissions, scorecards, marks, names.

The cohort's own row, the challenges it was held to and the audit log stay: they say that there was a cohort, how many
handed in, and when it was purged, by digests and numbers and without a candidate's name.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, text, update

from assessments.cohort import AttemptState
from assessments.errors import UsageError
from assessments.submission import Digest
from runner.cohort.owner import is_dead
from runner.store import audit, cohorts
from runner.store.audit import Action, Doing, append
from runner.store.cohorts import Kept
from runner.store.schema import (
    ATTEMPTS,
    COHORTS,
    FINGERPRINTS,
    MARKS,
    PINS,
    REGRADES,
    SCORECARDS,
    SUBMISSIONS,
)
from runner.store.store import Store


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was removed."""

    submissions: int
    scorecards: int


def purge(store: Store, kept: Kept, doing: Doing) -> Purged:
    """Remove a cohort's data. One that was stopped midway goes on when it is called again.

    Raises UsageError while the cohort, or a regrade of it, is being graded.
    """
    with store.database.writing() as connection:
        cohorts.hold(connection, kept.cohort.name)
        _require_quiet(store, connection, kept)
        purged = _remove_rows(connection, kept)
        connection.execute(
            update(COHORTS).where(COHORTS.c.id == kept.id).values(purged_at=doing.at, closed_at=doing.at)
        )
        counted = {"submissions": purged.submissions, "scorecards": purged.scorecards}
        append(connection, doing, Action.COHORT_PURGED, f"cohort {kept.cohort.name}", **counted)
    _remove_bytes(store, kept)
    return purged


def _require_quiet(store: Store, connection: Connection, kept: Kept) -> None:
    """Nobody takes a grading from now on, and nobody who lives has one."""
    mine = select(ATTEMPTS.c.state, ATTEMPTS.c.owner).where(ATTEMPTS.c.cohort_id == kept.id).order_by(ATTEMPTS.c.id)
    for row in connection.execute(mine.with_for_update()).all():
        if row.state == AttemptState.RUNNING and not is_dead(store.folder, store.folder.parent, row.owner):
            raise UsageError(f"cohort {kept.cohort.name} is being graded; stop that first, on whichever host it runs")


def _remove_rows(connection: Connection, kept: Kept) -> Purged:
    mine = select(SUBMISSIONS.c.id).where(SUBMISSIONS.c.cohort_id == kept.id)
    scorecards = connection.execute(delete(SCORECARDS).where(SCORECARDS.c.submission_id.in_(mine))).rowcount
    connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.cohort_id == kept.id))
    connection.execute(delete(REGRADES).where(REGRADES.c.cohort_id == kept.id))
    connection.execute(delete(MARKS).where(MARKS.c.cohort_id == kept.id))
    submissions = connection.execute(delete(SUBMISSIONS).where(SUBMISSIONS.c.cohort_id == kept.id)).rowcount
    return Purged(submissions, scorecards)


def _remove_bytes(store: Store, kept: Kept) -> None:
    """Remove what was handed in to this cohort and to no other, and what was found out of it.

    The audit log names it, so that nothing is forgotten where a purge was killed before it came to this. Whoever hands
    in the same bytes meanwhile waits, and then finds them gone and puts them back (see `add`).
    """
    with store.database.writing() as connection:
        if not store.database.is_sqlite:  # there a writer is alone anyway
            connection.execute(text(f"LOCK TABLE {SUBMISSIONS.name}, {PINS.name} IN SHARE MODE"))
        for digest in audit.handed_in(connection).get(kept.cohort.name, set()) - _claimed(connection):
            connection.execute(delete(FINGERPRINTS).where(FINGERPRINTS.c.submission == digest))
            store.artefacts.remove(Digest(digest))


def _claimed(connection: Connection) -> set[str]:
    """Artefacts that other cohorts name, too."""
    return {*connection.scalars(select(SUBMISSIONS.c.digest)), *connection.scalars(select(PINS.c.starter))}
