"""Quantiles of Student's t agree with the printed tables."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.budgets.student import quantile, within

TABLE = [
    # Abramowitz & Stegun, table 26.10, and any textbook's.
    (0.95, 1, 6.314),
    (0.975, 1, 12.706),
    (0.9995, 1, 636.619),
    (0.95, 2, 2.920),
    (0.995, 2, 9.925),
    (0.95, 5, 2.015),
    (0.99, 5, 3.365),
    (0.9995, 5, 6.869),
    (0.975, 10, 2.228),
    (0.999, 10, 4.144),
    (0.95, 29, 1.699),
    (0.9995, 29, 3.659),
    (0.975, 30, 2.042),
    (0.995, 120, 2.617),
]


@pytest.mark.parametrize(("probability", "df", "t"), TABLE)
def test_a_quantile_is_the_tables(probability: float, df: int, t: float) -> None:
    assert quantile(probability, df) == pytest.approx(t, abs=6e-4)


def test_one_degree_of_freedom_is_cauchys_closed_form_into_the_tails() -> None:
    for probability in (0.6, 0.9, 0.9999, 1 - 1e-9):
        assert quantile(probability, 1) == pytest.approx(math.tan(math.pi * (probability - 0.5)), rel=1e-6)


def test_two_degrees_of_freedom_have_a_closed_form_too() -> None:
    for p in (0.6, 0.9, 0.9998):
        assert quantile(p, 2) == pytest.approx((2 * p - 1) * math.sqrt(2 / (4 * p * (1 - p))), rel=1e-9)


def test_many_degrees_of_freedom_come_close_to_the_normal_distribution() -> None:
    assert quantile(0.975, 5000) == pytest.approx(1.9604, abs=2e-4)


@settings(deadline=None)
@given(st.floats(0.5001, 0.9999), st.integers(1, 60))
def test_a_quantile_is_inverted_and_mirrored(probability: float, df: int) -> None:
    t = quantile(probability, df)
    assert within(math.atan(t / math.sqrt(df)), df) == pytest.approx(2 * probability - 1, abs=1e-9)
    assert quantile(1 - probability, df) == pytest.approx(-t, rel=1e-6)


@settings(deadline=None)
@given(st.floats(0.51, 0.9999), st.integers(1, 60))
def test_more_degrees_of_freedom_make_a_narrower_interval(probability: float, df: int) -> None:
    assert quantile(probability, df + 1) < quantile(probability, df)


@pytest.mark.parametrize(("probability", "df"), [(0.0, 3), (1.0, 3), (0.9, 0)])
def test_what_is_no_probability_or_no_degree_of_freedom_is_refused(probability: float, df: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        quantile(probability, df)
