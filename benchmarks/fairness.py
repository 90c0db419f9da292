"""Grades a reference and versions of it that are slower by known factors, many times over, on a quiet and a busy host.

    python benchmarks/fairness.py [--gradings N] [--resampled M] [--noise NAME ...] [--version NAME ...] [--seed S]

The service is tests/sample_challenges/timed-service: each answer costs a known amount of work. Its budget is a p95 of
at most 1.3 times the reference's at 110 requests a second. Versions do 1.0 to 2.0 times the reference's work, block for
100 ms every 50th request, or burn CPU all the time, the reference's blocks included. Noises are busy loops beside it:
none, one, two, and two that come and go. Every grading is a real one, in turns over all versions of a noise; the quiet
ones go first, so that the host's calibration is known.

For each noise and version it prints how often the p95's ruling was passed, failed and inconclusive, the seconds that
measuring took (the median), and what a naive verdict says of the same requests: the submission's p95 in one session
against 1.3 times the reference's in the first quiet measurement, a fixed limit. `--resampled` adds M gradings a case
whose sessions are drawn, with replacement, from the pairs of blocks that were recorded for it: they are told apart in
the table. A share of 0 in N proves less than 1 - 0.05^(1/N) at 95 %, which is printed as well.

Exits with 1 when a promise is broken: at 1.0 nobody fails, in any noise; at 2.0 and for the one that blocks nobody
passes; where it is quiet 95 % are decided.
"""

import argparse
import contextlib
import multiprocessing
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/sample_challenges"))

import timed

from assessments.budget import Budget
from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.measurement import Block, Measurement, Side
from assessments.outcome import Outcome
from graders.budgets import Step, next_step, rule
from graders.load import percentile
from runner.bench import Bench, default_state, open_bench
from runner.engines.choose import wish
from runner.grade import Order, grade

CHALLENGE = Path(__file__).resolve().parents[1] / "tests/sample_challenges/timed-service"
CHECK = "answers-in-time"

VERSIONS: dict[str, dict[str, object]] = {
    "1.0": {},
    "1.15": {"TIMES": 1.15},
    "1.3": {"TIMES": 1.3},
    "1.6": {"TIMES": 1.6},
    "2.0": {"TIMES": 2.0},
    "blocks": {"STALL_EVERY": 50, "STALL_S": 0.1},
    "burns": {"BURNS": True},
}
NEVER_FAILS, NEVER_PASSES = ("1.0",), ("2.0", "blocks")
DECIDED_WHEN_QUIET = 0.95


@dataclass
class Case:
    """One version under one noise, and all that came of it."""

    noise: str
    version: str
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    resampled: Counter[Outcome] = field(default_factory=Counter)
    naive_fails: int = 0
    seconds: list[float] = field(default_factory=list)
    measurements: list[Measurement] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradings", type=int, default=40)
    parser.add_argument("--resampled", type=int, default=0)
    parser.add_argument("--noise", action="append", choices=list(NOISES))
    parser.add_argument("--version", action="append", choices=list(VERSIONS))
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    challenge = read_challenge(CHALLENGE)
    budget = next(check.budget for check in challenge.checks if check.id == CHECK)
    assert budget is not None
    noises = [name for name in NOISES if not asked.noise or name in asked.noise]
    versions = [name for name in VERSIONS if not asked.version or name in asked.version]
    cases: list[Case] = []
    _describe()
    with open_bench(default_state(), _say, wish(None, None)) as bench:
        fixed_s = _calibrated(challenge, bench, budget)
        for noise in noises:
            of_noise = [Case(noise, version) for version in versions]
            with NOISES[noise](asked.seed):
                for number in range(asked.gradings):
                    for case in of_noise:
                        _grade(case, challenge, bench, budget, fixed_s, seed=asked.seed * 10_000 + number)
            for case in of_noise:
                _resample(case, budget, asked.resampled, asked.seed)
            cases += of_noise
            _print(of_noise)
    broken = list(_broken(cases))
    for promise in broken:
        _say(promise)
    sys.exit(1 if broken else 0)


# Noise


def _burn() -> None:
    while True:
        sum(range(10_000))


def _burn_now_and_then(seed: int) -> None:
    chance = random.Random(seed)
    while True:
        until = time.monotonic() + chance.uniform(0.3, 3.0)
        while time.monotonic() < until:
            sum(range(10_000))
        time.sleep(chance.uniform(0.3, 3.0))


@contextlib.contextmanager
def _neighbours(*works: Callable[[], None]) -> Iterator[None]:
    """Each in a session of its own, as another user's processes would be."""
    processes = [multiprocessing.Process(target=_apart, args=(work,), daemon=True) for work in works]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _apart(work: Callable[[], None]) -> None:
    os.setsid()
    work()


class _Bursts:
    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self) -> None:
        _burn_now_and_then(self._seed)


NOISES: dict[str, Callable[[int], contextlib.AbstractContextManager[None]]] = {
    "quiet": lambda _: _neighbours(),
    "one burner": lambda _: _neighbours(_burn),
    "two burners": lambda _: _neighbours(_burn, _burn),
    "come and go": lambda seed: _neighbours(_Bursts(seed), _Bursts(seed + 1)),
}


# Grading


