"""The moments of an open block: planned from a seed, and spread as they are said to be."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.budget import Arrivals
from graders.load import arrivals

KINDS = st.sampled_from(Arrivals)
RATES = st.floats(0.5, 500)
SECONDS = st.floats(0, 5)
SEEDS = st.integers(0, 2**64)


@given(KINDS, RATES, SECONDS, SEEDS)
def test_moments_ascend_within_the_block_and_are_the_same_for_the_same_seed(
    kind: Arrivals, rate: float, seconds: float, seed: int
) -> None:
    moments = arrivals(kind, rate, seconds, seed)
    assert list(moments) == sorted(moments)
    assert all(0 <= moment < seconds for moment in moments)
    assert moments == arrivals(kind, rate, seconds, seed)


@given(RATES, st.floats(1, 5), SEEDS)
def test_a_poisson_count_is_within_seven_sigma_of_its_mean(rate: float, seconds: float, seed: int) -> None:
    mean = rate * seconds
    assert abs(len(arrivals(Arrivals.POISSON, rate, seconds, seed)) - mean) <= 7 * math.sqrt(mean) + 7


def test_poisson_gaps_are_exponential() -> None:
    moments = arrivals(Arrivals.POISSON, 100, 200, seed=1)
    gaps = [later - earlier for earlier, later in zip((0.0, *moments), moments, strict=False)]
    for quantile in (0.1, 0.5, 0.9, 0.99):
        share = sum(gap <= -math.log(1 - quantile) / 100 for gap in gaps) / len(gaps)
        assert share == pytest.approx(quantile, abs=0.02)


def test_another_seed_gives_other_moments() -> None:
    assert arrivals(Arrivals.POISSON, 50, 1, seed=1) != arrivals(Arrivals.POISSON, 50, 1, seed=2)


def test_constant_arrivals_start_at_once_and_do_not_drift() -> None:
    moments = arrivals(Arrivals.CONSTANT, 1000, 10, seed=0)
    assert len(moments) == 10_000
    assert (moments[0], moments[5000]) == (0, 5)


@pytest.mark.parametrize("rate", [0, -1, math.nan, math.inf])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="rate"):
        arrivals(Arrivals.POISSON, rate, 1, seed=0)
