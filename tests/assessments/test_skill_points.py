"""Points of skills add up over challenges."""

from collections.abc import Callable

from assessments.assessment import Assessment
from assessments.cohort import AttemptState, Candidate, CohortSubmission, candidates
from assessments.scorecard import Points
from assessments.scorecard_summary import ScorecardSummary
from assessments.skill_points import share_range, skill_points
from assessments.submission import Digest

MakeAssessment = Callable[..., Assessment]
MakeCard = Callable[..., ScorecardSummary]


def ann(made: Assessment, *cards: ScorecardSummary) -> Candidate:
    handed_in = [
        CohortSubmission(
            place, "ann", card.challenge.id, Digest("0" * 64), "2026-01-01T00:00:00Z", "a", AttemptState.ENDED, "", card
        )
        for place, card in enumerate(cards)
    ]
    (candidate,) = candidates(made, handed_in)
    return candidate


def test_a_skills_points_are_summed_over_challenges(assessment: MakeAssessment, scorecard: MakeCard) -> None:
    serve = scorecard("serve", operations=(4, 1, 10), correctness=(8, 0, 10))
    watch = scorecard("watch", operations=(20, 0, 30))
    points = skill_points(ann(assessment({"serve": 1, "watch": 1}), serve, watch))
    assert list(points) == ["correctness", "operations"]
    assert points["operations"] == Points(24, 1, 40)
    assert share_range(points["operations"]).low == 0.6
    assert share_range(points["operations"]).high == 0.625


def test_a_challenge_nothing_was_handed_in_for_is_not_in_the_sum(
    assessment: MakeAssessment, scorecard: MakeCard
) -> None:
    points = skill_points(ann(assessment({"serve": 1, "watch": 1}), scorecard("serve", correctness=(8, 0, 10))))
    assert points == {"correctness": Points(8, 0, 10)}
