"""Figures as people write them. Pure functions of numbers; none rounds in anybody's favour."""

import math
from datetime import UTC, datetime


def percent(share: float) -> str:
    """A share of 0 to 1 in percent, one decimal, rounded down: 0.5999 is not the 60% that a mark asks for."""
    # The tiny addition undoes binary fractions such as 0.29 * 1000 == 289.99999999999994.
    return f"{math.floor(share * 1000 + 1e-6) / 10:g}%"


def points(value: float) -> str:
    return f"{round(value, 2):g}"


def count_points(value: float) -> str:
    return f"{points(value)} {'point' if value == 1 else 'points'}"


def count(number: int, singular: str) -> str:
    """A number with its noun, as in "1 check" and "3 checks"."""
    return f"{number:,} {singular if number == 1 else singular + 's'}"


def seconds(value: float) -> str:
    """A duration in the unit that reads best."""
    if value >= 100:
        return f"{value:,.0f} s"
    if value >= 1:
        return f"{value:.1f} s"
    return f"{value * 1000:.0f} ms" if value >= 0.01 or value == 0 else f"{value * 1000:.1f} ms"


def size(value: int) -> str:
    """A number of bytes in the unit that reads best."""
    for unit, name in ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")):
        if value >= unit:
            return f"{value / unit:.1f} {name}"
    return f"{value} B"


def moment(rfc3339: str) -> str:
    """A time stamp as a person writes it, in UTC; the text itself where it is not one."""
    try:
        when = datetime.fromisoformat(rfc3339).astimezone(UTC)
    except (ValueError, OverflowError):
        return rfc3339
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def short(digest: str) -> str:
    """The beginning of a digest, enough to tell two apart by eye."""
    return digest[:12]


def exact_seconds(value: float) -> str:
    """A measured time with three figures, in the unit that reads best."""
    if value >= 1:
        return f"{_three_figures(value)} s"
    return f"{_three_figures(value * 1e3)} ms" if value >= 1e-3 or value == 0 else f"{_three_figures(value * 1e6)} µs"


def times(ratio: float) -> str:
    """A ratio as a factor: 1.72 is "1.72 times"."""
    return f"{_three_figures(ratio)} times"


def rate(per_second: float) -> str:
    return f"{_three_figures(per_second)} a second"


def part(share: float) -> str:
    """A share of 0 to 1 in percent that tells little from nothing: 0.0002 is "0.02%", and only zero is "0%"."""
    return "0%" if share == 0 else f"{_three_figures(share * 100)}%" if share >= 1e-4 else "under 0.01%"


def _three_figures(value: float) -> str:
    if abs(value) >= 1e9:
        return f"{value:.2e}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
