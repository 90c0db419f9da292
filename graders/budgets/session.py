"""What one session by itself says of one budget: within, beyond, or open.

A sequential test. It looks at the first `pairs_min` pairs that count, at twice as many, and so on up to `pairs_max`,
and stops at the first look that decides: later pairs, measured for the sake of other budgets, change nothing. Each
look has its even share of the two rates of error (Bonferroni), so that looking often does not make errors likelier. So
has each try that the plan allows, also where the first one decides: measuring again is no way to be lucky.
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from assessments.budget import Budget, Metric, Plan, Scenario
from assessments.measurement import Measurement
from graders.budgets.binomial import share_at_least
from graders.budgets.figures import SAMPLE_FLOORS, Point, alone, figure, resolution, right_answers, series
from graders.budgets.gates import Pair, Void, pairs, sound
from graders.budgets.health import STEADY, WELL, Health, health
from graders.budgets.student import quantile

ALPHA_PASS: Final = 0.05
"""The chance that a submission exactly at the limit passes, over all looks of all tries. One beyond it has less."""
ALPHA_FAIL: Final = 0.001
"""The chance that one exactly at the limit fails, over all looks of all tries. A job may depend on it."""
POINTS_MIN: Final = 3
"""Two points have one degree of freedom, whose interval is hundreds of times their distance: nothing to act upon."""
EXP_MAX: Final = 700.0
"""Beyond it `exp` overflows."""


class Standing(Enum):
    """What a session says."""

    WITHIN = auto()
    BEYOND = auto()
    OPEN = auto()


class Cause(Enum):
    """What a submission is beyond."""

    RATIO = auto()
    WRONG = auto()
    BACKSTOP = auto()


@dataclass(frozen=True, slots=True)
class Estimate:
    """Medians, mean ratio and the ends of its interval. Any of the candidate's figures may be infinite.

    `censored` says that some points had no figure of the candidate: `ratio` and `low` then rest on what is certain of
    those points, and are too small rather than too large.
    """

    reference: float
    candidate: float
    ratio: float
    low: float
    high: float
    censored: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """Requests and how many have no right answer in time. `proven` is the least share that they prove."""

    requests: int
    wrong: int
    proven: float
    reference_share: float

    @property
    def share(self) -> float:
        return self.wrong / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a session says of a budget, at the look that decided it or at its last one."""

    standing: Standing
    causes: frozenset[Cause]
    estimate: Estimate | None
    answers: Answers
    pairs: int
    """That the look rests on."""
    counted: int
    """Pairs of the session that count, whether or not the look rests on them."""
    voids: tuple[Void, ...]
    unwell: str
    """What was wrong with the reference and kept this from being decided; empty when nothing was."""
    share: float
    clock: float = 1.0
    """How many times slower the host's clock was, where that did not keep it from being decided."""


def looks(plan: Plan) -> tuple[int, ...]:
    """After how many pairs that count there is a look: multiples of `pairs_min`, and `pairs_max`."""
    step = max(plan.pairs_min, 1)
    return (*range(step, plan.pairs_max, step), plan.pairs_max)


def has_session(measurement: Measurement, session: int) -> bool:
    return any(block.session == session for block in measurement.blocks)


def chances(plan: Plan) -> int:
    """Over how many looks the rates of error are split: those of all tries."""
    return len(looks(plan)) * plan.tries


def judge(measurement: Measurement, budget: Budget, session: int) -> Finding:
    """What the session says of the budget by itself."""
    whole = pairs(measurement, session)
    if budget.metric is Metric.MEMORY:
        return _judge_peak(measurement, budget, whole)
    plan = measurement.plan
    gated, broken = sound(whole, plan, measurement.isolation)
    seen = series(gated, plan, budget.metric)
    voids = tuple(sorted((*broken, *seen.voids), key=lambda void: void.pair))
    answers = _answers(seen.pairs, ALPHA_FAIL / chances(plan))
    finding = Finding(Standing.OPEN, frozenset(), None, answers, len(seen.pairs), len(seen.pairs), voids, "", 0.0)
    for look in looks(plan):
        if look > len(seen.pairs):
            break
        points = [point for point in seen.points if point.upto <= look]
        finding = _look(measurement, budget, points, seen.pairs[:look], voids)
        if finding.standing is not Standing.OPEN:
            last = seen.pairs[look - 1].number
            earlier = tuple(void for void in voids if void.pair < last)
            return replace(finding, counted=len(seen.pairs), voids=earlier)
    return replace(finding, counted=len(seen.pairs))


