"""A budget that stays undecided is measured again, up to the plan's bound, and not for the sake of luck."""

from dataclasses import replace

import pytest

from assessments.budget import Metric
from assessments.outcome import Outcome
from graders.budgets import Step, next_step, rule

STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]
SLOW = [2.0, 2.1, 1.9, 2.05, 1.95, 2.0]
AT_LIMIT = [1.29, 1.31, 1.28, 1.32, 1.3, 1.3] * 5


@pytest.fixture
def thrice(make):
    """A measurement by a plan that allows three tries, from its sessions by number."""

    def measurement(sessions, **candidate):
        blocks = [make.session(number, ratios, **candidate) for number, ratios in sessions.items()]
        return make.measurement(*blocks, plan=replace(make.PLAN, tries=3))

    return measurement


def test_an_undecided_one_is_measured_again_until_the_bound(make, thrice) -> None:
    sessions = {}
    for session in (0, 2, 4):
        sessions[session] = AT_LIMIT[:-1]
        assert next_step(thrice(sessions), [make.budget()]) is Step.MORE
        sessions[session] = AT_LIMIT
        step = Step.AGAIN if session < 4 else Step.DONE
        assert next_step(thrice(sessions), [make.budget()]) is step
    ruling = rule(thrice(sessions), make.budget())
    assert (ruling.outcome, ruling.tries, ruling.pairs) == (Outcome.INCONCLUSIVE, 3, 30)
    assert ruling.why.endswith("It was measured 3 times, and no time decided: a person has to.")


def test_a_failure_that_no_second_session_confirms_is_measured_again(make, thrice) -> None:
    first = {0: SLOW, 1: STEADY}
    assert next_step(thrice({0: SLOW}), [make.budget()]) is Step.SECOND_SESSION
    assert next_step(thrice(first), [make.budget()]) is Step.AGAIN
    assert next_step(thrice(first | {2: SLOW}), [make.budget()]) is Step.SECOND_SESSION
    both = thrice(first | {2: SLOW, 3: SLOW})
    assert next_step(both, [make.budget()]) is Step.DONE
    assert (rule(both, make.budget()).outcome, rule(both, make.budget()).tries) == (Outcome.FAILED, 2)


@pytest.mark.parametrize(
    ("sessions", "outcome", "tries"),
    [
        ({0: STEADY}, Outcome.PASSED, 1),
        ({0: SLOW, 1: SLOW}, Outcome.FAILED, 1),
        ({0: AT_LIMIT, 2: STEADY}, Outcome.PASSED, 2),
        ({0: AT_LIMIT, 2: AT_LIMIT, 4: SLOW, 5: SLOW}, Outcome.FAILED, 3),
    ],
)
def test_the_try_that_decides_stands_by_itself(make, thrice, sessions, outcome, tries) -> None:
    measurement = thrice(sessions)
    ruling = rule(measurement, make.budget())
    assert (ruling.outcome, ruling.tries) == (outcome, tries)
    assert next_step(measurement, [make.budget()]) is Step.DONE
    assert ("measured again" in ruling.why) == (tries > 1)
    last = max(sessions) // 2 * 2
    alone = thrice({number - last: ratios for number, ratios in sessions.items() if number >= last})
    assert (ruling.ratio, ruling.low, ruling.high) == (
        rule(alone, make.budget()).ratio,
        rule(alone, make.budget()).low,
        rule(alone, make.budget()).high,
    )


def test_what_was_decided_does_not_change_by_what_was_measured_for_others(make, thrice) -> None:
    tight = make.budget(Metric.P50, limit=1.005)
    both = thrice({0: STEADY * 5, 2: SLOW, 3: SLOW})
    assert next_step(thrice({0: STEADY * 5}), [make.budget(), tight]) is Step.AGAIN
    assert rule(both, make.budget()) == rule(thrice({0: STEADY * 5}), make.budget())
    assert rule(both, tight).outcome is Outcome.FAILED


