"""Measurements by hand: each block's latencies are given, or made from one figure."""

from collections.abc import Mapping, Sequence

from assessments.budget import Arrivals, Budget, Metric, Plan, Scenario
from assessments.measurement import Block, Isolation, Measurement, Noise, Side

PLAN = Plan("load", Scenario.OPEN, Arrivals.POISSON, 60.0, 64, 2.0, 1.0, 1.0, pairs_min=6, pairs_max=30)
START_PLAN = Plan("start", Scenario.START_UP, Arrivals.CONSTANT, 0, 0, 0, 0, 20.0, pairs_min=5, pairs_max=10)
RUN_PLAN = Plan("runs", Scenario.BATCH, Arrivals.CONSTANT, 0, 0, 0, 1, 20.0, pairs_min=5, pairs_max=10)
QUIET = Noise(
    seconds=2.0, foreign_cpu_s=0.02, steal_s=0.0, pressure_s=0.0, reference_wait_s=None, generator_lag_s=0.0006
)
CALIBRATION = {
    "p50": 0.010,
    "p95": 0.010,
    "p99": 0.010,
    "longest": 0.010,
    "throughput": 50.0,
    "start-up": 0.5,
    "wall": 0.5,
}
REQUESTS = 100


def isolation(priority: bool = True) -> Isolation:
    return Isolation(True, (0,), 1, priority, "cgroup freezer")


def budget(metric: Metric = Metric.P95, **changes: object) -> Budget:
    values = {
        "plan": "load",
        "metric": metric,
        "limit": 1.3,
        "backstop": None,
        "gone_at": 2.0,
        "wrong_share": 0.01,
    }
    return Budget(**(values | changes))


def block(
    side: Side,
    session: int,
    pair: int,
    latency_us: Sequence[int],
    wrong: int = 0,
    cpu_s: float | None = 0.4,
    memory_bytes: int | None = 100_000_000,
    noise: Noise = QUIET,
) -> Block:
    """A block whose first `wrong` requests have no right answer."""
    due = tuple(range(len(latency_us)))
    failures = dict.fromkeys(range(wrong), "HTTP 500")
    return Block(side, session, pair, due, due, tuple(latency_us), failures, cpu_s, memory_bytes, noise)


def spread(latency_us: int, requests: int = REQUESTS) -> tuple[int, ...]:
    """So many requests, all alike: every percentile is the same figure."""
    return (latency_us,) * requests


def pair(
    session: int, number: int, reference_us: int, candidate_us: int, requests: int = REQUESTS, **candidate: object
) -> tuple[Block, Block]:
    """One pair; what is named goes to the candidate's block."""
    return (
        block(Side.REFERENCE, session, number, spread(reference_us, requests)),
        block(Side.CANDIDATE, session, number, spread(candidate_us, requests), **candidate),
    )


def session(number: int, ratios: Sequence[float], requests: int = REQUESTS, **candidate: object) -> tuple[Block, ...]:
    """A session of pairs with these ratios to a reference of 10 ms."""
    return tuple(
        one
        for place, ratio in enumerate(ratios)
        for one in pair(number, place, 10_000, round(10_000 * ratio), requests, **candidate)
    )


def measurement(
    *sessions: Sequence[Block],
    plan: Plan = PLAN,
    calibration: Mapping[str, float] = CALIBRATION,
    priority: bool = True,
    ended: str = "",
) -> Measurement:
    blocks = tuple(one for blocks in sessions for one in blocks)
    return Measurement(plan, 0, isolation(priority), dict(calibration), blocks, ended)
