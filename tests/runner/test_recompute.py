"""A scorecard must follow from its own evidence; whatever is changed in it shows."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from assessments.budget import Arrivals, Budget, Metric, Plan, Scenario
from assessments.challenge import Challenge
from assessments.check import Check, CheckId, CheckResult, Visibility
from assessments.measurement import Block, Isolation, Measurement, Noise, Side
from assessments.outcome import Fault, Outcome
from assessments.scorecard import Points, Scorecard, Status, score, skill_scores, status
from graders.budgets import rule
from runner.recompute import differences

BUDGET = Budget("load", Metric.P50, limit=1.3, backstop=None, gone_at=2.0, wrong_share=0.01)
PLAN = Plan("load", Scenario.OPEN, Arrivals.CONSTANT, 25, 4, 1.0, 0.0, 1.0, 6, 6)
ISOLATION = Isolation(exclusive=True, service_cores=(1,), generator_core=0, priority=True, frozen="the cgroup freezer")


def measurement(ratio: float) -> Measurement:
    times = tuple(range(0, 1_000_000, 40_000))
    blocks = [
        Block(side, session, pair, times, times, (round(10_000 * factor) + pair,) * len(times), {}, 0.2, 1, noise)
        for session in range(2)
        for pair in range(6)
        for side, factor, noise in (
            (Side.REFERENCE, 1.0, Noise(1.0, 0.0, 0.0, 0.0, 0.0, 0.0)),
            (Side.CANDIDATE, ratio, Noise(1.0, 0.0, 0.0, 0.0, None, 0.0)),
        )
    ]
    return Measurement(PLAN, 1, ISOLATION, {}, tuple(blocks))


@pytest.fixture
def scorecard(graded: Callable[..., Scorecard], sum_challenge: Challenge) -> Scorecard:
    """A real one, with a budget that failed by a measurement."""
    graded_sum = graded(sum_challenge, {"main.py": "print(sum(map(int, input().split())))\n"})
    seen = measurement(1.5)
    ruling = rule(seen, BUDGET)
    assert ruling.outcome is Outcome.FAILED
    assert 0 < ruling.share < 1
    check = Check(CheckId("in-time"), 4, "performance", Visibility.HIDDEN, 20, BUDGET)
    timed = CheckResult(check, Outcome.FAILED, Fault.OVER_BUDGET, "In time.", ruling.why, (), 1.0, ruling)
    return with_results(replace(graded_sum, measurements=(seen,)), (*graded_sum.results, timed))


def with_results(scorecard: Scorecard, results: tuple[CheckResult, ...]) -> Scorecard:
    skills = skill_scores(dict.fromkeys(result.check.skill for result in results), results)
    return replace(scorecard, results=results, points=score(results), skills=skills, status=status(results))


def test_what_was_graded_follows_from_its_evidence(scorecard: Scorecard) -> None:
    assert differences(scorecard) == ()
    assert scorecard.points.earned == pytest.approx(1 + 4 * scorecard.results[-1].ruling.share)  # type: ignore[union-attr]


def test_a_ruling_that_was_made_better_shows(scorecard: Scorecard) -> None:
    last = scorecard.results[-1]
    assert last.ruling is not None
    better = replace(last, outcome=Outcome.PASSED, fault=None, ruling=replace(last.ruling, outcome=Outcome.PASSED))
    (problem,) = differences(with_results(scorecard, (*scorecard.results[:-1], better)))
    assert "'in-time': its measurement says failed" in problem


def test_times_that_were_made_better_show(scorecard: Scorecard) -> None:
    (problem,) = differences(replace(scorecard, measurements=(measurement(1.0),)))
    assert "says passed" in problem


def test_a_ruling_without_its_measurement_shows(scorecard: Scorecard) -> None:
    (problem,) = differences(replace(scorecard, measurements=()))
    assert "no measurement" in problem


def test_a_pass_without_a_ruling_shows(scorecard: Scorecard) -> None:
    passed = replace(scorecard.results[-1], outcome=Outcome.PASSED, fault=None, ruling=None)
    (problem,) = differences(with_results(scorecard, (*scorecard.results[:-1], passed)))
    assert "nothing says that its budget was kept" in problem


def test_an_outcome_that_is_not_its_rulings_shows(scorecard: Scorecard) -> None:
    open_now = replace(scorecard.results[-1], outcome=Outcome.INCONCLUSIVE, fault=None)
    (problem,) = differences(with_results(scorecard, (*scorecard.results[:-1], open_now)))
    assert "is inconclusive, but its ruling is failed" in problem


def test_sums_that_do_not_add_up_show(scorecard: Scorecard) -> None:
    assert "the points are 5" in differences(replace(scorecard, points=Points(5, 0, 5)))[0]
    assert "the status" in differences(replace(scorecard, status=Status.INCOMPLETE))[0]
    skills = tuple(replace(skill, passed=9) for skill in scorecard.skills)
    assert "by skill" in differences(replace(scorecard, skills=skills))[0]
