"""What people say of candidates by a rubric: kept beside the scores, added to, never changed."""

from collections.abc import Iterable

from sqlalchemy import Connection, insert, select

from assessments.cohort import Mark
from runner.store.audit import Action, Doing, append
from runner.store.cohorts import Kept
from runner.store.schema import MARKS


def add(connection: Connection, kept: Kept, marks: Iterable[Mark], doing: Doing) -> int:
    """Keep marks; gives how many. A later mark of the same person by the same criterion stands for the earlier one."""
    rows = [
        {
            "cohort_id": kept.id,
            "candidate": mark.candidate,
            "criterion": mark.criterion,
            "value": mark.value,
            "out_of": mark.out_of,
            "note": mark.note,
            "by": mark.by,
            "at": mark.at,
        }
        for mark in marks
    ]
    if rows:
        connection.execute(insert(MARKS), rows)
        append(connection, doing, Action.MARKED, f"cohort {kept.cohort.name}", marks=len(rows))
    return len(rows)


def listed(connection: Connection, kept: Kept) -> tuple[Mark, ...]:
    """The marks that stand, by candidate and criterion."""
    rows = connection.execute(select(MARKS).where(MARKS.c.cohort_id == kept.id).order_by(MARKS.c.id))
    last = {
        (row.candidate, row.criterion, row.by): Mark(
            row.candidate, row.criterion, row.value, row.out_of, row.note, row.by, row.at
        )
        for row in rows
    }
    return tuple(last[key] for key in sorted(last))
