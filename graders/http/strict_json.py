"""JSON from a hostile writer: bounded, and nothing in it that breaks whoever computes with it or writes it down.

No NaN or infinity, no number beyond a float, no duplicate keys, no lone surrogates, no great depth. Any problem is a
ValueError with a short reason.
"""

import json
import math
from typing import Any

MAX_BYTES = 1024 * 1024
_MAX_DIGITS = 400
_MAX_DEPTH = 100


def parse(data: bytes) -> Any:
    """The value of one JSON text in UTF-8. Raises ValueError with a short reason."""
    if len(data) > MAX_BYTES:
        msg = f"{len(data)} bytes, more than {MAX_BYTES}"
        raise ValueError(msg)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"not UTF-8 at byte {error.start}"
        raise ValueError(msg) from error
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_int=_integer, parse_float=_finite
        )
    except json.JSONDecodeError as error:
        msg = f"{error.msg} at character {error.pos}" if text.strip() else "the body is empty"
        raise ValueError(msg) from error
    except RecursionError as error:
        msg = "nested too deeply"
        raise ValueError(msg) from error
    _check_depth(value)
    if "\\u" in text:
        _check_surrogates(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        msg = "an object has the same key twice"
        raise ValueError(msg)
    return result


def _refuse(name: str) -> Any:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        msg = f"a number of {len(digits)} digits"
        raise ValueError(msg)
    value = int(digits)
    try:
        float(value)
    except OverflowError as error:
        msg = "a number too large for a float"
        raise ValueError(msg) from error
    return value


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        msg = "a number too large for a float"
        raise ValueError(msg)
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(_MAX_DEPTH):
        children = (item for parent in level for item in _items(parent))
        level = [child for child in children if isinstance(child, (dict, list))]
        if not level:
            return
    msg = f"nested deeper than {_MAX_DEPTH} levels"
    raise ValueError(msg)


def _check_surrogates(value: Any) -> None:
    """Half a surrogate pair is no text: it cannot be written as UTF-8 again."""
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        msg = "half a surrogate pair in a string"
        raise ValueError(msg) from error


def _items(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
