"""Whether the reference ran as it does on a quiet host.

A ratio protects from a host that is slow for both sides alike, and from nothing else. Queueing amplifies: on a busy
host a submission that is a little slower than the reference looks far slower. And noise that is larger than the
service itself, and is added to both sides, pulls every ratio towards 1: on a busy host a slow submission looks well.
More pairs mend neither. So both passing and failing ask that the reference, by itself, was as fast as it can be here.

One thing slows both sides and spoils no ratio: a clock that is slower, as it is on rented machines at times, where
both spend their time alike. Then the reference also needs more CPU time for the same work, and all of its requests
take longer, not the unlucky ones alone. By as much it may be slower, and still count for passing: queueing makes a
slow clock look worse than it is, never better. For failing it counts where nothing queues, and of percentiles as far as
those requests go that nothing was under way before. A submission that waits where the reference works would gain by a
slow clock, and one that works where the reference waits would lose by it: of these nothing is decided. That is the one
thing here which a submission can move; all that it can get is what any other one has.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assessments.budget import Metric, Plan, Scenario
from assessments.measurement import Block, Isolation, Measurement
from graders.budgets.figures import CLOCK_S, QUANTILES, Point, alone, figure, series
from graders.budgets.gates import Pair, reference_waited_s
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
UNQUEUED: Final = frozenset({Metric.THROUGHPUT, Metric.START_UP, Metric.WALL})
"""Sums of work, one piece after the other: a slower clock makes them longer by as much, and queueing adds nothing."""
SLOWEST_CLOCK: Final = 3.0
"""A host that is slower yet is ill, whatever the reason."""
ALIKE: Final = 1.25
"""How many times more of its time one side may work than the other, and still be slowed alike by a slower clock."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the reference was, and what may be decided."""

    words: str = ""
    """What was unlike a quiet host; empty when nothing was."""
    passes: bool = True
    fails: bool = True
    """Whether a submission may fail, though by its ratio only where `clock` is above 1."""
    clock: float = 1.0
    """How many times slower the host's clock was than when it was quiet, where that is why anything may be decided."""
    gain: float | None = None
    """By how many times at most a faster clock would bring an unqueued submission nearer to the reference, in a
    percentile of an open plan; None where a slow clock is not what stands in the way of failing."""


WELL: Final = Health()


def health(metric: Metric, points: Sequence[Point], pairs: Sequence[Pair], measurement: Measurement) -> Health:
    """How the reference was by itself, as these points and their pairs of the measurement show it."""
    plan, calibration = measurement.plan, measurement.calibration
    best = calibration.get(metric.value)
    if best is None or not best > 0 or math.isinf(best):
        waited = _waited(pairs, measurement.isolation)
        return _unwell(waited) if waited else WELL
    if not points:
        return _unwell(f"there were too few requests to tell the reference's {NAMES[metric]}")
    seen = statistics.median(point.reference for point in points)
    allowed = SLOWER_TAIL if metric in TAILS else SLOWER
    slower = _times_slower(metric, seen, best)
    if slower <= allowed:
        return WELL
    words = (
        f"the reference's own {NAMES[metric]} was {amount(metric, seen)} where a quiet host gives "
        f"{amount(metric, best)}, worse by more than the {allowed:g} times that still count as quiet"
    )
    clock = times_slower_clock(pairs, plan, calibration)
    if slower > allowed * clock:
        return _unwell(words)
    words = f"{words}; the clock was {clock:.2f} times slower"
    theirs, ours = (
        _working([pair.candidate for pair in pairs], plan),
        _working([pair.reference for pair in pairs], plan),
    )
    if theirs is None or ours is None:
        return _unwell(words)
    passes = theirs * ALIKE >= ours
    fails = metric in UNQUEUED and theirs <= ours * ALIKE
    if not passes and not fails:
        return _unwell(f"{words}, which the submission does not feel as the reference does")
    gain = None
    if metric in QUANTILES and plan.scenario is Scenario.OPEN:
        gain = _gain(pairs, calibration, slower)
    return Health(f"{words}, which is not enough to {'fail' if passes else 'pass'}", passes, fails, clock, gain)


def _gain(pairs: Sequence[Pair], calibration: Mapping[str, float], slower: float) -> float | None:
    """How many times nearer to the reference a submission may come, of which all is work and nothing waits.

    At full clock it would be as many times faster as the reference needs less CPU time for a request. The reference
    would be as many times faster as its figure says, and as its waiting lets it; the smaller of both is certain.
    """
    references = [pair.reference for pair in pairs]
    each = figure(references, Metric.CPU)
    if each is None or not math.isfinite(each):
        return None
    clock = max(each / calibration[Metric.CPU.value], 1.0)
    works = min(each / max(_unqueued_s(references), CLOCK_S), 1.0)
    return max(clock / slower, works + clock * (1 - works), 1.0)


def times_slower_clock(pairs: Sequence[Pair], plan: Plan, calibration: Mapping[str, float]) -> float:
    """How much slower the host's clock was than when it was quiet: 1 to `SLOWEST_CLOCK`.

    The CPU time of a request tells; and, where requests come by themselves, the median has to bear it out: what takes
    time from single requests is no clock, even where a hypervisor books it as theirs.
    """
    witnesses = (Metric.CPU, Metric.P50) if plan.scenario is Scenario.OPEN else (Metric.CPU,)
    found = []
    for metric in witnesses:
        best = calibration.get(metric.value, math.nan)
        points = series(pairs, plan, metric).points
        if not points or not best > 0:
            return 1.0
        found.append(_times_slower(metric, statistics.median(point.reference for point in points), best))
    return min(max(min(found), 1.0), SLOWEST_CLOCK)


def _working(blocks: Sequence[Block], plan: Plan) -> float | None:
    """How much of the time that is measured one side works; above 1 where it works on several things at once."""
    each = figure(blocks, Metric.CPU)
    if each is None or math.isinf(each):
        return None
    match plan.scenario:
        case Scenario.OPEN:
            return each / max(_unqueued_s(blocks), CLOCK_S)
        case Scenario.CLOSED:
            return each * (figure(blocks, Metric.THROUGHPUT) or 0.0)
        case Scenario.START_UP | Scenario.BATCH:
            return each * len(blocks) / max(sum(sum(block.latency_us) for block in blocks) * 1e-6, CLOCK_S)


def _unqueued_s(blocks: Sequence[Block]) -> float:
    """The median of the requests that nothing was under way before, in seconds; infinite where there was none."""
    return figure([alone(block) for block in blocks], Metric.P50) or math.inf


def _unwell(words: str) -> Health:
    return Health(words, passes=False, fails=False)


def _times_slower(metric: Metric, seen: float, best: float) -> float:
    return best / seen if metric is Metric.THROUGHPUT else seen / best


def _waited(pairs: Sequence[Pair], isolation: Isolation) -> str:
    waits = [reference_waited_s(pair.reference, isolation) for pair in pairs]
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
