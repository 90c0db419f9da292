"""Candidates in order, with places as far as the assessment tells them apart."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assessments.assessment import Assessment
from assessments.cohort import Candidate

_ROUNDING: Final = 1e-9
"""What binary fractions may be off by; far below any share that points can make."""
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate and the places that may be theirs, counted from 1.

    `place_best` - 1 candidates are certainly better, and all who stand behind `place_worst` are certainly worse.
    """

    candidate: Candidate
    place_best: int
    place_worst: int


def rank(candidates: Sequence[Candidate], assessment: Assessment) -> tuple[Ranked, ...]:
    """Every candidate, best first: by what is earned for certain, by what it may come to, by name.

    One is certainly better than another where their ranges of share lie apart by more than the pass mark's doubt: the
    assessment says itself that it measures no finer. Such a relation has no ties to share out; two neighbours that
    cannot be told apart have places in common. n log n of the candidates.
    """
    margin = assessment.pass_mark.doubt + _ROUNDING
    lows = sorted(one.result.share.low for one in candidates)
    highs = sorted(one.result.share.high for one in candidates)
    ranked = []
    for one in sorted(candidates, key=_order):
        better = len(lows) - bisect_right(lows, one.result.share.high + margin)
        worse = bisect_left(highs, one.result.share.low - margin)
        ranked.append(Ranked(one, 1 + better, len(candidates) - worse))
    return tuple(ranked)


def too_close(a: Candidate, b: Candidate, assessment: Assessment) -> bool:
    """Whether neither of two candidates is certainly better than the other."""
    margin = assessment.pass_mark.doubt + _ROUNDING
    first, second = a.result.share, b.result.share
    return first.low <= second.high + margin and second.low <= first.high + margin


def _order(candidate: Candidate) -> tuple[float, float, str]:
    share = candidate.result.share
    # Rounded, so that equal shares that were added up in another order stay equal and the name decides.
    return -round(share.low, _DIGITS), -round(share.high, _DIGITS), candidate.name
