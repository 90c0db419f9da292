"""People's marks by a rubric. They stand beside the automatic score and are no part of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean

from assessments.cohort import Mark
from runner.reports import wording
from runner.reports.text import Text, shown


@dataclass(frozen=True, slots=True)
class MarkView:
    criterion: Text
    value: str
    """As in "4 of 5"; empty for a note without a mark."""
    by: Text
    note: Text


def mark_views(marks: Sequence[Mark], most: int, note_bytes: int = 0) -> tuple[MarkView, ...]:
    """The first marks, with as much of each note as asked for."""
    return tuple(
        MarkView(
            criterion=shown(mark.criterion, 60),
            value=_value(mark),
            by=shown(mark.by, 60),
            note=shown(mark.note, note_bytes) if note_bytes else Text(""),
        )
        for mark in marks[:most]
    )


def mean_mark(marks: Sequence[Mark]) -> float | None:
    """The mean share of what could be given, to sort by; None where nobody gave a mark."""
    shares = [mark.value / mark.out_of for mark in marks if mark.value is not None and mark.out_of]
    return mean(shares) if shares else None


def _value(mark: Mark) -> str:
    if mark.value is None:
        return ""
    value = wording.points(mark.value)
    return value if mark.out_of is None else f"{value} of {wording.points(mark.out_of)}"
