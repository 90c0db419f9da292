"""What was measured, ready to be shown: how, how quiet the machine was, the charts, and what each budget came to."""

import dataclasses
import math
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Final

from assessments.budget import Metric, Ruling, Scenario
from assessments.check import CheckResult
from assessments.measurement import Measurement, Side
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from graders.budgets import voids
from runner.reports import wording
from runner.reports.budget import Budget
from runner.reports.charts import (
    RUNS,
    STARTS,
    interval_bar,
    latency_cdf,
    latency_over_time,
    over_blocks,
    single_times,
)
from runner.reports.conditions import ReasonView, facts, how_measured, reasons_of
from runner.reports.drawing import Chart
from runner.reports.evidence import MARKS, earned, sentence
from runner.reports.folding import PairKey, answers_of, cpu_of, key_of, memory_of, pairs_of, turns_of
from runner.reports.provenance import Row
from runner.reports.series import Interval, LimitMark, held_s
from runner.reports.text import Text, shown

TOO_NOISY: Final = "The machine was too noisy to say; no points are lost, and a person decides or grades it again."
_SHARES: Final = {Metric.P50: 0.5, Metric.P95: 0.95, Metric.P99: 0.99, Metric.LONGEST: 1.0}
NAMES: Final = {
    Metric.P50: "Median latency (p50)",
    Metric.P95: "p95 latency",
    Metric.P99: "p99 latency",
    Metric.LONGEST: "Slowest answer",
    Metric.THROUGHPUT: "Right answers a second",
    Metric.CPU: "CPU time per right answer",
    Metric.MEMORY: "Peak memory",
    Metric.START_UP: "Start-up time",
    Metric.WALL: "Time of a run",
}


@dataclass(frozen=True, slots=True)
class RulingView:
    """One budget. `number` is its check's; `linked` is False where the page leaves the check out."""

    number: int
    linked: bool
    outcome: str
    mark: str
    sentence: Text
    points: str
    why: Text
    note: str
    metric: str
    figures: tuple[Row, ...]
    chart: Chart


@dataclass(frozen=True, slots=True)
class MeasurementView:
    name: Text
    how: str
    ended: Text
    rulings: tuple[RulingView, ...]
    charts: tuple[Chart, ...]
    facts: tuple[Row, ...]
    reasons: tuple[ReasonView, ...]
    reasons_note: str


@dataclass(frozen=True, slots=True)
class MeasurementsView:
    """All of them, with the numbers of the checks whose budgets are among them."""

    plans: tuple[MeasurementView, ...]
    checks: frozenset[int]
    note: str


def measurements_view(
    scorecard: Scorecard,
    budget: Budget,
    listed: Set[int],
    *,
    all_known: bool,
) -> MeasurementsView:
    """The plans in their order, each with its budgets. `listed` are the numbers of the checks that the page shows."""
    measured = {each.plan.id: each for each in scorecard.measurements}
    ruled = [(number, result) for number, result in enumerate(scorecard.results, 1) if result.ruling is not None]
    # As with checks, what passed is left out first.
    kept = sorted(ruled, key=lambda pair: pair[1].outcome is Outcome.PASSED)[: budget.rulings]
    ids = list(dict.fromkeys([*measured, *(_plan_id(result) for _, result in kept)]))
    plans = [
        _measurement_view(
            place,
            plan_id,
            measured.get(plan_id),
            [pair for pair in sorted(kept, key=lambda pair: pair[0]) if _plan_id(pair[1]) == plan_id],
            listed,
            all_known=all_known,
        )
        for place, plan_id in enumerate(ids[: budget.plans], 1)
    ]
    shown_checks = frozenset(ruling.number for plan in plans for ruling in plan.rulings)
    note = _left_out(len(ruled) - len(shown_checks), len(ids) - len(plans))
    return MeasurementsView(tuple(plans), shown_checks, note)


def figure(metric: Metric, value: float | None) -> str:
    """A metric's figure in its unit."""
    if value is None or not math.isfinite(value):
        return "none"
    if metric is Metric.THROUGHPUT:
        return wording.rate(value)
    if metric is Metric.MEMORY:
        return wording.size(round(value))
    return wording.exact_seconds(value)


def _left_out(budgets: int, plans: int) -> str:
    counts = ((budgets, "more budget"), (plans, "more plan"))
    words = " and ".join(wording.count(number, noun) for number, noun in counts if number)
    return f"{words} left out to keep this page small" if words else ""


def _plan_id(result: CheckResult) -> str:
    return result.ruling.budget.plan if result.ruling else ""