def estimate(metric: Metric, points: Sequence[Point], looks_planned: int) -> Estimate | None:
    """Student's t bounds on the mean log-ratio, as ratios; None for fewer than three points.

    The spread is never taken as smaller than `figures.resolution`: points that happen to be alike, as they are where a
    clock is coarse, would else have no interval at all. A point without a figure of the candidate counts for the lower
    end as what is certain of it, which makes that end too low, and for the upper end as infinite.
    """
    if len(points) < POINTS_MIN:
        return None
    logs = [point.at_least for point in points]
    mean = statistics.fmean(logs)
    df = len(points) - 1
    spread = math.sqrt(math.fsum((log - mean) ** 2 for log in logs) / df)
    error = max(spread, resolution(metric, points)) / math.sqrt(len(points))
    censored = any(math.isinf(point.log_ratio) for point in points)
    high = math.inf if censored else mean + error * quantile(1 - ALPHA_PASS / looks_planned, df)
    return Estimate(
        reference=statistics.median(point.reference for point in points),
        candidate=statistics.median(point.candidate for point in points),
        ratio=_exp(mean),
        low=_exp(mean - error * quantile(1 - ALPHA_FAIL / looks_planned, df)),
        high=_exp(high),
        censored=censored,
    )


def fall_off(budget: Budget, ratio: float) -> float:
    """What a failed budget still earns: 1 at `limit`, 0 from `gone_at` on, a straight line between."""
    if budget.gone_at <= budget.limit:
        return 0.0
    return min(max((budget.gone_at - ratio) / (budget.gone_at - budget.limit), 0.0), 1.0)


def beyond_backstop(budget: Budget, value: float) -> bool:
    """Whether a figure is worse than the budget's backstop."""
    if budget.backstop is None:
        return False
    return value < budget.backstop if budget.metric is Metric.THROUGHPUT else value > budget.backstop


def _judge_peak(measurement: Measurement, budget: Budget, whole: tuple[Pair, ...]) -> Finding:
    """Memory: one peak a session and side. It is no sample, and steady, so it is compared as it is.

    Gates do not apply, as noise does not make a process larger.
    """
    planned = looks(measurement.plan)
    answers = _answers(whole, ALPHA_FAIL / chances(measurement.plan))
    if len(whole) < planned[0]:
        return Finding(Standing.OPEN, frozenset(), None, answers, len(whole), len(whole), (), "", 0.0)
    reference = figure([pair.reference for pair in whole], budget.metric)
    candidate = figure([pair.candidate for pair in whole], budget.metric)
    peaks = None
    if reference and candidate:
        ratio = candidate / reference
        peaks = Estimate(reference, candidate, ratio, ratio, ratio, censored=False)
    return _finding(measurement, budget, peaks, answers, whole, (), WELL)


def _look(
    measurement: Measurement,
    budget: Budget,
    points: Sequence[Point],
    counted: tuple[Pair, ...],
    voids: tuple[Void, ...],
) -> Finding:
    planned = chances(measurement.plan)
    well = WELL
    if budget.metric not in STEADY:
        well = health(budget.metric, points, counted, measurement)
    answers = _answers(counted, ALPHA_FAIL / planned)
    seen = estimate(budget.metric, points, planned)
    if seen is not None and well.gain is not None and not well.fails:
        low = min(seen.low, _unqueued_low(measurement.plan, budget.metric, counted) / well.gain)
        if low > budget.limit:
            well, seen = replace(well, fails=True), replace(seen, low=low)
    return _finding(measurement, budget, seen, answers, counted, voids, well)


