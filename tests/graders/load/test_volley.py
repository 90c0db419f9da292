"""Percentiles are those of the values themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.load import percentile


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.01, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_of_the_first_hundred_numbers_each_is_its_own_percentile(share: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), share) == expected


@given(st.lists(st.floats(allow_nan=False), min_size=1), st.floats(0, 1))
def test_at_least_the_share_keeps_to_it_and_less_keeps_below_it(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values) * (1 - 1e-12)
    assert found == min(values) or sum(value < found for value in values) < share * len(values) * (1 + 1e-12)


def test_no_values_have_no_percentile() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)
