"""Points add up: what is earned, what is undecided, and by which skill."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.check import Check, CheckId, CheckResult, Visibility
from assessments.outcome import FAULTS, Fault, Outcome
from assessments.scorecard import Status, score, skill_scores, status

SKILLS = ("correctness", "robustness", "operations")


@st.composite
def results(draw: st.DrawFn) -> CheckResult:
    fault = draw(st.none() | st.sampled_from(list(Fault)))
    check = Check(
        CheckId(f"check-{draw(st.integers(0, 10**6))}"),
        draw(st.integers(1, 100)),
        draw(st.sampled_from(SKILLS)),
        Visibility.HIDDEN,
        20,
    )
    outcome = FAULTS[fault].outcome if fault else Outcome.PASSED
    return CheckResult(check, outcome, fault, "", "", (), 0.0)


@given(st.lists(results(), max_size=20))
def test_every_point_is_earned_undecided_or_lost(many: list[CheckResult]) -> None:
    points = score(many)
    lost = sum(result.check.points for result in many if result.outcome is Outcome.FAILED)
    assert points.earned + points.undecided + lost == points.possible
    assert 0 <= points.share <= points.share_at_most <= 1


@given(st.lists(results(), max_size=20))
def test_the_skills_together_hold_all_points(many: list[CheckResult]) -> None:
    skills = skill_scores(SKILLS, many)
    assert sum(skill.points.earned for skill in skills) == score(many).earned
    assert sum(skill.checks for skill in skills) == len(many)


@given(st.lists(results(), max_size=20))
def test_a_scorecard_is_complete_exactly_when_nothing_is_undecided(many: list[CheckResult]) -> None:
    assert (status(many) is Status.COMPLETE) == (score(many).undecided == 0)


def test_no_points_at_all_is_a_share_of_zero() -> None:
    assert score(()).share == pytest.approx(0)
