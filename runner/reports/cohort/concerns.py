"""What to look at first in a cohort, and of whom."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from runner.insights.attention import Concern, ConcernKind
from runner.reports.cohort.terms import name_of
from runner.reports.text import Text, shown

_KINDS: Final = MappingProxyType(
    {
        ConcernKind.HELD: ("errored", "held"),
        ConcernKind.ERRORED: ("errored", "errored"),
        ConcernKind.IDENTICAL: ("failed", "identical"),
        ConcernKind.SIMILAR: ("failed", "similar"),
        ConcernKind.TOO_CLOSE: ("inconclusive", "too close"),
        ConcernKind.UNDECIDED: ("inconclusive", "undecided"),
        ConcernKind.UNENFORCED: ("inconclusive", "not enforced"),
        ConcernKind.NOT_GRADED: ("errored", "not graded"),
    }
)
"""The class of each kind's colour, and its word."""


@dataclass(frozen=True, slots=True)
class ConcernView:
    """One thing to look at. `row` is the anchor of the candidate's row; empty where it is not on the page."""

    css: str
    kind: str
    name: Text
    challenge: Text
    sentence: Text
    row: str


def concern_views(
    concerns: Sequence[Concern], rows: Mapping[str, int], titles: Mapping[str, Text], most: int
) -> tuple[ConcernView, ...]:
    return tuple(_view(each, rows, titles) for each in concerns[:most])


def rest_of(concerns: Sequence[Concern], most: int) -> str:
    """How many more there are, kind by kind."""
    rest = Counter(_KINDS[each.kind][1] for each in concerns[most:])
    if not rest:
        return ""
    kinds = ", ".join(f"{number:,} {kind}" for kind, number in rest.most_common())
    return f"{rest.total():,} more not shown here: {kinds}. The table below tells them candidate by candidate."


def _view(concern: Concern, rows: Mapping[str, int], titles: Mapping[str, Text]) -> ConcernView:
    css, kind = _KINDS[concern.kind]
    challenge = concern.challenge
    return ConcernView(
        css=css,
        kind=kind,
        name=name_of(concern.candidate),
        challenge=titles.get(challenge, shown(challenge, 60)) if challenge else Text(""),
        sentence=shown(concern.sentence, 320),
        row=f"c{rows[concern.candidate]}" if concern.candidate in rows else "",
    )