def _calibrated(challenge: Challenge, bench: Bench, budget: Budget) -> float:
    """The naive verdict's fixed limit, in seconds: 1.3 times the p95 of the reference while it is quiet."""
    measurement = _measured(challenge, bench, {}, seed=0)
    return budget.limit * _p95_s([block for block in measurement.blocks if block.side is Side.REFERENCE])


def _grade(case: Case, challenge: Challenge, bench: Bench, budget: Budget, fixed_s: float, seed: int) -> None:
    started = time.monotonic()
    measurement = _measured(challenge, bench, VERSIONS[case.version], seed)
    took_s = time.monotonic() - started
    ruling = rule(measurement, budget)
    candidate = [block for block in measurement.blocks if block.side is Side.CANDIDATE and block.session == 0]
    case.outcomes[ruling.outcome] += 1
    case.naive_fails += _p95_s(candidate) > fixed_s
    case.seconds.append(took_s)
    case.measurements.append(measurement)
    _say(f"{case.noise}, {case.version}: {ruling.outcome} in {took_s:.0f} s: {ruling.why}")


def _measured(challenge: Challenge, bench: Bench, changed: dict[str, object], seed: int) -> Measurement:
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in timed.version(**changed).items():
            (Path(scratch) / name).write_text(text)
        order = Order(Path(scratch), "fairness", seed=seed, unenforced_allowed=True)
        scorecard = grade(order, challenge, bench).scorecard
    wrong = [result.message for result in scorecard.results if result.outcome is Outcome.ERRORED]
    if wrong:
        raise SystemExit(f"a grading failed by itself: {wrong[0]}")
    return scorecard.measurements[0]


def _p95_s(blocks: list[Block]) -> float:
    times = [
        float("inf") if place in block.failures else latency_us / 1e6
        for block in blocks
        for place, latency_us in enumerate(block.latency_us)
    ]
    return percentile(times, 0.95)


def _resample(case: Case, budget: Budget, many: int, seed: int) -> None:
    """Gradings that could have been: sessions of pairs drawn from those that were recorded, by the same rule."""
    if not many or not case.measurements:
        return
    chance = random.Random(f"{seed}:{case.noise}:{case.version}")
    pairs = [pair for measurement in case.measurements for pair in _pairs(measurement)]
    for _ in range(many):
        measurement = replace(case.measurements[-1], blocks=())
        step, session, number = Step.MORE, 0, 0
        while step is not Step.DONE:
            drawn = (replace(block, session=session, pair=number) for block in chance.choice(pairs))
            measurement = replace(measurement, blocks=(*measurement.blocks, *drawn))
            step = next_step(measurement, [budget])
            number += 1
            if step is Step.SECOND_SESSION:
                session, number = 1, 0
        case.resampled[rule(measurement, budget).outcome] += 1


def _pairs(measurement: Measurement) -> list[tuple[Block, ...]]:
    found: dict[tuple[int, int], list[Block]] = {}
    for block in measurement.blocks:
        found.setdefault((block.session, block.pair), []).append(block)
    return [tuple(blocks) for blocks in found.values() if len(blocks) == 2]


# Telling


def _describe() -> None:
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    print(f"{datetime.now(UTC):%Y-%m-%d}, {processor}, {cores} cores, Linux {platform.release()}, uid {os.geteuid()}")


def _print(cases: list[Case]) -> None:
    print(f"\n{cases[0].noise}")
    titles = f"{'version':8} {'gradings':>8} {'passed':>7} {'failed':>7} {'open':>5} {'s':>5} {'naive fails':>12}"
    print(f"{titles}   resampled: passed/failed/open")
    for case in cases:
        total = sum(case.outcomes.values())
        counts = [case.outcomes[outcome] for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE)]
        again = [case.resampled[outcome] for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE)]
        drawn = f"{again[0]}/{again[1]}/{again[2]}" if any(again) else "-"
        print(
            f"{case.version:8} {total:8} {counts[0]:7} {counts[1]:7} {counts[2]:5} "
            f"{statistics.median(case.seconds):5.0f} {case.naive_fails:12}   {drawn}"
        )
    total = sum(cases[0].outcomes.values())
    print(f"0 in {total} proves less than {1 - 0.05 ** (1 / total):.1%} at 95 %", flush=True)


def _broken(cases: list[Case]) -> Iterator[str]:
    for case in cases:
        where = f"{case.noise}, {case.version}"
        both = case.outcomes + case.resampled
        if case.version in NEVER_FAILS and both[Outcome.FAILED]:
            yield f"{where}: {both[Outcome.FAILED]} failed; none may"
        if case.version in NEVER_PASSES and both[Outcome.PASSED]:
            yield f"{where}: {both[Outcome.PASSED]} passed; none may"
    quiet = [case for case in cases if case.noise == "quiet" and case.version in (*NEVER_FAILS, *NEVER_PASSES)]
    decided = sum(case.outcomes[Outcome.PASSED] + case.outcomes[Outcome.FAILED] for case in quiet)
    total = sum(sum(case.outcomes.values()) for case in quiet)
    if total and decided < DECIDED_WHEN_QUIET * total:
        yield f"quiet: {decided} of {total} were decided; {DECIDED_WHEN_QUIET:.0%} were promised"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
