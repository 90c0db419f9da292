"""Scorecards become one of three answers, and the one in the middle wherever the other two are not certain."""

from collections.abc import Callable

import pytest

from assessments.assessment import Assessment, PassMark
from assessments.assessment_result import ShareRange, Standing, assess, standing
from assessments.scorecard_summary import ScorecardSummary

MakeAssessment = Callable[..., Assessment]
MakeCard = Callable[..., ScorecardSummary]

MARK = PassMark(0.7, 0.05)
STANDINGS = [
    ((0.75, 0.75), Standing.PASSED),
    ((0.75, 1.0), Standing.PASSED),
    ((0.7499, 0.7499), Standing.TOO_CLOSE),
    ((0.7, 0.7), Standing.TOO_CLOSE),
    ((0.65, 0.65), Standing.TOO_CLOSE),
    ((0.6499, 0.6499), Standing.NOT_PASSED),
    ((0.0, 0.6499), Standing.NOT_PASSED),
    ((0.6, 0.8), Standing.TOO_CLOSE),
    ((0.0, 1.0), Standing.TOO_CLOSE),
]


@pytest.mark.parametrize(("share", "answer"), STANDINGS, ids=[str(row[0]) for row in STANDINGS])
def test_it_is_passed_or_not_only_where_that_holds_for_all_of_the_range(
    share: tuple[float, float], answer: Standing
) -> None:
    assert standing(ShareRange(*share), MARK) is answer


def test_binary_fractions_cost_nobody_the_mark() -> None:
    assert standing(ShareRange(0.1 + 0.2, 0.1 + 0.2), PassMark(0.2, 0.1)) is Standing.PASSED
    assert standing(ShareRange(0.3, 0.3), PassMark(0.4, 0.1)) is Standing.TOO_CLOSE


def test_parts_count_by_their_weight(assessment: MakeAssessment, scorecard: MakeCard) -> None:
    made = assessment({"serve": 3, "watch": 1})
    result = assess(made, {"serve": scorecard("serve", a=(10, 0, 10)), "watch": scorecard("watch", a=(0, 0, 50))})
    assert result.share == ShareRange(0.75, 0.75)
    assert [(part.challenge, part.weight, part.scorecard) for part in result.parts] == [
        ("serve", 0.75, "card-of-serve"),
        ("watch", 0.25, "card-of-watch"),
    ]
    assert result.standing is Standing.PASSED


def test_points_count_by_the_weight_of_their_skill(assessment: MakeAssessment, scorecard: MakeCard) -> None:
    card = scorecard("serve", correctness=(5, 0, 10), api_design=(10, 0, 10))
    assert assess(assessment(), {"serve": card}).share.low == 0.75
    assert assess(assessment(skills={"correctness": 3}), {"serve": card}).share.low == 0.625
    assert assess(assessment(skills={"api-design": 0}), {"serve": card}).share.low == 0.5


def test_what_is_undecided_makes_a_range(assessment: MakeAssessment, scorecard: MakeCard) -> None:
    result = assess(assessment(), {"serve": scorecard("serve", a=(6, 2, 10))})
    assert result.share == ShareRange(0.6, 0.8)
    assert result.standing is Standing.TOO_CLOSE


def test_nothing_handed_in_earns_nothing_and_what_is_not_graded_yet_may_still(
    assessment: MakeAssessment, scorecard: MakeCard
) -> None:
    made, done = assessment({"serve": 1, "watch": 1}), scorecard("serve", a=(10, 0, 10))
    assert assess(made, {"serve": done, "watch": None}).share == ShareRange(0.5, 0.5)
    assert assess(made, {"serve": done}).share == ShareRange(0.5, 1.0)
    assert assess(made, {"serve": done}).standing is Standing.TOO_CLOSE


def test_a_scorecard_of_another_challenge_is_our_mistake(assessment: MakeAssessment, scorecard: MakeCard) -> None:
    with pytest.raises(ValueError, match="is of watch"):
        assess(assessment(), {"serve": scorecard("watch", a=(1, 0, 1))})
