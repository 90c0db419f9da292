"""Budgets: stated limits on speed and resources, and the plans by which they are measured.

A `Plan` says how load is put on a service; one plan gives the figures of several budgets. A `Budget` is part of a
check: it names a plan and one metric of it, and how far a submission may be from the reference solution, which is
measured on the same host in the same minutes.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from assessments.outcome import Outcome


class Scenario(StrEnum):
    """How a plan drives a service."""

    OPEN = "open"
    """Requests start at moments fixed beforehand, whether or not earlier ones have been answered."""
    CLOSED = "closed"
    """So many callers, each of which asks again as soon as it was answered."""
    START_UP = "start-up"
    """From the start of the process to its first ready answer, several times."""
    BATCH = "batch"
    """One run of a job after the other, each in a sandbox of its own."""


class Arrivals(StrEnum):
    """How the moments of an open plan are spread."""

    POISSON = "poisson"
    CONSTANT = "constant"


@dataclass(frozen=True, slots=True)
class Plan:
    """How one measurement is made. Reference and submission take turns in blocks, a pair of blocks at a time.

    For `start-up` a block is one start, for `batch` one run: rate, length and concurrency do not apply. Before the
    first of a session each side starts, or runs, once for nothing if a batch plan has a warm-up at all.
    """

    id: str
    scenario: Scenario
    arrivals: Arrivals
    rate_per_s: float
    """Of an open plan."""
    concurrency: int
    """Callers of a closed plan; most connections at once of an open one."""
    block_s: float
    warm_up_s: float
    """How long each instance is asked before its first block; what comes of it is not counted."""
    timeout_s: float
    """Of one request, from its intended start. One that is not rightly answered by then counts as infinitely slow."""
    pairs_min: int
    pairs_max: int
    tries: int = 1
    """How often an undecided budget may be measured, the first time included. Its rates of error are split over all of
    them, whether or not they are made."""

    def most_s(self, start_timeout_s: float) -> float:
        """The longest that measuring goes on, in seconds: two sessions of all pairs a try, and room for delays.

        A measurement that reaches this stops, with as much as it has. However slow a submission is, it must not get
        there, or it would stay undecided where it should fail.
        """
        turn_s = self.block_s + self.timeout_s + _BETWEEN_BLOCKS_S
        if self.scenario is Scenario.START_UP:
            turn_s = start_timeout_s
        elif self.scenario is Scenario.BATCH:
            turn_s = self.timeout_s + _BETWEEN_BLOCKS_S
        starts_s = 4 * (start_timeout_s + self.warm_up_s + self.timeout_s)
        return self.tries * (_MARGIN_S + starts_s + 2 * 2 * self.pairs_max * turn_s)


_MARGIN_S = 60.0
_BETWEEN_BLOCKS_S = 0.5


class Metric(StrEnum):
    """One figure of a block. Of each, less is better, but for the throughput."""

    P50 = "p50"
    """Latency in seconds that half of the requests keep to, from their intended start."""
    P95 = "p95"
    P99 = "p99"
    LONGEST = "longest"
    """The slowest request's latency in seconds."""
    THROUGHPUT = "throughput"
    """Right answers a second."""
    CPU = "cpu"
    """CPU seconds a right answer, or a right run."""
    MEMORY = "memory"
    """Peak memory in bytes, of a whole session."""
    START_UP = "start-up"
    """Seconds to the first ready answer."""
    WALL = "wall"
    """Seconds that a run of a job takes by the clock."""


_OF_REQUESTS = frozenset({Metric.P50, Metric.P95, Metric.P99, Metric.LONGEST, Metric.CPU, Metric.MEMORY})
MEASURED: Final = MappingProxyType(
    {
        Scenario.OPEN: _OF_REQUESTS,
        Scenario.CLOSED: _OF_REQUESTS | {Metric.THROUGHPUT},
        Scenario.START_UP: frozenset({Metric.START_UP}),
        Scenario.BATCH: frozenset({Metric.WALL, Metric.CPU, Metric.MEMORY}),
    }
)
"""Which metrics a plan of each scenario gives."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on one metric of one plan."""

    plan: str
    metric: Metric
    limit: float
    """How many times the reference's figure the submission's may be (for the throughput: the other way round)."""
    backstop: float | None
    """In the metric's unit: a submission worse than this fails whatever the reference did. None: there is none."""
    gone_at: float
    """The ratio from which a failed budget earns nothing. Between it and `limit` the points fall in a straight line."""
    wrong_share: float
    """The share of requests that may go without a right answer in time; more of them, and the budget is failed."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """What a measurement says of one budget, in figures and in words. Figures are None where there is none.

    `ratio` is how many times the reference's figure the submission's is (for the throughput: the other way round), with
    the ends of its interval: `low` at the confidence that failing needs, `high` at the one that passing needs.
    """

    budget: Budget
    outcome: Outcome
    reference: float | None
    """The median over the blocks that count, in the metric's unit."""
    candidate: float | None
    ratio: float | None
    low: float | None
    high: float | None
    pairs: int
    """Pairs of blocks that count."""
    void: int
    """Pairs that do not, since the machine disturbed them."""
    share: float
    """Of the check's points: 1 when passed, and what the fall-off leaves when failed."""
    why: str
    tries: int = 1
    """Which try decided, or how many there were when none did. Figures are of that one."""
