"""Estimates against published figures, and against what must hold of any."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.insights.estimates import beta_ratio, correlation, cronbach_alpha, f_quantile, share_of


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_score_interval_of_newcombes_table(hits: int, n: int, low: float, high: float) -> None:
    """R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3."""
    estimate = share_of(hits, n)
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (low, high)


@given(st.integers(1, 500), st.data())
def test_a_shares_interval_holds_the_share_and_mirrors_its_complement(n: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, n))
    this, other = share_of(hits, n), share_of(n - hits, n)
    assert 0 <= this.low <= this.value <= this.high <= 1
    assert math.isclose(this.low, 1 - other.high, abs_tol=1e-12)


@pytest.mark.parametrize("of", [(0, 0), (3, 2), (-1, 2)])
def test_there_is_no_share_of_nothing_nor_more_than_all(of: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no share"):
        share_of(*of)


@pytest.mark.parametrize(
    ("above", "below", "printed"),
    [(1, 1, 647.8), (1, 10, 6.94), (5, 15, 3.58), (10, 10, 3.72), (15, 5, 6.43), (20, 20, 2.46), (60, 120, 1.53)],
)
def test_f_has_the_quantiles_of_the_printed_table(above: int, below: int, printed: float) -> None:
    """Pearson and Hartley, Biometrika Tables for Statisticians, table 18: the upper 2.5 per cent."""
    assert f_quantile(0.975, above, below) == pytest.approx(printed, abs=0.0051 if printed < 100 else 0.051)


@given(st.integers(1, 400), st.integers(1, 4_000), st.floats(0.01, 0.99))
def test_f_the_other_way_up_is_its_reciprocal(above: int, below: int, probability: float) -> None:
    upright, turned = f_quantile(probability, above, below), f_quantile(1 - probability, below, above)
    assert upright * turned == pytest.approx(1, rel=1e-6)


@given(st.integers(1, 30), st.integers(1, 30), st.floats(0.001, 0.999))
def test_the_beta_ratio_of_whole_numbers_is_a_binomial_tail(a: int, b: int, x: float) -> None:
    """Abramowitz and Stegun, 26.5.24."""
    n = a + b - 1
    tail = math.fsum(math.comb(n, k) * x**k * (1 - x) ** (n - k) for k in range(a, n + 1))
    assert beta_ratio(x, a, b) == pytest.approx(tail, rel=1e-9, abs=1e-12)


def test_f_refuses_what_is_no_probability_and_no_degrees_of_freedom() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        f_quantile(1.0, 1, 1)
    with pytest.raises(ValueError, match="degree of freedom"):
        f_quantile(0.5, 0, 1)


def test_alpha_is_that_of_shrout_and_fleiss() -> None:
    """P. E. Shrout and J. L. Fleiss, Psychological Bulletin 86 (1979), tables 2 and 4: ICC(3, k), which alpha is, .91.

    The interval by hand from the printed F of 3.58 (5, 15) and 6.43 (15, 5): 1 - .0907 * 3.58, 1 - .0907 / 6.43.
    """
    ratings = [(9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7)]
    alpha = cronbach_alpha(ratings)
    assert alpha is not None
    assert alpha.value == pytest.approx(0.909, abs=0.0005)
    assert (alpha.low, alpha.high) == (pytest.approx(0.675, abs=0.001), pytest.approx(0.986, abs=0.001))


def test_items_that_agree_wholly_have_an_alpha_of_one_and_constant_ones_do_not_count() -> None:
    alpha = cronbach_alpha([(0, 0, 1), (1, 1, 1), (0, 0, 1)])
    assert alpha is not None
    assert (alpha.low, alpha.value, alpha.high) == (1, 1, 1)
    assert cronbach_alpha([(0, 1), (1, 1)]) is None
    assert cronbach_alpha([(0, 1), (1, 0)]) is None
    assert cronbach_alpha([]) is None


def test_a_correlation_by_hand() -> None:
    """x = 1..5, y = 2, 1, 4, 3, 5: products 8, squares 10 and 10. atanh(.8) = 1.0986, 1.96 / sqrt(2) = 1.3859."""
    found = correlation([1, 2, 3, 4, 5], [2, 1, 4, 3, 5])
    assert found is not None
    assert found.value == pytest.approx(0.8)
    assert (found.low, found.high) == (pytest.approx(-0.2796, abs=1e-4), pytest.approx(0.9862, abs=1e-4))


def test_what_does_not_vary_has_no_correlation() -> None:
    assert correlation([1, 1, 1, 1], [1, 2, 3, 4]) is None
    assert correlation([1, 2, 3], [1, 2, 3]) is None
    straight = correlation([1, 2, 3, 4], [2, 4, 6, 8])
    assert straight is not None
    assert straight.low == straight.high == pytest.approx(1)
