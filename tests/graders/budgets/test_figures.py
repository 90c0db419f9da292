"""Figures of blocks and ratios of pairs."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assessments.budget import Metric
from assessments.measurement import Side
from graders.budgets.figures import figure, log_ratio, order_statistic, series
from graders.budgets.gates import Gate, pairs


def test_a_percentile_is_the_exact_order_statistic(make) -> None:
    block = make.block(Side.CANDIDATE, 0, 0, [n * 1000 for n in range(100, 0, -1)])
    assert figure([block], Metric.P50) == pytest.approx(0.050)
    assert figure([block], Metric.P95) == pytest.approx(0.095)
    assert figure([block], Metric.P99) == pytest.approx(0.099)
    assert figure([block], Metric.LONGEST) == pytest.approx(0.100)


@settings(deadline=None)
@given(st.lists(st.floats(0, 10), min_size=1), st.floats(0.01, 0.99))
def test_a_percentile_is_the_least_value_that_enough_keep_to(values: list[float], quantile: float) -> None:
    value = order_statistic(values, quantile)
    keep = sum(other <= value for other in values)
    fewer = sum(other < value for other in values)
    assert keep >= quantile * len(values) - 1e-6
    assert fewer < quantile * len(values) + 1e-6


def test_a_request_without_a_right_answer_is_infinitely_slow(make) -> None:
    block = make.block(Side.CANDIDATE, 0, 0, make.spread(1000), wrong=6)
    assert figure([block], Metric.P50) == pytest.approx(0.001)
    assert figure([block], Metric.P95) == math.inf
    assert figure([replace(block, failures={3: "no"})], Metric.P95) == pytest.approx(0.001)


def test_throughput_and_cpu_count_right_answers_only(make) -> None:
    block = make.block(Side.CANDIDATE, 0, 0, make.spread(1000), wrong=20, cpu_s=0.4)
    assert figure([block], Metric.THROUGHPUT) == pytest.approx(40)
    assert figure([block], Metric.CPU) == pytest.approx(0.005)
    assert figure([replace(block, cpu_s=None)], Metric.CPU) is None


def test_memory_is_the_peak_of_all_blocks(make) -> None:
    blocks = [make.block(Side.CANDIDATE, 0, n, [1], memory_bytes=size) for n, size in enumerate((5, None, 9, 7))]
    assert figure(blocks, Metric.MEMORY) == 9
    assert figure(blocks[1:2], Metric.MEMORY) is None


def test_a_worse_candidate_has_a_ratio_above_one_for_every_metric() -> None:
    assert log_ratio(Metric.P95, 1.0, 2.0) == pytest.approx(math.log(2))
    assert log_ratio(Metric.THROUGHPUT, 2.0, 1.0) == pytest.approx(math.log(2))
    assert log_ratio(Metric.P95, 1.0, math.inf) == math.inf
    assert log_ratio(Metric.THROUGHPUT, 2.0, 0.0) == math.inf
    assert math.isfinite(log_ratio(Metric.CPU, 0.0, 0.0))


@pytest.mark.parametrize(("metric", "size"), [(Metric.P50, 1), (Metric.P95, 3), (Metric.P99, 12), (Metric.CPU, 1)])
def test_a_percentile_takes_in_pairs_until_it_has_its_sample(make, metric, size) -> None:
    many = pairs(make.measurement(make.session(0, [1.0] * 25, requests=40)), 0)
    seen = series(many, make.PLAN, metric)
    assert [point.upto for point in seen.points] == list(range(size, 26, size))
    assert len(seen.pairs) == 25


def test_a_slow_candidate_of_a_closed_plan_gains_nothing_by_making_few_requests(make) -> None:
    blocks = [
        replace(b, latency_us=b.latency_us[:10]) if b.side is Side.CANDIDATE else b for b in make.session(0, [10.0] * 6)
    ]
    seen = series(pairs(make.measurement(blocks), 0), make.PLAN, Metric.P95)
    assert [point.log_ratio for point in seen.points] == pytest.approx([math.log(10)] * 6)


def test_a_reference_that_fails_voids_the_pair_and_a_candidate_that_fails_does_not(make) -> None:
    reference, candidate = make.session(0, [1.0])
    failing = dict.fromkeys(range(6), "HTTP 500")
    ours = pairs(make.measurement([replace(reference, failures=failing), candidate]), 0)
    theirs = pairs(make.measurement([reference, replace(candidate, failures=failing)]), 0)
    assert [void.gate for void in series(ours, make.PLAN, Metric.P95).voids] == [Gate.REFERENCE]
    (point,) = series(theirs, make.PLAN, Metric.P95).points
    assert point.log_ratio == math.inf
    assert point.at_least == pytest.approx(math.log(make.PLAN.timeout_s / 0.010))
