"""Whether the reference ran as it does on a quiet host.

A ratio protects from a host that is slow for both sides alike, and from nothing else. Queueing amplifies: on a busy
host a submission that is a little slower than the reference looks far slower. And noise that is larger than the
service itself, and is added to both sides, pulls every ratio towards 1: on a busy host a slow submission looks well.
More pairs mend neither. So both passing and failing ask that the reference, by itself, was as fast as it can be here.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from typing import Final

from assessments.budget import Metric
from graders.budgets.figures import Point
from graders.budgets.gates import Pair
from graders.budgets.words import NAMES, amount, percent

SLOWER: Final = 1.25
"""How many times its calibrated figure the reference's median may be. Measured on a 4.3 ms service: with neighbours
that are pushed aside it stays within 1.1, with ones that are not it is over 1.4."""
SLOWER_TAIL: Final = 1.5
"""The same for p95, p99 and the longest, which move more by themselves."""
TAILS: Final = frozenset({Metric.P95, Metric.P99, Metric.LONGEST})
WAITED: Final = 0.10
"""Where there is no calibration: the share of its CPU time that the reference may have waited for a CPU."""
STEADY: Final = frozenset({Metric.CPU, Metric.MEMORY})
"""What these count does not depend on when the process is let run, so that they need no check of health."""


def unhealthy(metric: Metric, points: Sequence[Point], pairs: Sequence[Pair], calibration: Mapping[str, float]) -> str:
    """Why nothing can be decided from these points and their pairs, in words; empty when the reference was healthy."""
    best = calibration.get(metric.value)
    if best is None or not best > 0 or math.isinf(best):
        return _waited(pairs)
    if not points:
        return f"there were too few requests to tell the reference's {NAMES[metric]}"
    seen = statistics.median(point.reference for point in points)
    allowed = SLOWER_TAIL if metric in TAILS else SLOWER
    slower = best / seen if metric is Metric.THROUGHPUT else seen / best
    if slower <= allowed:
        return ""
    return (
        f"the reference's own {NAMES[metric]} was {amount(metric, seen)} where a quiet host gives "
        f"{amount(metric, best)}, worse by more than the {allowed:g} times that still count as quiet"
    )


def _waited(pairs: Sequence[Pair]) -> str:
    waits = [pair.reference.noise.reference_wait_s for pair in pairs]
    used = [pair.reference.cpu_s for pair in pairs]
    waited_s = sum(wait for wait in waits if wait is not None)
    used_s = sum(cpu for cpu in used if cpu is not None)
    if not pairs or None in waits or None in used or used_s <= 0:
        return "no quiet session has been seen on this host, and it does not tell how long the reference waited"
    if waited_s < WAITED * used_s:
        return ""
    return (
        f"no quiet session has been seen on this host, and the reference waited for a CPU for "
        f"{percent(waited_s / used_s)} of the CPU time it used, where {percent(WAITED)} still count as quiet"
    )
