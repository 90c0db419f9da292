"""A reference slower than on a quiet host: whether its clock alone explains it, and what may then be decided."""

from dataclasses import replace

import pytest

from assessments.budget import Metric, Scenario
from assessments.measurement import Side
from assessments.outcome import Outcome
from graders.budgets import rule
from graders.budgets.figures import alone
from graders.budgets.gates import pairs
from graders.budgets.health import SLOWEST_CLOCK, times_slower_clock

STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]
SLOW = [2.0, 2.1, 1.9, 2.05, 1.95, 2.0]
HALF_THE_CLOCK = {"p50": 0.005, "p95": 0.005, "p99": 0.005, "longest": 0.005, "throughput": 100.0, "cpu": 0.002}
"""What the reference's 10 ms, 50 answers a second and 4 ms of CPU time were on the same host once."""


def ruled(make, ratios, calibration=HALF_THE_CLOCK, budget=None, **about):
    sessions = [make.session(number, ratios, **about) for number in (0, 1)]
    return rule(make.measurement(*sessions, calibration=calibration), budget or make.budget())


def ruled_closed(make, ratios, calibration=HALF_THE_CLOCK, **about):
    """As many answers a second fewer as these ratios say."""
    plan = replace(make.PLAN, scenario=Scenario.CLOSED)
    sessions = [
        [replace(b, noise=replace(b.noise, seconds=b.latency_us[0] * 2e-4)) for b in make.session(n, ratios, **about)]
        for n in (0, 1)
    ]
    return rule(make.measurement(*sessions, plan=plan, calibration=calibration), make.budget(Metric.THROUGHPUT))


def test_at_half_the_clock_a_submission_still_passes_and_the_ruling_says_so(make) -> None:
    ruling = ruled(make, STEADY)
    assert ruling.outcome is Outcome.PASSED
    assert "within the limit of 1.30; the host's clock was 2.00 times slower than when it was quiet." in ruling.why
    assert "clock" not in ruled(make, STEADY, make.CALIBRATION).why


@pytest.mark.parametrize("metric", [Metric.P50, Metric.P95, Metric.LONGEST])
def test_but_it_fails_by_no_latency(make, metric) -> None:
    ruling = ruled(make, SLOW, budget=make.budget(metric), cpu_s=0.8)
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "the clock was 2.00 times slower, which is not enough to fail" in ruling.why


@pytest.mark.parametrize(("times", "outcome"), [(1.9, Outcome.INCONCLUSIVE), (2.5, Outcome.FAILED)])
def test_unless_requests_that_nothing_was_before_are_beyond_the_limit_at_full_clock_too(make, times, outcome) -> None:
    """The reference works for 4 of its 10 ms, and may take 8 at full clock: all work comes 1.6 times nearer to it."""
    slow = [times + by for by in (0, 0.01, -0.01, 0.02, -0.02, 0)]
    due_us = 40_000
    sessions = [
        [
            replace(block, intended_us=tuple(range(0, due_us * len(block.latency_us), due_us)))
            for block in make.session(number, slow, cpu_s=1.0)
        ]
        for number in (0, 1)
    ]
    ruling = rule(make.measurement(*sessions, calibration=HALF_THE_CLOCK), make.budget())
    assert ruling.outcome is outcome
    if outcome is Outcome.FAILED:
        assert "a second session agreed; the host's clock was 2.00 times slower" in ruling.why
        assert 1.5 < ruling.low < 2.5 / 1.6
        assert ruling.share == pytest.approx((2.0 - ruling.low) / 0.7)


def test_requests_that_queued_are_not_among_those_that_nothing_was_before(make) -> None:
    block = make.block(Side.CANDIDATE, 0, 0, [5, 20, 5, 5, 5, 5])
    block = replace(block, intended_us=(0, 10, 20, 31, 40, 50))
    assert alone(block).latency_us == (5, 20, 5, 5, 5)
    assert alone(replace(block, failures={3: "HTTP 500"})).latency_us == (5, 20)
    assert alone(replace(block, latency_us=(100, 20, 5, 5, 5, 5))).latency_us == (100,)
    assert alone(replace(block, intended_us=(0, 10))).latency_us == (5, 20)


