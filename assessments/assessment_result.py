"""What scorecards make of an assessment: one share of all points, as a range, and one of three answers. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import fsum

from assessments.assessment import Assessment, PassMark
from assessments.scorecard_summary import ScorecardSummary

_ROUNDING = 1e-9
"""What binary fractions may be off by; far below any share that points can make."""


class Standing(StrEnum):
    """How a candidate stands."""

    PASSED = "passed"
    NOT_PASSED = "not-passed"
    TOO_CLOSE = "too-close-to-call"
    """Within the band of doubt, or so much is undecided that it may be: a person looks, or a rerun decides."""


@dataclass(frozen=True, slots=True)
class ShareRange:
    """A share of points, 0 to 1: `low` is earned for certain, `high` if all that is undecided were passed."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PartResult:
    """One challenge's share, with the assessment's weights of skills."""

    challenge: str
    weight: float
    share: ShareRange
    scorecard: str | None
    """The scorecard's id; None where nothing was handed in or nothing is graded yet."""


@dataclass(frozen=True, slots=True)
class AssessmentResult:
    """What came of one candidate's assessment."""

    assessment: str
    version: str
    standing: Standing
    share: ShareRange
    parts: tuple[PartResult, ...]


def assess(assessment: Assessment, scorecards: Mapping[str, ScorecardSummary | None]) -> AssessmentResult:
    """The result, from the scorecard that counts of each challenge, by the challenge's id.

    None says that nothing was handed in, which earns nothing. A challenge that is not there is not graded yet: all of
    its points are undecided. Raises ValueError for a scorecard of another challenge.
    """
    parts = tuple(
        PartResult(
            part.challenge,
            assessment.part_share(part),
            _part_range(assessment, part.challenge, scorecards),
            card.id if (card := scorecards.get(part.challenge)) else None,
        )
        for part in assessment.parts
    )
    share = ShareRange(
        fsum(part.weight * part.share.low for part in parts), fsum(part.weight * part.share.high for part in parts)
    )
    return AssessmentResult(assessment.id, assessment.version, standing(share, assessment.pass_mark), share, parts)


def standing(share: ShareRange, mark: PassMark) -> Standing:
    """Passed or not passed only where that is so wherever in its range the share is."""
    if share.low >= mark.passed_from - _ROUNDING:
        return Standing.PASSED
    if share.high < mark.not_passed_below - _ROUNDING:
        return Standing.NOT_PASSED
    return Standing.TOO_CLOSE


def _part_range(
    assessment: Assessment, challenge: str, scorecards: Mapping[str, ScorecardSummary | None]
) -> ShareRange:
    if challenge not in scorecards:
        return ShareRange(0.0, 1.0)
    card = scorecards[challenge]
    if card is None:
        return ShareRange(0.0, 0.0)
    if card.challenge.id != challenge:
        msg = f"the scorecard given for {challenge} is of {card.challenge.id}"
        raise ValueError(msg)
    weighted = [(assessment.skill_weight(each.skill), each.points) for each in card.skills]
    possible = fsum(weight * points.possible for weight, points in weighted)
    if not possible:
        return ShareRange(0.0, 0.0)
    low = fsum(weight * points.earned for weight, points in weighted) / possible
    return ShareRange(low, low + fsum(weight * points.undecided for weight, points in weighted) / possible)
