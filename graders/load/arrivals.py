"""When the requests of an open block start."""

import math
import random
from collections.abc import Iterator
from itertools import accumulate, repeat, takewhile
from typing import assert_never

from assessments.budget import Arrivals


def arrivals(kind: Arrivals, rate_per_s: float, seconds: float, seed: int) -> tuple[float, ...]:
    """Ascending offsets in seconds within [0, seconds), the same ones for the same arguments.

    Poisson: the gaps are exponential, of mean 1 / rate, and the first request comes after the first gap. Constant: a
    request each 1 / rate seconds, the first at 0. Raises ValueError for a rate that is not positive and finite.
    """
    if not (math.isfinite(rate_per_s) and rate_per_s > 0):
        msg = f"the rate is {rate_per_s} requests a second, but must be positive"
        raise ValueError(msg)
    moments: Iterator[float]
    match kind:
        case Arrivals.POISSON:
            draw = random.Random(seed)  # noqa: S311 - moments of load, no secrets
            moments = accumulate(draw.expovariate(rate_per_s) for _ in repeat(None))
        case Arrivals.CONSTANT:
            # Multiplied, not added up: a sum of a thousand rounded gaps would drift.
            moments = (place / rate_per_s for place, _ in enumerate(repeat(None)))
        case _:
            assert_never(kind)
    return tuple(takewhile(lambda moment: moment < seconds, moments))
