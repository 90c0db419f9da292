"""A candidate's skills at a glance: a bar each, and in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assessments.assessment_result import ShareRange
from runner.reports.cohort.terms import share_range
from runner.reports.drawing import number
from runner.reports.text import Text

MOST_SKILLS: Final = 20
HEIGHT: Final = 24
"""Of the bars of a whole share."""
_BAR: Final = 7
_GAP: Final = 2


@dataclass(frozen=True, slots=True)
class Profile:
    """Paths of the bars in the order of the skills, in the units of their view box, and the same in words."""

    earned: str
    undecided: str
    words: str
    lowest: str
    """The weakest skill with its share; empty where all are whole."""


def width(skills: int) -> int:
    """Of the picture of so many skills."""
    return max(skills * (_BAR + _GAP) - _GAP, 1)


def profile(skills: Sequence[Text], shares: Sequence[ShareRange], *, pictured: bool = True) -> Profile:
    """The bars and their words; without the picture, the lowest skill alone."""
    lowest = _lowest(skills, shares)
    if not pictured:
        return Profile("", "", "", lowest)
    earned, undecided = [], []
    for at, share in enumerate(shares):
        left, low, high = at * (_BAR + _GAP), share.low * HEIGHT, share.high * HEIGHT
        if low:
            earned.append(_column(left, HEIGHT, low))
        if high - low > 0.05:
            undecided.append(_column(left, HEIGHT - low, high - low))
    return Profile(
        earned="".join(earned),
        undecided="".join(undecided),
        words=", ".join(f"{skill.text} {_whole(share)}" for skill, share in zip(skills, shares, strict=True)),
        lowest=lowest,
    )


def _lowest(skills: Sequence[Text], shares: Sequence[ShareRange]) -> str:
    lowest = min(zip(shares, skills, strict=True), key=lambda pair: pair[0].low, default=None)
    return f"{lowest[1].text} {share_range(lowest[0])}" if lowest and lowest[0].low < 1 else ""


def _column(left: int, bottom: float, height: float) -> str:
    return f"M{left} {number(bottom)}v-{number(height)}h{_BAR}v{number(height)}z"


def _whole(share: ShareRange) -> str:
    """In whole points of a hundred, rounded down: the picture is no finer."""
    low, high = int(share.low * 100 + 1e-6), int(share.high * 100 + 1e-6)
    return f"{low}%" if low == high else f"{low}\u2013{high}%"
