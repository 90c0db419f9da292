"""Names of metrics, and amounts with their units, for people."""

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from assessments.budget import Metric

NAMES: Final[Mapping[Metric, str]] = MappingProxyType(
    {
        Metric.P50: "median latency",
        Metric.P95: "p95",
        Metric.P99: "p99",
        Metric.LONGEST: "longest latency",
        Metric.THROUGHPUT: "throughput",
        Metric.CPU: "CPU time a right answer",
        Metric.MEMORY: "peak memory",
        Metric.START_UP: "start-up time",
        Metric.WALL: "time of a run",
    }
)


def amount(metric: Metric, value: float) -> str:
    """A metric's figure, in a unit that fits it."""
    if math.isinf(value):
        return "no right answer in time"
    match metric:
        case Metric.THROUGHPUT:
            return f"{value:.1f} answers/s"
        case Metric.MEMORY:
            return f"{value / 2**20:.1f} MiB"
        case _:
            return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.2f} ms"


def times(ratio: float) -> str:
    """A ratio; beyond a thousand its digits say nothing."""
    return f"{ratio:.2f}" if ratio < 1000 else "over 1000"


def percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share < 0.1 else f"{100 * share:.0f} %"


def confidence(alpha: float) -> str:
    return f"{100 * (1 - alpha):g} %"


def sentence(text: str) -> str:
    """The text with a capital and a full stop; only the first letter is touched, so that units keep theirs."""
    # "p95" is a name and stays as it is written.
    start = text if text.startswith(("p95", "p99")) else text[:1].upper() + text[1:]
    return start if start.endswith(".") else f"{start}."