def _measurement_view(
    place: int,
    plan_id: str,
    measurement: Measurement | None,
    ruled: Sequence[tuple[int, CheckResult]],
    listed: Set[int],
    *,
    all_known: bool,
) -> MeasurementView:
    rulings = tuple(
        _ruling_view(number, result, result.ruling, listed) for number, result in ruled if result.ruling is not None
    )
    name = shown(plan_id, 80)
    if measurement is None:
        return MeasurementView(name, "What was measured is not at hand.", Text(""), rulings, (), (), (), "")
    void = {(one.session, one.pair) for one in voids(measurement)}
    drawn = _charts(measurement, [result.ruling for _, result in ruled if result.ruling], void)
    reasons, reasons_note = reasons_of(measurement.blocks)
    return MeasurementView(
        name=name,
        how=how_measured(measurement.plan),
        ended=shown(measurement.ended, 300),
        rulings=rulings,
        charts=tuple(dataclasses.replace(each, id=f"chart-{place}-{at}") for at, each in enumerate(drawn, 1)),
        facts=facts(measurement, all_known=all_known),
        reasons=reasons,
        reasons_note=reasons_note,
    )


def _ruling_view(number: int, result: CheckResult, ruling: Ruling, listed: Set[int]) -> RulingView:
    budget = ruling.budget
    bar = interval_bar(Interval(ruling.ratio, ruling.low, ruling.high, budget.limit, budget.gone_at))
    return RulingView(
        number=number,
        linked=number in listed,
        outcome=result.outcome.value,
        mark=MARKS[result.outcome],
        sentence=shown(sentence(result), 300),
        points=earned(result),
        why=shown(ruling.why, 600),
        note=_note(result, ruling),
        metric=NAMES[budget.metric],
        figures=_figures(ruling),
        chart=dataclasses.replace(bar, id=f"interval-{number}"),
    )


def _note(result: CheckResult, ruling: Ruling) -> str:
    """What the outcome means for the points, where it is not plain."""
    if result.outcome is Outcome.INCONCLUSIVE:
        return TOO_NOISY
    if result.outcome is Outcome.FAILED and ruling.share > 0:
        kept, possible = wording.points(result.points_earned), wording.count_points(result.check.points)
        return (
            f"It keeps {kept} of {possible}: between {wording.times(ruling.budget.limit)} and "
            f"{wording.times(ruling.budget.gone_at)} the points fall in a straight line."
        )
    return ""


def _figures(ruling: Ruling) -> tuple[Row, ...]:
    metric = ruling.budget.metric
    rows = [
        ("Submission", figure(metric, ruling.candidate)),
        ("Reference", figure(metric, ruling.reference)),
        ("Interval of the ratio", _interval(ruling)),
        ("Pairs of blocks", f"{ruling.pairs:,} counted, {ruling.void or 'none'} void"),
        ("Wrong or missing answers", f"{wording.part(ruling.budget.wrong_share)} allowed"),
    ]
    if ruling.budget.backstop is not None:
        least = "never less than" if metric is Metric.THROUGHPUT else "never more than"
        rows.append(("Whatever the reference did", f"{least} {figure(metric, ruling.budget.backstop)}"))
    return tuple(Row(name, Text(value)) for name, value in rows)


def _interval(ruling: Ruling) -> str:
    if ruling.low is None and ruling.high is None:
        return "none"
    low, high = ("unknown" if end is None else f"{end:.3g}" for end in (ruling.low, ruling.high))
    return f"{low} to {high}"


def _charts(measurement: Measurement, rulings: Sequence[Ruling], void: Set[PairKey]) -> list[Chart]:
    counted = [block for block in measurement.blocks if key_of(block) not in void]
    candidate, reference = answers_of(counted, Side.CANDIDATE), answers_of(counted, Side.REFERENCE)
    drawn = []
    if not candidate.asked and not reference.asked:
        pass
    elif measurement.plan.scenario in (Scenario.START_UP, Scenario.BATCH):
        limits = [_limit_s(ruling) for ruling in rulings if ruling.budget.metric in (Metric.START_UP, Metric.WALL)]
        kind = STARTS if measurement.plan.scenario is Scenario.START_UP else RUNS
        drawn.append(single_times(kind, candidate, reference, next(iter(limits), None)))
    else:
        marks = [
            LimitMark(ruling.budget.metric.value, _SHARES[ruling.budget.metric], limit_s)
            for ruling in rulings
            if ruling.budget.metric in _SHARES and (limit_s := _limit_s(ruling)) is not None
        ]
        drawn.append(latency_cdf(candidate, reference, marks[: len(_SHARES)]))
        if candidate.asked:
            drawn.append(latency_over_time(turns_of(measurement.blocks, void)))
    per = {Scenario.START_UP: "start", Scenario.BATCH: "run"}.get(measurement.plan.scenario, "right answer")
    for title, pairs, memory in (
        (f"CPU time per {per}", pairs_of(measurement.blocks, void, cpu_of), False),
        ("Peak memory", pairs_of(measurement.blocks, void, memory_of), True),
    ):
        if any(pair.candidate is not None or pair.reference is not None for pair in pairs):
            drawn.append(over_blocks(title, pairs, memory=memory))
    return drawn


def _limit_s(ruling: Ruling) -> float | None:
    """The time that the submission had to keep to: the reference's figure times the limit."""
    return None if ruling.reference is None else held_s(ruling.reference * ruling.budget.limit)
