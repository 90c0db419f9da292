"""One figure of a block for each metric, and how many times the reference's figure the submission's is.

Ratios are kept as natural logarithms, greater than 0 where the submission is worse (for the throughput the ratio is
turned round). A request without a right answer in time is infinitely slow. It never leaves the sample: a service that
answers only what it can answer fast would otherwise look fast.
"""

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, assert_never

from assessments.budget import Metric, Plan
from assessments.measurement import Block
from graders.budgets.gates import Gate, Pair, Void

QUANTILES: Final[Mapping[Metric, float]] = MappingProxyType({Metric.P50: 0.50, Metric.P95: 0.95, Metric.P99: 0.99})

SAMPLE_FLOORS: Final[Mapping[Metric, int]] = MappingProxyType({Metric.P50: 20, Metric.P95: 90, Metric.P99: 459})
"""Requests from which on the slowest one lies beyond the percentile with a probability of 99 %: 0.95^90 and 0.99^459
are just under 0.01. For the median 20 keep its spread in bounds."""

CLOCK_S: Final = 1e-6
"""Times are whole microseconds."""
RESOLUTION: Final = 0.005
"""Two runs of the same thing differ by about this share for reasons that no block shows, such as where memory lies."""

LATENCIES: Final = frozenset({Metric.P50, Metric.P95, Metric.P99, Metric.LONGEST, Metric.START_UP, Metric.WALL})


@dataclass(frozen=True, slots=True)
class Point:
    """One observation of the ratio, from one pair or from as many as the percentile needs.

    `reference` is finite. `candidate` may be infinite, or 0 for a throughput; `log_ratio` is then infinite, and
    `at_least` what is certain of it all the same. `upto` counts the pairs that count, from the first to this point's
    last.
    """

    reference: float
    candidate: float
    log_ratio: float
    at_least: float
    upto: int


@dataclass(frozen=True, slots=True)
class Series:
    """The points of one session and metric, the pairs that count, and those that say nothing of this metric.

    `pairs` may hold more than the points do: the last ones, which are too few requests for one more point.
    """

    points: tuple[Point, ...]
    pairs: tuple[Pair, ...]
    voids: tuple[Void, ...]


def figure(blocks: Sequence[Block], metric: Metric) -> float | None:
    """The metric's figure of blocks of one side, taken together; in the metric's unit.

    Infinite where too many requests have no right answer in time, and where there was none at all; None where it was
    not measured.
    """
    match metric:
        case Metric.P50 | Metric.P95 | Metric.P99:
            return order_statistic(_latencies_s(blocks), QUANTILES[metric])
        case Metric.LONGEST | Metric.START_UP | Metric.WALL:
            return max(_latencies_s(blocks), default=math.inf)
        case Metric.THROUGHPUT:
            return right_answers(blocks) / max(sum(block.noise.seconds for block in blocks), CLOCK_S)
        case Metric.CPU:
            used_s = _cpu_s(blocks)
            return None if used_s is None else _each(used_s, right_answers(blocks))
        case Metric.MEMORY:
            return max((block.memory_bytes for block in blocks if block.memory_bytes is not None), default=None)
        case _:
            assert_never(metric)


def order_statistic(values: Sequence[float], quantile: float) -> float:
    """The smallest value that at least this share of all values keeps to; infinite where there are none."""
    ordered = sorted(values)
    # The small term keeps 0.95 * 100 from being 95.00000000000001, and its ceiling from being 96.
    return ordered[max(math.ceil(quantile * len(ordered) - 1e-9), 1) - 1] if ordered else math.inf


def right_answers(blocks: Sequence[Block]) -> int:
    return sum(len(block.latency_us) - len(block.failures) for block in blocks)


def log_ratio(metric: Metric, reference: float, candidate: float) -> float:
    """The logarithm of how many times worse the candidate's figure is. Infinite where it has no figure at all."""
    worse, than = (reference, candidate) if metric is Metric.THROUGHPUT else (candidate, reference)
    if math.isinf(worse) or (metric is Metric.THROUGHPUT and candidate <= 0):
        return math.inf
    # A time of 0 is one that the clock could not see.
    return math.log(max(worse, CLOCK_S) / max(than, CLOCK_S))


