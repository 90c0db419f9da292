"""Under which conditions was measured: how the load was put on, what kept it apart, and how quiet the machine was."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assessments.budget import Arrivals, Plan, Scenario
from assessments.measurement import Block, Isolation, Measurement, Noise, Side
from runner.reports import wording
from runner.reports.folding import answers_of
from runner.reports.provenance import Row
from runner.reports.series import Answers, held_s
from runner.reports.text import Text, shown

_MOST_REASONS: Final = 6


@dataclass(frozen=True, slots=True)
class ReasonView:
    """Why requests had no right answer, and how many: the words are the submission's doing."""

    side: str
    count: str
    reason: Text


def how_measured(plan: Plan) -> str:
    """A plan in words."""
    turns = "Reference and submission take turns"
    match plan.scenario:
        case Scenario.START_UP:
            return f"From the start of the process to its first ready answer. {turns}, one start each."
        case Scenario.BATCH:
            after = ", after one each that does not count" if plan.warm_up_s else ""
            limit = f"A run without a right result after {_seconds(plan.timeout_s)} counts as infinitely slow."
            return f"Whole runs over the same input, each in a fresh sandbox. {turns}, one run each{after}. {limit}"
        case Scenario.OPEN:
            spread = "at random moments (Poisson)" if plan.arrivals is Arrivals.POISSON else "at even intervals"
            load = (
                f"{_number(plan.rate_per_s)} requests a second, {spread} fixed beforehand, whether or not earlier ones "
                f"have been answered; at most {wording.count(plan.concurrency, 'connection')} at once."
            )
        case Scenario.CLOSED:
            load = f"{wording.count(plan.concurrency, 'caller')}, each asking again as soon as it was answered."
    return (
        f"{load} {turns} in blocks of {_seconds(plan.block_s)}, after a warm-up of {_seconds(plan.warm_up_s)} each. "
        f"Latency counts from the intended start; a request without a right answer after {_seconds(plan.timeout_s)} "
        "counts as infinitely slow."
    )


def isolated(isolation: Isolation) -> str:
    """In words, what kept the measured processes apart."""
    cores = isolation.service_cores
    numbers = ", ".join(str(core) for core in cores[:16]) + (", …" if len(cores) > 16 else "")
    where = f"on {'core' if len(cores) == 1 else 'cores'} {numbers}" if cores else "on whichever cores the kernel chose"
    generator = isolation.generator_core
    return "; ".join(
        (
            "exclusive lane: nothing else of ours ran on this host"
            if isolation.exclusive
            else "the lane was shared: other work of ours may have run on this host",
            f"both sides ran {where}",
            f"the load generator had core {generator}" if generator is not None else "no core for the load generator",
            "the kernel preferred them to others" if isolation.priority else "no priority over others",
        )
    )


def facts(measurement: Measurement, *, all_known: bool) -> tuple[Row, ...]:
    """What makes the figures believable; the seed is for those who may plan the same load again."""
    blocks = measurement.blocks
    candidate, reference = answers_of(blocks, Side.CANDIDATE), answers_of(blocks, Side.REFERENCE)
    sessions = len({block.session for block in blocks})
    tries = len({block.session // 2 for block in blocks})
    again = f", {tries} tries, since not every one decided" if tries > 1 else ""
    asked = {Scenario.START_UP: "Starts", Scenario.BATCH: "Runs"}.get(measurement.plan.scenario, "Requests")
    rows = [
        Row("Measured", Text(f"{wording.count(len(blocks), 'block')} in {wording.count(sessions, 'session')}{again}")),
        Row(f"{asked} of the submission", Text(_asked(candidate))),
        Row(f"{asked} of the reference", Text(_asked(reference))),
        Row("Kept apart", Text(isolated(measurement.isolation)), shown(_frozen(measurement.isolation), 200)),
        *_noise([block.noise for block in blocks]),
    ]
    return (*rows, Row("Seed", shown(str(measurement.seed), 80))) if all_known else tuple(rows)


def _asked(side: Answers) -> str:
    if not side.never:
        return f"{side.asked:,}, all with a right answer in time"
    return f"{side.asked:,}, of which {side.never:,} ({wording.part(side.never / side.asked)}) without a right answer"


def _frozen(isolation: Isolation) -> str:
    return f"the waiting side was kept still by {isolation.frozen}" if isolation.frozen else ""


def _noise(noises: Sequence[Noise]) -> list[Row]:
    if not noises:
        return []
    lag_s = max(noise.generator_lag_s for noise in noises)
    return [
        Row("CPU taken by others", _of_a_core([(noise.foreign_cpu_s, noise.seconds) for noise in noises])),
        Row("CPU the hypervisor took", _of_a_core([(noise.steal_s, noise.seconds) for noise in noises])),
        Row("Tasks waiting for a CPU", _of_the_time([(noise.pressure_s, noise.seconds) for noise in noises])),
        Row("Load generator's lag", Text(f"{wording.exact_seconds(held_s(lag_s))} at worst")),
    ]


_Amounts = Sequence[tuple[float | None, float]]


def _of_a_core(amounts: _Amounts) -> Text:
    return _share(amounts, "of one core")


def _of_the_time(amounts: _Amounts) -> Text:
    return _share(amounts, "of the time")


def _share(amounts: _Amounts, of: str) -> Text:
    told = [(held_s(amount), seconds) for amount, seconds in amounts if amount is not None and seconds > 0]
    if not told:
        return Text("this host does not tell")
    mean = sum(amount for amount, _ in told) / sum(seconds for _, seconds in told)
    worst = max(amount / seconds for amount, seconds in told)
    return Text(f"{wording.part(mean)} {of}; {wording.part(worst)} in the worst block")


def reasons_of(blocks: Sequence[Block]) -> tuple[tuple[ReasonView, ...], str]:
    counts = Counter((block.side, reason) for block in blocks for reason in block.failures.values())
    # The commonest first; ties in the order of the words, so that the same scorecard gives the same page.
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    views = tuple(
        ReasonView(
            "submission" if side is Side.CANDIDATE else "reference", f"{count:,}", shown(reason or "not shown", 200)
        )
        for (side, reason), count in ordered[:_MOST_REASONS]
    )
    rest = sum(count for _, count in ordered[_MOST_REASONS:])
    return views, f"{wording.count(rest, 'more request')} for other reasons" if rest else ""


def _seconds(value: float) -> str:
    return f"{_number(value)} s"


def _number(value: float) -> str:
    return f"{value:,.6g}"
