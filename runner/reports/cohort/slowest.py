"""The budget that a candidate comes closest to, or exceeds most."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assessments.cohort import Candidate
from runner.reports.text import Text, shown


@dataclass(frozen=True, slots=True)
class Measured:
    """One budget as it was measured: how many times the reference's figure, and how many times it may be."""

    challenge: str
    check: str
    ratio: float
    limit: float

    @property
    def against_limit(self) -> float:
        """1 at the limit, more beyond it."""
        return self.ratio / self.limit


@dataclass(frozen=True, slots=True)
class SlowestView:
    figure: str
    check: Text
    over: bool


def measured(candidates: Iterable[Candidate]) -> Iterator[Measured]:
    """Every budget that was measured."""
    for candidate in candidates:
        for challenge, one in candidate.submissions.items():
            for check in one.scorecard.checks if one.scorecard else ():
                if check.ratio is not None and check.limit is not None and check.limit > 0:
                    yield Measured(challenge, check.check, check.ratio, check.limit)


def slowest(candidate: Candidate) -> Measured | None:
    return max(measured([candidate]), key=lambda each: each.against_limit, default=None)


def slowest_view(of: Measured | None) -> SlowestView | None:
    if of is None:
        return None
    return SlowestView(ratio_words(of.ratio, of.limit), shown(of.check, 60), of.against_limit > 1)


def ratio_words(ratio: float, limit: float) -> str:
    """As in "1.72\u00d7 of 1.5\u00d7": how many times the reference's figure, and how many times it may be."""
    return f"{ratio:.3g}\u00d7 of {limit:.3g}\u00d7"
