"""What a quiet session teaches about a host."""

from dataclasses import replace

import pytest

from assessments.budget import Metric
from assessments.measurement import Side
from graders.budgets import better, calibrated

RATIOS = [5.0] * 6


def noisy(blocks, **noise):
    return [replace(b, noise=replace(b.noise, **noise)) for b in blocks]


def test_a_quiet_session_gives_the_references_medians(make) -> None:
    found = calibrated(make.measurement(make.session(0, RATIOS)))
    assert found == {
        "p50": pytest.approx(0.010),
        "p95": pytest.approx(0.010),
        "longest": pytest.approx(0.010),
        "throughput": pytest.approx(50.0),
        "cpu": pytest.approx(0.004),
        "memory": 100_000_000,
    }


def test_starts_give_the_start_up_time(make) -> None:
    blocks = [b for place in range(5) for b in make.pair(0, place, 400_000, 900_000, requests=1)]
    assert calibrated(make.measurement(blocks, plan=make.START_PLAN))[Metric.START_UP] == pytest.approx(0.4)


@pytest.mark.parametrize(
    "noise",
    [{"foreign_cpu_s": 0.4}, {"foreign_cpu_s": None}, {"steal_s": 0.05}, {"generator_lag_s": 0.1}],
)
def test_a_session_that_was_not_quiet_gives_nothing(make, noise) -> None:
    assert calibrated(make.measurement(noisy(make.session(0, RATIOS), **noise))) is None


def test_a_reference_that_waited_gives_nothing(make) -> None:
    blocks = [b if b.side is Side.CANDIDATE else noisy([b], reference_wait_s=0.05)[0] for b in make.session(0, RATIOS)]
    assert calibrated(make.measurement(blocks)) is None


def test_a_run_whose_threads_wait_for_each_other_may_still_have_been_quiet(make) -> None:
    whole = [noisy([replace(b, cpu_s=0.5)], seconds=0.5, reference_wait_s=0.2)[0] for b in make.session(0, RATIOS)]
    assert calibrated(make.measurement(whole, plan=make.RUN_PLAN)) is not None


def test_a_short_session_gives_nothing(make) -> None:
    assert calibrated(make.measurement()) is None
    assert calibrated(make.measurement(make.session(0, RATIOS[:5]))) is None


def test_the_better_session_of_two_counts(make) -> None:
    slower = [replace(b, latency_us=tuple(2 * us for us in b.latency_us)) for b in make.session(1, RATIOS)]
    assert calibrated(make.measurement(make.session(0, RATIOS), slower))["p95"] == pytest.approx(0.010)


def test_the_better_of_two_figures_is_kept_for_each_metric() -> None:
    old = {"p95": 2.0, "throughput": 40.0, "cpu": 1.0}
    new = {"p95": 1.0, "throughput": 50.0, "p50": 3.0}
    assert better(old, new) == {"p95": 1.0, "throughput": 50.0, "cpu": 1.0, "p50": 3.0}
    assert better(old, new) == better(new, old)
    assert better({}, new) == new
