"""The exact lower bound of a share."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.budgets.binomial import share_at_least, tail


@settings(deadline=None)
@given(st.integers(1, 60), st.floats(0.001, 0.999), st.data())
def test_a_tail_is_the_sum_of_its_terms(requests: int, share: float, data: st.DataObject) -> None:
    wrong = data.draw(st.integers(0, requests))
    terms = (math.comb(requests, k) * share**k * (1 - share) ** (requests - k) for k in range(wrong, requests + 1))
    assert tail(wrong, requests, share) == pytest.approx(math.fsum(terms), abs=1e-12)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_a_tail_of_thousands_is_right_on_either_side_of_its_middle(share: float) -> None:
    """About half at the mean, and next to nothing or nearly all ten standard deviations from it."""
    requests = 5000
    mean, deviation = requests * share, math.sqrt(requests * share * (1 - share))
    assert tail(round(mean), requests, share) == pytest.approx(0.5, abs=0.05)
    assert tail(max(round(mean - 10 * deviation), 0), requests, share) == pytest.approx(1.0)
    assert tail(min(round(mean + 10 * deviation), requests), requests, share) < 1e-6
    assert tail(7, requests, share) == pytest.approx(1.0)


def test_the_bound_is_clopper_and_pearsons() -> None:
    # One of n: 1 - (1 - alpha)^(1 / n). All of n: alpha^(1 / n).
    assert share_at_least(1, 100, 0.05) == pytest.approx(1 - 0.95**0.01)
    assert share_at_least(20, 20, 0.001) == pytest.approx(0.001**0.05)
    # Exact binomial test tables: 10 of 100, one-sided 97.5 %.
    assert share_at_least(10, 100, 0.025) == pytest.approx(0.0490, abs=1e-4)


def test_nothing_wrong_proves_nothing() -> None:
    assert share_at_least(0, 100, 0.05) == 0
    assert share_at_least(0, 0, 0.05) == 0
