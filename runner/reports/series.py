"""What a chart is drawn from: latencies, turns, pairs and intervals as plain figures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

_T = TypeVar("_T")
MOST_POINTS: Final = 80
"""Of one curve."""
LONGEST_S: Final = 1e6
"""What is slower, or no number, is drawn here at the most."""


@dataclass(frozen=True, slots=True)
class Answers:
    """The latencies of one side's right answers, in seconds, and how many requests were sent for them."""

    latencies_s: tuple[float, ...]
    asked: int

    @property
    def never(self) -> int:
        return max(self.asked - len(self.latencies_s), 0)


@dataclass(frozen=True, slots=True)
class LimitMark:
    """A budget on the curve: the time that a share of the requests, 0 to 1, must keep to."""

    name: str
    share: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One block of the submission: its requests as (place in the block 0 to 1, seconds, or None without an answer)."""

    session: int
    void: bool
    requests: tuple[tuple[float, float | None], ...]


@dataclass(frozen=True, slots=True)
class PairFigures:
    """One figure of both sides of one pair of blocks, None where there is none."""

    session: int
    void: bool
    candidate: float | None
    reference: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A budget's ratio with its interval, and the lines it is judged by."""

    ratio: float | None
    low: float | None
    high: float | None
    limit: float
    gone_at: float


def held_s(seconds: float) -> float:
    """A time that can be drawn."""
    return min(max(seconds, 0.0), LONGEST_S) if not math.isnan(seconds) else LONGEST_S


def thinned(items: Sequence[_T], most: int = MOST_POINTS) -> list[_T]:
    """At most so many of the items, evenly chosen, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