def series(pairs: Sequence[Pair], plan: Plan, metric: Metric) -> Series:
    """The session's points of a metric, from pairs that break no gate, in order.

    A percentile takes in consecutive pairs until the reference has the requests it needs. Only the reference's are
    counted: in a closed plan the submission makes fewer requests the slower it is, and must not gain by it.
    """
    points: list[Point] = []
    kept: list[Pair] = []
    voids: list[Void] = []
    for pool in _pools(pairs, metric):
        point = None
        if _complete(pool, metric):
            point = _point(pool, plan, metric, upto=len(kept) + len(pool))
            if isinstance(point, Gate):
                voids += [Void(pair.session, pair.number, point, f"The pair does not count, {point}.") for pair in pool]
                continue
            points.append(point)
        kept += pool
    return Series(tuple(points), tuple(kept), tuple(voids))


def resolution(metric: Metric, points: Sequence[Point]) -> float:
    """The spread of single log-ratios under which a smaller one is luck: 0.5 %, or one tick of the clock."""
    if metric not in LATENCIES or not points:
        return RESOLUTION
    return max(RESOLUTION, CLOCK_S / max(statistics.median(point.reference for point in points), CLOCK_S))


def alone(block: Block) -> Block:
    """The block with those requests only that nothing was under way before: what they took is not queueing.

    What came after one without a right answer is left out, since nobody knows how long that one was at work. Of a block
    that was changed by hand, requests without both times are.
    """
    idle_us = -1
    kept: list[tuple[int, int]] = []
    for place, (due_us, took_us) in enumerate(zip(block.intended_us, block.latency_us, strict=False)):
        if place in block.failures:
            break
        if due_us > idle_us:
            kept.append((due_us, took_us))
        idle_us = max(idle_us, due_us + took_us)
    due, took = tuple(due_us for due_us, _ in kept), tuple(took_us for _, took_us in kept)
    return replace(block, intended_us=due, sent_us=due, latency_us=took, failures={})


def _pools(pairs: Sequence[Pair], metric: Metric) -> Iterator[tuple[Pair, ...]]:
    pool: tuple[Pair, ...] = ()
    for pair in pairs:
        pool = (*pool, pair)
        if _complete(pool, metric):
            yield pool
            pool = ()
    if pool:
        yield pool


def _complete(pool: Sequence[Pair], metric: Metric) -> bool:
    return sum(len(pair.reference.latency_us) for pair in pool) >= SAMPLE_FLOORS.get(metric, 0)


def _point(pool: Sequence[Pair], plan: Plan, metric: Metric, upto: int) -> Point | Gate:
    """The point of a pool, or why there is none, which is never the candidate's doing."""
    references = [pair.reference for pair in pool]
    candidates = [pair.candidate for pair in pool]
    reference, candidate = figure(references, metric), figure(candidates, metric)
    if reference is None or candidate is None:
        return Gate.UNMEASURED
    if math.isinf(reference) or (metric is Metric.THROUGHPUT and reference <= 0):
        return Gate.REFERENCE
    ratio = log_ratio(metric, reference, candidate)
    at_least = ratio
    if math.isinf(ratio):
        at_least = log_ratio(metric, reference, _kindest(candidates, plan, metric))
    return Point(reference, candidate, ratio, at_least, upto)


def _kindest(blocks: Sequence[Block], plan: Plan, metric: Metric) -> float:
    """The best figure that a side without one may have had. The true one is certainly not better.

    A request that was given up took the plan's time-out at least; no right answer at all is fewer than one.
    """
    match metric:
        case Metric.THROUGHPUT:
            return 1 / max(sum(block.noise.seconds for block in blocks), CLOCK_S)
        case Metric.CPU:
            return _cpu_s(blocks) or 0.0
        case _:
            return plan.timeout_s


def _latencies_s(blocks: Sequence[Block]) -> list[float]:
    latencies: list[float] = []
    for block in blocks:
        seconds = [latency_us * 1e-6 for latency_us in block.latency_us]
        for place in block.failures:
            seconds[place] = math.inf
        latencies += seconds
    return latencies


def _cpu_s(blocks: Sequence[Block]) -> float | None:
    used = [block.cpu_s for block in blocks if block.cpu_s is not None]
    return sum(used) if len(used) == len(blocks) else None


def _each(total: float, count: int) -> float:
    return total / count if count else math.inf
