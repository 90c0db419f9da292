"""What a quiet session teaches about this host: how fast the reference is on it when nothing disturbs.

Later measurements are compared with it (`health`). Only the reference's own figures go in, so no submission can move
them, and only those of a session that is beyond suspicion.
"""

import math
import statistics
from collections.abc import Mapping
from typing import Final

from assessments.budget import Metric, Scenario
from assessments.measurement import Block, Isolation, Measurement, Side
from graders.budgets.figures import figure, series
from graders.budgets.gates import Pair, core_share, pairs, reference_waited_s, sound
from graders.budgets.session import POINTS_MIN, looks

FOREIGN_OF_CORE: Final = 0.15
"""Of one core on average, for the whole session."""
STEAL_OF_CORE: Final = 0.005
"""Hypervisors round to ticks of 10 ms: none at all would ask too much of a session of minutes."""
WAITED: Final = 0.10
"""Of the reference's CPU time; the same as what `health` calls quiet where there is no calibration."""
VOID_SHARE: Final = 0.10
"""Of the session's pairs."""

LOAD_METRICS: Final = (Metric.P50, Metric.P95, Metric.P99, Metric.LONGEST, Metric.THROUGHPUT, Metric.CPU, Metric.MEMORY)
START_METRICS: Final = (Metric.START_UP, Metric.CPU, Metric.MEMORY)
BATCH_METRICS: Final = (Metric.WALL, Metric.CPU, Metric.MEMORY)


def calibrated(measurement: Measurement) -> Mapping[str, float] | None:
    """The reference's medians by the name of their metric, in its unit, from the quiet sessions; None if none was.

    Metrics that the plan has too few requests for, or that were not measured, are left out.
    """
    merged: Mapping[str, float] | None = None
    for session in sorted({block.session for block in measurement.blocks}):
        found = _session(measurement, pairs(measurement, session))
        if found is not None:
            merged = better(merged or {}, found)
    return merged


def better(old: Mapping[str, float], new: Mapping[str, float]) -> Mapping[str, float]:
    """Both calibrations in one: for each metric the better figure, which for the throughput is the larger."""
    merged = dict(old)
    for name, value in new.items():
        choose = max if name == Metric.THROUGHPUT else min
        merged[name] = choose(merged.get(name, value), value)
    return merged


def _session(measurement: Measurement, whole: tuple[Pair, ...]) -> Mapping[str, float] | None:
    plan = measurement.plan
    counted, voids = sound(whole, plan, measurement.isolation)
    if len(counted) < looks(plan)[0] or len(voids) > VOID_SHARE * len(whole):
        return None
    if not _quiet(whole, measurement.isolation):
        return None
    metrics = {Scenario.START_UP: START_METRICS, Scenario.BATCH: BATCH_METRICS}.get(plan.scenario, LOAD_METRICS)
    figures = {metric.value: _median(measurement, counted, metric) for metric in metrics}
    return {name: value for name, value in figures.items() if value is not None} or None


def _median(measurement: Measurement, counted: tuple[Pair, ...], metric: Metric) -> float | None:
    if metric is Metric.MEMORY:
        return figure([pair.reference for pair in counted], metric)
    points = series(counted, measurement.plan, metric).points
    if len(points) < POINTS_MIN:
        return None
    median = statistics.median(point.reference for point in points)
    return median if math.isfinite(median) else None


def _quiet(whole: tuple[Pair, ...], isolation: Isolation) -> bool:
    """Whether the session as a whole was quiet. What the host does not tell of foreign CPU is not taken for quiet."""
    blocks = [block for pair in whole for block in (pair.reference, pair.candidate)]
    seconds = sum(block.noise.seconds for block in blocks)
    foreign = [block.noise.foreign_cpu_s for block in blocks]
    if None in foreign or core_share(sum(f for f in foreign if f is not None), seconds) >= FOREIGN_OF_CORE:
        return False
    steal_s = sum(block.noise.steal_s or 0.0 for block in blocks)
    return core_share(steal_s, seconds) <= STEAL_OF_CORE and _unhurried(blocks, isolation)


def _unhurried(blocks: list[Block], isolation: Isolation) -> bool:
    references = [block for block in blocks if block.side is Side.REFERENCE]
    waited_s = sum(reference_waited_s(block, isolation) or 0.0 for block in references)
    used_s = sum(block.cpu_s or 0.0 for block in references)
    return used_s <= 0 or waited_s < WAITED * used_s
