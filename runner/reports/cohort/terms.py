"""Standings, places, shares and challenges in words. None of them is told by colour alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from assessments.assessment_result import ShareRange, Standing
from assessments.cohort import AttemptState, Candidate, Cohort
from runner.insights.estimates import Estimate
from runner.insights.items import ChallengeStatistics
from runner.reports import wording
from runner.reports.evidence import bar_width
from runner.reports.text import Text, shown

TOO_FEW: Final = "too few to say"
NAME_BYTES: Final = 120
"""Of a candidate's name, once it is escaped."""


@dataclass(frozen=True, slots=True)
class StandingView:
    """A standing: the class of its colour, its sign, and its words."""

    css: str
    mark: str
    words: str


STANDINGS: Final = MappingProxyType(
    {
        Standing.PASSED: StandingView("passed", "✓", "Passed"),
        Standing.TOO_CLOSE: StandingView("inconclusive", "≈", "Too close to call"),
        Standing.NOT_PASSED: StandingView("failed", "✗", "Not passed"),
    }
)
"""In the order that people are told them."""


def name_of(candidate: str) -> Text:
    return shown(candidate or "Unnamed candidate", NAME_BYTES)


def share_range(share: ShareRange) -> str:
    """What is earned for certain, up to what may be: "62.5%", or "62.5%" to "71%" in short."""
    low, high = wording.percent(share.low), wording.percent(share.high)
    return low if low == high else f"{low.removesuffix('%')}\u2013{high}"


def undecided_width(share: ShareRange) -> str:
    """The width of what is undecided, 0 to 100; empty where all is decided."""
    return bar_width(share.high - share.low, 1.0) if share.high - share.low > 5e-4 else ""


def places(best: int, worst: int) -> str:
    return f"{best:,}" if best == worst else f"{best:,}\u2013{worst:,}"


def estimate(of: Estimate | None, *, percent: bool = False) -> str:
    """A figure with its interval."""
    if of is None:
        return TOO_FEW
    say = wording.percent if percent else two_places
    return f"{say(of.value)} ({say(of.low)} to {say(of.high)})"


def two_places(value: float) -> str:
    return f"{value:.2f}".replace("-", "\u2212")


def open_state(candidate: Candidate) -> str:
    """What a candidate waits for, in words; empty where all that counts is graded."""
    states = {one.state for one in candidate.submissions.values() if one.scorecard is None}
    if AttemptState.HELD in states:
        return "held"
    return "not graded yet" if states else ""


def titles(
    cohort: Cohort, candidates: Iterable[Candidate], statistics: Iterable[ChallengeStatistics] = ()
) -> Mapping[str, Text]:
    """Each challenge's title by its id, in the assessment's order; the id where no title is known."""
    found = {each.challenge: each.title for each in statistics}
    for candidate in candidates:
        for challenge, one in candidate.submissions.items():
            if one.scorecard and challenge not in found:
                found[challenge] = one.scorecard.challenge.title
    return {part.challenge: shown(found.get(part.challenge) or part.challenge, 120) for part in cohort.assessment.parts}