def test_nor_by_wrong_answers_or_the_backstop(make) -> None:
    assert ruled(make, STEADY, wrong=20).outcome is Outcome.INCONCLUSIVE
    strict = make.budget(backstop=0.011)
    assert ruled(make, [1.2] * 6, budget=strict).outcome is Outcome.INCONCLUSIVE


def test_one_that_waits_where_the_reference_works_gains_nothing(make) -> None:
    """At full clock it would be twice as slow: its 2 ms of work halve, its 8 ms of waiting stay."""
    ruling = ruled(make, STEADY, cpu_s=0.2)
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "which the submission does not feel as the reference does" in ruling.why


def test_work_that_nothing_waits_for_is_judged_as_ever(make) -> None:
    assert ruled_closed(make, STEADY).outcome is Outcome.PASSED
    failed = ruled_closed(make, SLOW, cpu_s=0.8)
    assert failed.outcome is Outcome.FAILED
    assert "a second session agreed; the host's clock was 2.00 times slower" in failed.why


def test_one_that_works_where_the_reference_waits_loses_nothing(make) -> None:
    ruling = ruled_closed(make, SLOW, cpu_s=1.2)
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "the clock was 2.00 times slower, which is not enough to fail" in ruling.why


def test_answers_that_a_slow_clock_makes_late_fail_nobody(make) -> None:
    assert ruled_closed(make, SLOW, cpu_s=0.8, wrong=5).outcome is Outcome.INCONCLUSIVE
    assert ruled_closed(make, SLOW, make.CALIBRATION, cpu_s=0.8, wrong=5).outcome is Outcome.FAILED


@pytest.mark.parametrize("explains", [{"cpu": 0.004}, {"p50": 0.010}, {}])
def test_noise_that_either_witness_does_not_bear_out_decides_nothing(make, explains) -> None:
    calibration = HALF_THE_CLOCK | explains if explains else {"p95": 0.005}
    ruling = ruled(make, STEADY, calibration)
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert "the reference's own p95 was 10.00 ms where a quiet host gives 5.00 ms" in ruling.why
    assert "clock" not in ruling.why


def test_a_tail_that_grew_by_more_than_the_clock_explains_decides_nothing(make) -> None:
    assert ruled(make, STEADY, HALF_THE_CLOCK | {"p95": 0.003}).outcome is Outcome.INCONCLUSIVE


def test_no_host_is_so_slow_that_anything_goes(make) -> None:
    measured = make.measurement(make.session(0, STEADY))
    whole = pairs(measured, 0)
    assert times_slower_clock(whole, make.PLAN, {"p50": 0.001, "cpu": 0.0004}) == SLOWEST_CLOCK
    assert times_slower_clock(whole, make.PLAN, {"p50": 0.020, "cpu": 0.008}) == 1.0
    assert ruled(make, STEADY, {"p50": 0.001, "p95": 0.001, "cpu": 0.0004}).outcome is Outcome.INCONCLUSIVE


def test_what_the_host_does_not_measure_explains_nothing(make) -> None:
    assert ruled(make, STEADY, cpu_s=None).outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("scenario", "metric"), [(Scenario.START_UP, Metric.START_UP), (Scenario.BATCH, Metric.WALL)])
def test_starts_and_runs_at_half_the_clock(make, scenario, metric) -> None:
    plan = make.START_PLAN if scenario is Scenario.START_UP else make.RUN_PLAN
    calibration = {"start-up": 0.2, "wall": 0.2, "cpu": 0.2}

    def outcome(candidate_us, cpu_s):
        sessions = [
            [b for place in range(5) for b in make.pair(n, place, 400_000, candidate_us, requests=1, cpu_s=cpu_s)]
            for n in (0, 1)
        ]
        return rule(
            make.measurement(*sessions, plan=plan, calibration=calibration), make.budget(metric, plan=plan.id)
        ).outcome

    assert outcome(400_000, 0.4) is Outcome.PASSED
    assert outcome(900_000, 0.9) is Outcome.FAILED
    assert outcome(400_000, 0.1) is Outcome.INCONCLUSIVE
    assert outcome(900_000, 1.8) is Outcome.INCONCLUSIVE
