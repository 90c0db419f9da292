"""An assessment is held against its challenges, and each problem names its field."""

from collections.abc import Callable

from assessments.assessment import Assessment
from assessments.assessment_lint import assessment_problems
from assessments.challenge import Challenge

MakeAssessment = Callable[..., Assessment]
MakeChallenge = Callable[..., Challenge]

EVEN = {f"check-{number}": ("correctness", 1.0) for number in range(20)}


def test_one_that_makes_sense_has_no_problem(assessment: MakeAssessment, challenge: MakeChallenge) -> None:
    made = assessment({"serve": 2, "watch": 1}, skills={"correctness": 2})
    there = {"serve": challenge("serve", EVEN), "watch": challenge("watch", EVEN)}
    assert list(assessment_problems(made, there)) == []


def test_a_challenge_that_is_not_there_is_named_and_its_skills_are_not_guessed(
    assessment: MakeAssessment, challenge: MakeChallenge
) -> None:
    made = assessment({"serve": 1, "watch": 1}, skills={"alerting": 2})
    (problem,) = assessment_problems(made, {"serve": challenge("serve", EVEN)})
    assert problem == "challenges.1.id: there is no challenge 'watch'; add it, or name another"


def test_a_weight_for_a_skill_that_nothing_asks_for_is_named(
    assessment: MakeAssessment, challenge: MakeChallenge
) -> None:
    (problem,) = assessment_problems(assessment(skills={"corectness": 2}), {"serve": challenge("serve", EVEN)})
    assert problem.startswith("skills.corectness: no challenge of this assessment has it")
    assert "there are: correctness" in problem


def test_a_challenge_that_weighs_nothing_is_named(assessment: MakeAssessment, challenge: MakeChallenge) -> None:
    (problem,) = assessment_problems(assessment(skills={"correctness": 0}), {"serve": challenge("serve", EVEN)})
    assert problem.startswith("challenges.0: every skill of 'serve' weighs nothing")


def test_a_window_shorter_than_the_work_is_named(assessment: MakeAssessment, challenge: MakeChallenge) -> None:
    there = {"serve": challenge("serve", EVEN, minutes=150)}
    (problem,) = assessment_problems(assessment(window_hours=2), there)
    assert problem.startswith("window_hours: 2 hours are less than the 150 minutes")
    assert problem.endswith("give at least 3")
    assert list(assessment_problems(assessment(window_hours=2.5), there)) == []


def test_a_check_that_would_decide_by_itself_is_named(assessment: MakeAssessment, challenge: MakeChallenge) -> None:
    heavy = {**EVEN, "the-one": ("correctness", 3.0)}
    (problem,) = assessment_problems(assessment(), {"serve": challenge("serve", heavy)})
    assert problem.startswith("pass_mark.doubt: the check 'the-one' of 'serve' is 13.0% of the whole")
    both = {"serve": challenge("serve", heavy), "watch": challenge("watch", EVEN)}
    assert list(assessment_problems(assessment({"serve": 1, "watch": 1}), both)) == []


def test_starters_that_come_near_the_mark_are_named(assessment: MakeAssessment, challenge: MakeChallenge) -> None:
    there = {"serve": challenge("serve", EVEN, starter=0.2)}
    (problem,) = assessment_problems(assessment(mark=(0.22, 0.05)), there)
    assert problem.startswith("pass_mark: untouched starters may earn 20%")