def _unqueued_low(plan: Plan, metric: Metric, counted: Sequence[Pair]) -> float:
    """The lower end of the ratio for the candidate's requests that nothing was under way before; 0 where few were.

    Their service is every request's, to which queueing only adds. The reference's requests are all of them, so that
    what queued there is the candidate's gain.
    """
    lone = [replace(pair, candidate=alone(pair.candidate)) for pair in counted]
    points = series(lone, plan, metric).points
    requests = sum(len(pair.candidate.latency_us) for pair in lone)
    if requests < SAMPLE_FLOORS[Metric.P50] * len(points) or any(math.isinf(point.candidate) for point in points):
        return 0.0
    seen = estimate(metric, points, chances(plan))
    return seen.low if seen is not None else 0.0


def _finding(
    measurement: Measurement,
    budget: Budget,
    seen: Estimate | None,
    answers: Answers,
    counted: tuple[Pair, ...],
    voids: tuple[Void, ...],
    well: Health,
) -> Finding:
    beyond, keeps = _causes(budget, seen, answers), _keeps(budget, seen, answers)
    causes, unwell = beyond, "" if well.passes or well.fails else well.words
    if Cause.WRONG in beyond and budget.metric in STEADY:
        # The figure does not depend on a quiet host, but answering in time does.
        unwell = _slow_answers(measurement, counted)
        causes = beyond - {Cause.WRONG} if unwell else beyond
    elif well.words:
        late = answers.share > budget.wrong_share  # who answers too late for the time-out has few answers a second, too
        causes = beyond & {Cause.RATIO} if well.fails and not late else frozenset()
        unwell = unwell or (well.words if (beyond and not causes) or (keeps and not well.passes) else "")
    if causes:
        standing = Standing.BEYOND
    elif not unwell and keeps:
        standing = Standing.WITHIN
    else:
        standing = Standing.OPEN
    share = 1.0 if standing is Standing.WITHIN else 0.0
    if causes == {Cause.RATIO} and seen is not None:
        share = fall_off(budget, seen.low)
    return Finding(standing, causes, seen, answers, len(counted), len(counted), voids, unwell, share, well.clock)


def _causes(budget: Budget, seen: Estimate | None, answers: Answers) -> frozenset[Cause]:
    """What the submission is proven to be beyond, if the reference was healthy."""
    causes = set()
    if answers.proven > budget.wrong_share and answers.reference_share <= budget.wrong_share:
        causes.add(Cause.WRONG)
    if seen is not None:
        if seen.low > budget.limit:
            causes.add(Cause.RATIO)
        # Where the reference does not keep the backstop either, it is the host that is too slow for it.
        if beyond_backstop(budget, seen.candidate) and not beyond_backstop(budget, seen.reference):
            causes.add(Cause.BACKSTOP)
    return frozenset(causes)


def _keeps(budget: Budget, seen: Estimate | None, answers: Answers) -> bool:
    """Whether the submission is proven to be within, if the reference was healthy."""
    return (
        seen is not None
        and seen.high <= budget.limit
        and answers.share <= budget.wrong_share
        and not beyond_backstop(budget, seen.candidate)
    )


def _answers(counted: Sequence[Pair], alpha: float) -> Answers:
    """The candidate's answers. What is proven of them is proven without its worst block as well.

    The bound takes requests to fail independently, and noise makes them fail together: one bad second must not do.
    """
    candidates = [pair.candidate for pair in counted]
    asked = sum(len(block.latency_us) for block in candidates)
    wrong = sum(len(block.failures) for block in candidates)
    proven = 0.0
    if wrong:
        worst = max(candidates, key=lambda block: len(block.failures))
        rest = wrong - len(worst.failures)
        proven = share_at_least(rest, asked - len(worst.latency_us), alpha)
    references = [pair.reference for pair in counted]
    reference_asked = sum(len(block.latency_us) for block in references)
    reference_wrong = reference_asked - right_answers(references)
    return Answers(asked, wrong, proven, reference_wrong / reference_asked if reference_asked else 0.0)


def _slow_answers(measurement: Measurement, counted: tuple[Pair, ...]) -> str:
    plan = measurement.plan
    metric = {Scenario.START_UP: Metric.START_UP, Scenario.BATCH: Metric.WALL}.get(plan.scenario, Metric.P50)
    return health(metric, series(counted, plan, metric).points, counted, measurement).words


def _exp(log: float) -> float:
    return math.exp(log) if log < EXP_MAX else math.inf
