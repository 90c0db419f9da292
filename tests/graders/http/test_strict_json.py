"""JSON from a hostile writer is read strictly, and whatever is wrong with it is a ValueError."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.http import strict_json

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_every_json_value_comes_back_as_it_was(value: object) -> None:
    assert strict_json.parse(json.dumps(value).encode("utf-8")) == value


@given(st.binary(max_size=200))
def test_bytes_that_are_no_json_raise_nothing_but_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        strict_json.parse(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"NaN", "NaN"),
        (b"[Infinity]", "Infinity"),
        (b"-Infinity", "Infinity"),
        (b"1e999", "too large"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"[" * 200 + b"]" * 200, "deeper than 100"),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "deeper than 100"),
        (b"1" * 100_000, "digits"),
        (b"\xff\xfe", "UTF-8"),
        (b'"\xed\xa0\x80"', "UTF-8"),
        (b'{"a": 1} trailing', "Extra data"),
    ],
)
def test_what_json_does_not_allow_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        strict_json.parse(data)