def test_more_tries_than_the_plan_allows_are_not_looked_at(make, thrice) -> None:
    seen = thrice({0: AT_LIMIT, 2: AT_LIMIT, 4: AT_LIMIT, 6: STEADY})
    assert rule(seen, make.budget()).outcome is Outcome.INCONCLUSIVE


def test_the_rates_of_error_are_split_over_the_tries_whether_or_not_they_are_made(make, thrice) -> None:
    once = rule(make.measurement(make.session(0, STEADY)), make.budget())
    first_of_three = rule(thrice({0: STEADY}), make.budget())
    assert first_of_three.high > once.high
    assert first_of_three.low < once.low
    # Fifteen looks of one try cost as much as five of each of three.
    many = replace(make.PLAN, pairs_min=2, pairs_max=30)
    as_many = rule(make.measurement(make.session(0, STEADY[:2] * 15), plan=many), make.budget(limit=1.0))
    few = replace(make.PLAN, pairs_max=30, tries=3)
    same = rule(make.measurement(make.session(0, STEADY[:2] * 15), plan=few), make.budget(limit=1.0))
    assert (as_many.low, as_many.high) == pytest.approx((same.low, same.high))


def test_a_peak_of_memory_is_not_tried_again(make, thrice) -> None:
    """It passes by a comparison, with no rate of error that could be split."""
    memory = make.budget(Metric.MEMORY)
    large = make.session(0, STEADY, memory_bytes=150_000_000)
    small = [make.session(number, STEADY, memory_bytes=100_000_000) for number in (1, 2)]
    plan = replace(make.PLAN, tries=3)
    assert next_step(make.measurement(large, small[0], plan=plan), [memory]) is Step.DONE
    ruling = rule(make.measurement(large, *small, plan=plan), memory)
    assert (ruling.outcome, ruling.tries) == (Outcome.INCONCLUSIVE, 1)


def test_too_many_wrong_answers_are_not_tried_again(make, thrice) -> None:
    """Passing takes a share within what is allowed, which has no rate of error that could be split either."""
    undecided, budget = thrice({0: STEADY * 5}, wrong=2), make.budget(wrong_share=0.019)
    assert rule(undecided, budget).outcome is Outcome.INCONCLUSIVE
    assert next_step(undecided, [budget]) is Step.DONE
    later = replace(undecided, blocks=undecided.blocks + make.session(2, STEADY))
    assert rule(later, budget) == rule(undecided, budget)


def test_a_figure_beyond_the_backstop_is_not_tried_again(make, thrice) -> None:
    assert next_step(thrice({0: STEADY * 5}), [make.budget(backstop=0.009)]) is Step.DONE


@pytest.mark.parametrize("changes", [{"cpu_s": None}, {}], ids=["unmeasured", "measured"])
def test_what_this_host_does_not_measure_is_not_tried_again(make, thrice, changes) -> None:
    seen = thrice({0: AT_LIMIT * 2}, **changes)
    by_ratio = [replace(b, cpu_s=1.3 * b.cpu_s) if b.cpu_s and b.side == "candidate" else b for b in seen.blocks]
    step = next_step(replace(seen, blocks=tuple(by_ratio)), [make.budget(Metric.CPU)])
    assert step is (Step.DONE if changes else Step.AGAIN)


def test_one_that_ended_in_a_further_try_failed(make, thrice) -> None:
    ended = replace(thrice({0: AT_LIMIT, 2: STEADY[:1]}), ended="it died")
    assert next_step(ended, [make.budget()]) is Step.DONE
    assert rule(ended, make.budget()).outcome is Outcome.FAILED


def test_tries_multiply_the_time_that_measuring_may_take(make) -> None:
    once, thrice = make.PLAN.most_s(10.0), replace(make.PLAN, tries=3).most_s(10.0)
    assert thrice == pytest.approx(3 * once)
