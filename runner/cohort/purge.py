"""What is removed when nobody may keep it any longer: submissions, scorecards, marks, names.

The cohort's own row, the challenges it was held to and the audit log stay: they say that there was a cohort, how many
handed in, and when it was purged, by digests and numbers and without a candidate's name.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, delete, select, update

from assessments.errors import UsageError
from assessments.submission import Digest
from runner.store import attempts
from runner.store.audit import Action, Doing, append
from runner.store.cohorts import Kept
from runner.store.schema import ATTEMPTS, COHORTS, MARKS, PINS, REGRADES, SCORECARDS, SUBMISSIONS
from runner.store.store import Store


@dataclass(frozen=True, slots=True)
class Purged:
    """How much was removed."""

    submissions: int
    scorecards: int


def purge(store: Store, kept: Kept, doing: Doing) -> Purged:
    """Remove a cohort's data. Raises UsageError while it is being graded."""
    with store.database.writing() as connection:
        if attempts.count(connection, kept.id).running:
            raise UsageError(f"cohort {kept.cohort.name} is being graded; stop that first")
        mine = select(SUBMISSIONS.c.id).where(SUBMISSIONS.c.cohort_id == kept.id)
        digests = set(connection.scalars(select(SUBMISSIONS.c.digest).where(SUBMISSIONS.c.cohort_id == kept.id)))
        scorecards = connection.execute(delete(SCORECARDS).where(SCORECARDS.c.submission_id.in_(mine))).rowcount
        connection.execute(delete(ATTEMPTS).where(ATTEMPTS.c.cohort_id == kept.id))
        connection.execute(delete(REGRADES).where(REGRADES.c.cohort_id == kept.id))
        connection.execute(delete(MARKS).where(MARKS.c.cohort_id == kept.id))
        submissions = connection.execute(delete(SUBMISSIONS).where(SUBMISSIONS.c.cohort_id == kept.id)).rowcount
        connection.execute(
            update(COHORTS).where(COHORTS.c.id == kept.id).values(purged_at=doing.at, closed_at=doing.at)
        )
        counted = {"submissions": submissions, "scorecards": scorecards}
        append(connection, doing, Action.COHORT_PURGED, f"cohort {kept.cohort.name}", **counted)
        unclaimed = digests - _claimed(connection)
    for digest in unclaimed:  # once no row names them; should this stop midway, `assay db check` counts what is left
        store.artefacts.remove(Digest(digest))
    return Purged(submissions, scorecards)


def _claimed(connection: Connection) -> set[str]:
    """Artefacts that other cohorts name, too."""
    return {*connection.scalars(select(SUBMISSIONS.c.digest)), *connection.scalars(select(PINS.c.starter))}
