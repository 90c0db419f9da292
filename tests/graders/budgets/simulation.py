"""A simulated host, service and grader, for error rates that can be known: the true ratio is what was put in.

The service is one FIFO server with Poisson arrivals and gamma service times (M/G/1), 4.3 ms in the mean at 60 requests
a second, as the FastAPI service that the method was tried on. A noise says when neighbours run and what they do to
whoever is served meanwhile. Reference and submission take turns in blocks of two seconds, in the order ABBA.

By hand: `python tests/graders/budgets/simulation.py [GRADINGS [TRIES]]` prints the table of `docs/measuring.md`.
"""

import dataclasses
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assessments.budget import Arrivals, Budget, Metric, Plan, Ruling, Scenario
from assessments.measurement import Block, Isolation, Measurement, Noise, Side
from assessments.outcome import Outcome
from graders.budgets import Step, calibrated, next_step, rule

PLAN = Plan("load", Scenario.OPEN, Arrivals.POISSON, 60.0, 64, 2.0, 1.0, 1.0, pairs_min=6, pairs_max=30)
P95 = Budget("load", Metric.P95, limit=1.3, backstop=None, gone_at=2.0, wrong_share=0.01)
SERVICE_S = 0.0043
Random = np.random.Generator
Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Submission:
    """How a submission serves, and a stall at every so many requests.

    `later` multiplies latencies, queueing and all: the true ratio of every percentile. `slower` multiplies the time of
    service, which queueing makes more of.
    """

    name: str
    later: float = 1.0
    slower: float = 1.0
    stall_s: float = 0.0
    stall_every: int = 50


@dataclass(frozen=True)
class Weather:
    """Noise. `on(rng, side)` draws for one block the stretches of it, in seconds, in which neighbours run."""

    name: str
    stretch: float
    """How many times as long everything takes meanwhile."""
    delay_s: float
    """How long a request also waits for the CPU meanwhile, in the mean."""
    on: Callable[[Random, Side], Spans]
    priority: bool = True
    seen: bool = True
    """Whether the host's figures show the neighbours."""
    clock: float = 1.0
    """How many times as long all work takes, on both sides, and with it the CPU time."""
    billed: bool = False
    """Whether what neighbours take is booked as the CPU time of whom they take it from, as some hypervisors do."""


def never(rng: Random, side: Side) -> Spans:
    return []


def always(rng: Random, side: Side) -> Spans:
    return [(0.0, math.inf)]


def bursts(rng: Random, side: Side) -> Spans:
    """On and off for about a second each, wherever the blocks begin."""
    ends = (np.cumsum(rng.exponential(1.0, 16)) - rng.exponential(2.0)).tolist()
    spans = zip(ends[0::2], ends[1::2], strict=True)
    return [(begin, end) for begin, end in spans if begin < PLAN.block_s and end > 0]


def some_blocks(rng: Random, side: Side) -> Spans:
    """A third of the blocks, of either side, from begin to end."""
    return always(rng, side) if rng.random() < 1 / 3 else []


def against(whom: Side) -> Callable[[Random, Side], Spans]:
    """Always one side's blocks, never the other's."""
    return lambda rng, side: always(rng, side) if side is whom else []


QUIET = Weather("quiet", 1.0, 0.0, never)
WEATHERS = (
    QUIET,
    Weather("two neighbours, pushed aside", 1.05, 0.0006, always),
    Weather("bursts, pushed aside", 1.08, 0.001, bursts),
    Weather("bursts, no priority", 1.6, 0.006, bursts, priority=False),
    Weather("at the submission's blocks only, no priority", 1.6, 0.006, against(Side.CANDIDATE), priority=False),
    Weather("unseen bursts", 1.15, 0.001, bursts, seen=False),
    Weather("unseen, a third of the blocks", 1.4, 0.003, some_blocks, seen=False),
    Weather("unseen, at the reference's blocks only", 1.15, 0.0005, against(Side.REFERENCE), seen=False),
    Weather("a clock 1.8 times slower", 1.0, 0.0, never, clock=1.8),
    Weather("stolen, and billed as their own", 1.2, 0.004, always, seen=False, billed=True),
)

HONEST = Submission("1.00")
TWICE = Submission("2.00", later=2.0)
STALLING = Submission("stalling", stall_s=0.1)
SUBMISSIONS = (
    HONEST,
    Submission("1.15", later=1.15),
    Submission("1.30", later=1.3),
    Submission("1.60", later=1.6),
    TWICE,
    STALLING,
    Submission("1.15 in service", slower=1.15),
)


