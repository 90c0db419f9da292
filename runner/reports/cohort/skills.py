"""A candidate's share of each skill over all challenges, weighed as the assessment weighs the challenges."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import fsum

from assessments.assessment import Assessment
from assessments.assessment_result import ShareRange
from assessments.cohort import Candidate
from assessments.scorecard import Points
from assessments.scorecard_summary import ScorecardSummary


@dataclass(frozen=True, slots=True)
class SkillPlan:
    """Which skills an assessment is about: of each challenge, what a point of a skill is worth and how many there are.

    What a challenge that somebody did not hand in is about is known from those who did.
    """

    skills: tuple[str, ...]
    possible: Mapping[str, Mapping[str, float]]
    """By challenge and skill."""
    worth: Mapping[str, float]
    """Of each challenge, what one unweighted point is of the whole."""


def skill_plan(assessment: Assessment, candidates: Iterable[Candidate]) -> SkillPlan:
    """The plan, from the first scorecard that there is of each challenge."""
    cards: dict[str, ScorecardSummary] = {}
    for candidate in candidates:
        for challenge, one in candidate.submissions.items():
            if one.scorecard:
                cards.setdefault(challenge, one.scorecard)
    possible = {
        part.challenge: {each.skill: each.points.possible for each in cards[part.challenge].skills}
        for part in assessment.parts
        if part.challenge in cards
    }
    worth = {}
    for part in assessment.parts:
        points = possible.get(part.challenge, {})
        whole = fsum(assessment.skill_weight(skill) * each for skill, each in points.items())
        worth[part.challenge] = assessment.part_share(part) / whole if whole else 0.0
    skills = tuple(dict.fromkeys(skill for points in possible.values() for skill, each in points.items() if each))
    return SkillPlan(skills, possible, worth)


def skill_shares(plan: SkillPlan, candidate: Candidate) -> tuple[ShareRange, ...]:
    """The candidate's share of each of the plan's skills, in its order."""
    return tuple(_share(plan, candidate, skill) for skill in plan.skills)


def _share(plan: SkillPlan, candidate: Candidate, skill: str) -> ShareRange:
    earned = undecided = possible = 0.0
    for challenge, there in plan.possible.items():
        if skill not in there:
            continue
        points = _points(candidate, challenge, skill, there[skill])
        worth = plan.worth[challenge]
        earned += worth * points.earned
        undecided += worth * points.undecided
        possible += worth * points.possible
    if not possible:
        return ShareRange(0.0, 0.0)
    return ShareRange(min(earned / possible, 1.0), min((earned + undecided) / possible, 1.0))


def _points(candidate: Candidate, challenge: str, skill: str, possible: float) -> Points:
    one = candidate.submissions.get(challenge)
    if one is None:
        return Points(0.0, 0.0, possible)
    if one.scorecard is None:
        return Points(0.0, possible, possible)
    return next((each.points for each in one.scorecard.skills if each.skill == skill), Points(0.0, 0.0, possible))
