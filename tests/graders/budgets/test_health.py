"""A reference slower than on a quiet host: whether its clock alone explains it, and what may then be decided."""

from dataclasses import replace

import pytest

from assessments.budget import Metric, Scenario
from assessments.outcome import Outcome
from graders.budgets import rule
from graders.budgets.gates import pairs
from graders.budgets.health import SLOWEST_CLOCK, times_slower_clock

STEADY = [1.0, 1.01, 0.99, 1.02, 0.98, 1.0]
SLOW = [2.0, 2.1, 1.9, 2.05, 1.95, 2.0]
HALF_THE_CLOCK = {"p50": 0.005, "p95": 0.005, "p99": 0.005, "longest": 0.005, "throughput": 100.0, "cpu": 0.002}
"""What the reference's 10 ms, 50 answers a second and 4 ms of CPU time were on the same host once."""


def ruled(make, ratios, calibration=HALF_THE_CLOCK, budget=None, **about):
    sessions = [make.session(number, ratios, **about) for number in (0, 1)]
    return rule(make.measurement(*sessions, calibration=calibration), budget or make.budget())


def test_at_half_the_clock_a_submission_still_passes(make) -> None:
    assert ruled(make, STEADY).outcome is Outcome.PASSED


@pytest.mark.parametrize("metric", [Metric.P50, Metric.P95, Metric.LONGEST])
def test_but_it_fails_by_no_latency(make, metric) -> None:
    ruling = ruled(make, SLOW, budget=make.budget(metric))
    assert ruling.outcome is Outcome.INCONCLUSIVE
    assert (
        "its CPU time says that the clock was 2.00 times slower, which is enough to pass and not to fail" in ruling.why
    )


def test_nor_by_wrong_answers_or_the_backstop(make) -> None:
    assert ruled(make, STEADY, wrong=20).outcome is Outcome.INCONCLUSIVE
    strict = make.budget(backstop=0.011)
    assert ruled(make, [1.2] * 6, budget=strict).outcome is Outcome.INCONCLUSIVE


def test_work_that_nothing_waits_for_is_judged_as_ever(make) -> None:
    plan = replace(make.PLAN, scenario=Scenario.CLOSED)
    for ratios, outcome in ((STEADY, Outcome.PASSED), (SLOW, Outcome.FAILED)):
        sessions = []
        for number in (0, 1):
            blocks = make.session(number, ratios)
            fewer = [replace(b, noise=replace(b.noise, seconds=b.latency_us[0] * 2e-4)) for b in blocks]
            sessions.append(fewer)
        measured = make.measurement(*sessions, plan=plan, calibration=HALF_THE_CLOCK)
        assert rule(measured, make.budget(Metric.THROUGHPUT)).outcome is outcome


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
    ruling = ruled(make, STEADY, cpu_s=None)
    assert ruling.outcome is Outcome.INCONCLUSIVE