def block(
    rng: Random, side: Side, session: int, pair: int, arrivals: np.ndarray, who: Submission, weather: Weather
) -> Block:
    """One turn of one side under these arrivals (seconds from its start).

    Each request is sent when it is due.
    """
    spans = weather.on(rng, side)
    # Each block has its own luck with caches and clock speed.
    pace = weather.clock * who.slower * rng.lognormal(0.0, 0.02)
    work = pace * SERVICE_S * rng.gamma(9.0, 1 / 9, len(arrivals))
    lost = np.zeros(len(arrivals))
    for begin, end in spans:
        hit = (begin <= arrivals) & (arrivals < end)
        lost[hit] = work[hit] * (weather.stretch - 1) + rng.exponential(weather.delay_s, hit.sum())
    busy = work + lost
    if who.stall_s:
        busy[who.stall_every - 1 :: who.stall_every] += who.stall_s
    # Lindley's recursion, unrolled: a request is done when all work since the last idle moment is.
    done = np.cumsum(busy) + np.maximum.accumulate(arrivals - np.cumsum(busy) + busy)
    latencies = (done - arrivals) * who.later
    seconds = max(PLAN.block_s, float(done[-1]))
    noise_s = sum(min(end, seconds) - max(begin, 0.0) for begin, end in spans if begin < seconds and end > 0)
    noise = Noise(
        seconds=seconds,
        foreign_cpu_s=2 * noise_s if weather.seen else 0.02,
        steal_s=0.0,
        pressure_s=None,
        reference_wait_s=float(lost.sum()) if side is Side.REFERENCE and weather.seen else None,
        generator_lag_s=0.0006,
    )
    late = {int(place): "no answer in time" for place in np.flatnonzero(latencies > PLAN.timeout_s)}
    in_us = tuple((latencies * 1e6).astype(int).tolist())
    cpu_s = float((work + lost if weather.billed else work).sum())
    due_us = tuple((arrivals * 1e6).astype(int).tolist())
    return Block(side, session, pair, due_us, due_us, in_us, late, cpu_s, 50_000_000, noise)


def pair_of_blocks(rng: Random, session: int, number: int, who: Submission, weather: Weather) -> tuple[Block, Block]:
    """Both sides under the same arrivals; which goes first changes from pair to pair."""
    arrivals = np.cumsum(rng.exponential(1 / PLAN.rate_per_s, 3 * int(PLAN.rate_per_s * PLAN.block_s)))
    arrivals = arrivals[arrivals < PLAN.block_s]
    turns = ((Side.REFERENCE, HONEST), (Side.CANDIDATE, who))
    first, second = turns if number % 2 == 0 else turns[::-1]
    one = block(rng, first[0], session, number, arrivals, first[1], weather)
    other = block(rng, second[0], session, number, arrivals, second[1], weather)
    return one, other


def empty(weather: Weather, calibration: dict[str, float]) -> Measurement:
    isolation = Isolation(True, (0,), 1, weather.priority, "cgroup freezer")
    return Measurement(PLAN, 0, isolation, calibration)


def measured(
    rng: Random, who: Submission, weather: Weather, calibration: dict[str, float], pairs_max: int, tries: int = 1
) -> Measurement:
    """A whole measurement as `next_step` asks for it, though only after every sixth pair, which is where looks are."""
    blocks: list[Block] = []
    start = dataclasses.replace(
        empty(weather, calibration), plan=dataclasses.replace(PLAN, pairs_max=pairs_max, tries=tries)
    )
    session = number = 0
    while True:
        for _ in range(PLAN.pairs_min):
            blocks += pair_of_blocks(rng, session, number, who, weather)
            number += 1
        measurement = dataclasses.replace(start, blocks=tuple(blocks))
        match next_step(measurement, (P95,)):
            case Step.DONE:
                return measurement
            case Step.SECOND_SESSION:
                session, number = session + 1, 0
            case Step.AGAIN:
                session, number = session + 2 - session % 2, 0
            case Step.MORE:
                pass


def calibration(seed: int) -> dict[str, float]:
    """What quiet sessions on this host taught, from ten of them."""
    rng = np.random.default_rng(seed)
    blocks: list[Block] = []
    for number in range(60):
        blocks += pair_of_blocks(rng, 0, number, HONEST, QUIET)
    found = calibrated(dataclasses.replace(empty(QUIET, {}), blocks=tuple(blocks)))
    assert found is not None
    return dict(found)


def gradings(
    who: Submission, weather: Weather, count: int, pairs_max: int = PLAN.pairs_max, seed: int = 1, tries: int = 1
) -> list[Ruling]:
    """So many independent gradings of this submission in this weather."""
    known = calibration(seed)
    rng = np.random.default_rng([seed, *f"{who.name}/{weather.name}".encode()])
    return [rule(measured(rng, who, weather, known, pairs_max, tries), P95) for _ in range(count)]


def share(rulings: list[Ruling], outcome: Outcome) -> float:
    return sum(ruling.outcome is outcome for ruling in rulings) / len(rulings)


def main(count: int, tries: int) -> None:
    """The table of error rates, in Markdown: passed / failed / inconclusive in per cent."""
    print("| noise | " + " | ".join(who.name for who in SUBMISSIONS) + " |")
    print("| --- |" + " --- |" * len(SUBMISSIONS))
    for weather in WEATHERS:
        cells = []
        for who in SUBMISSIONS:
            rulings = gradings(who, weather, count, tries=tries)
            cells.append(" / ".join(f"{100 * share(rulings, outcome):.3g}" for outcome in OUTCOMES))
        print(f"| {weather.name} | " + " | ".join(cells) + " |", flush=True)


OUTCOMES = (Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE)

if __name__ == "__main__":
    given = [int(number) for number in sys.argv[1:]]
    main(*given, *(300, 1)[len(given) :])
