"""What a candidate earned of each skill, over all challenges. Pure."""

from collections.abc import Mapping
from math import fsum

from assessments.assessment_result import ShareRange
from assessments.cohort import Candidate
from assessments.scorecard import Points


def skill_points(candidate: Candidate) -> Mapping[str, Points]:
    """The points of each skill, summed over the scorecards that count, by the skill's name and in its order.

    Points as the checks have them, without an assessment's weights, so that they can be added up from the results. Of
    a challenge that nothing was handed in for there is no scorecard, and so nothing in the sum.
    """
    cards = [one.scorecard for one in candidate.submissions.values() if one.scorecard]
    skills = sorted({score.skill for card in cards for score in card.skills})
    return {
        skill: _sum([each.points for card in cards for each in card.skills if each.skill == skill]) for skill in skills
    }


def share_range(points: Points) -> ShareRange:
    """The points as a share of the possible ones."""
    return ShareRange(points.share, points.share_at_most)


def _sum(points: list[Points]) -> Points:
    return Points(
        fsum(each.earned for each in points),
        fsum(each.undecided for each in points),
        fsum(each.possible for each in points),
    )
