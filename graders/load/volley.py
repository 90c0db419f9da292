"""What came of one block of requests: each one's own times, and nothing averaged."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Volley:
    """One block of requests. Times are whole microseconds, one entry a request, in the order of their intended starts.

    Intended and sent count from the block's start.
    """

    intended_us: tuple[int, ...]
    """In a closed block, when its caller began to ask."""
    sent_us: tuple[int, ...]
    """When its first byte was about to go out (again, if it had to be repeated); of one that never was sent, when it
    was given up."""
    latency_us: tuple[int, ...]
    """From the intended start to the last byte of the answer, or to when the request was given up."""
    failures: Mapping[int, str]
    """A bounded sentence why a request has no right answer in time, by its place in the block."""
    lag_s: float
    """How late the generator itself was, at worst but for one request in a hundred: from when a request could and
    should have been sent, its intended start or the moment a connection was free for it, to when it was.

    A service that answers many requests at once makes it longer, by up to what reading them all takes. So a gate that
    voids a block for its lag should read the reference's, which the candidate cannot move."""
    seconds: float
    """From the block's start until its last request was answered or given up."""


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of `values` that at least `share` (0 to 1) of them do not exceed: the nearest rank, exact.

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    # As a decimal fraction: 0.99 * 100 is 99.00000000000001 or so in floats, and its ceiling one rank too high.
    rank = math.ceil(Fraction(str(share)) * len(values))
    return sorted(values)[max(rank, 1) - 1]
