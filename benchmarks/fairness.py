"""Grades a reference and versions of it that are slower by known factors, many times over, on a quiet and a busy host.

    python benchmarks/fairness.py [--gradings N] [--resampled M] [--noise NAME ...] [--version NAME ...] [--seed S]
                                  [--record FILE]
    python benchmarks/fairness.py --tables FILE ...

The service is tests/sample_challenges/timed-service: each answer costs a known amount of work. Its budget is a p95 of
at most 1.3 times the reference's at 110 requests a second. Versions do 1.0 to 2.0 times the reference's work, block for
100 ms every 50th request, or burn CPU all the time, the reference's blocks included. Noises are busy loops beside it:
none, one, two, and two that come and go. Every grading is a real one, in turns over all versions of a noise; the quiet
ones go first, so that the host's calibration is known. No two have the same seed.

For each noise and version it prints how often the p95's ruling was passed, failed and inconclusive, how many took more
than one try, the seconds that measuring took (the median), what a naive verdict says of the same requests (the
submission's p95 in one session against 1.3 times the reference's in the first quiet measurement, a fixed limit), and
which rates the counts leave possible. `--resampled` adds M gradings a case whose sessions are drawn, with replacement,
from the pairs of blocks that were recorded for it in this run: they have a table of their own.

Forty gradings of all 28 cases take nine hours, and more where many stay undecided and are measured again. `--record`
appends each to a file as soon as it is done, and goes on after the seeds that stand there, so that the hours may be had
in parts: benchmarks/records/fairness.jsonl is where they add up. `--tables` grades nothing, and prints the tables of
what such files hold.

Exits with 1 when a promise is broken: at 1.0 nobody fails, in any noise; at 2.0 and for the one that blocks nobody
passes; where it is quiet 95 % are decided.
"""

import argparse
import contextlib
import ctypes
import itertools
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/sample_challenges"))

import timed
from fairness_records import (
    Record,
    Where,
    append,
    broken,
    code_version,
    machine,
    next_seed,
    now,
    read,
    tables,
    wrong_rulings,
)

import runner
from assessments.budget import Budget
from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.measurement import Block, Measurement, Side
from assessments.outcome import Outcome
from graders.budgets import Step, next_step, rule
from graders.load import percentile
from runner.bench import Bench, open_bench
from runner.engines.choose import wish
from runner.grade import Order, grade
from runner.state_folder import default_state

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


@dataclass
class Bed:
    """What gradings have in common: where they run, and what a naive verdict compares with."""

    challenge: Challenge
    budget: Budget
    bench: Bench
    where: Where
    fixed_s: float = 0.0


@dataclass
class Case:
    """One version under one noise, and what was measured of it."""

    noise: str
    version: str
    measurements: list[Measurement] = field(default_factory=list)


def main() -> None:
    asked = _asked()
    if asked.tables:
        _end(read(asked.tables), [])
    before = read([asked.record] if asked.record else [])
    seeds = itertools.count(next_seed(before, first=asked.seed * 10_000))
    records: list[Record] = []
    resampled: list[Record] = []
    with open_bench(default_state(), _say, wish(None, None)) as bench:
        bed = _bed(bench)
        for noise in asked.noise or NOISES:
            cases = [Case(noise, version) for version in asked.version or VERSIONS]
            with NOISES[noise](asked.seed):
                for case, seed in zip(cases * asked.gradings, seeds, strict=False):
                    records.append(_grade(case, bed, seed))
                    if asked.record:
                        append(asked.record, records[-1])
            for case in cases:
                resampled += _resample(case, bed, asked.resampled, asked.seed)
    _end(records, resampled)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gradings", type=int, default=40)
    parser.add_argument("--resampled", type=int, default=0)
    parser.add_argument("--noise", action="append", choices=list(NOISES))
    parser.add_argument("--version", action="append", choices=list(VERSIONS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--record", type=Path, metavar="FILE")
    parser.add_argument("--tables", type=Path, nargs="+", metavar="FILE")
    return parser.parse_args()


def _end(records: list[Record], resampled: list[Record]) -> NoReturn:
    """Print what came of it; the exit code says whether every promise was kept."""
    for line in tables(records):
        print(line)
    if resampled:
        print("\nResampled from the blocks above")
        for line in tables(resampled):
            print(line)
    wrong = [*broken(records), *(f"resampled: {line}" for line in wrong_rulings(resampled))]
    for promise in wrong:
        _say(promise)
    sys.exit(1 if wrong else 0)


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
    processes = [multiprocessing.Process(target=_apart, args=(work, os.getpid()), daemon=True) for work in works]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.join()


def _apart(work: Callable[[], None], parent: int) -> None:
    """In a session of its own, and gone with its parent: a run that is killed must not leave noise to the next."""
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() == parent:
        work()


_PR_SET_PDEATHSIG = 1
"""prctl(2)"""


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


def _bed(bench: Bench) -> Bed:
    """The naive verdict's fixed limit is 1.3 times the p95 of the reference while it is quiet."""
    challenge = read_challenge(CHALLENGE)
    budget = next(check.budget for check in challenge.checks if check.id == CHECK)
    assert budget is not None
    engine = bench.engine.describe(unenforced_allowed=True)
    where = Where(machine(), f"{engine.name} {engine.version}", code_version(otherwise=runner.__version__))
    bed = Bed(challenge, budget, bench, where)
    reference = [block for block in _measured(bed, {}, seed=0).blocks if block.side is Side.REFERENCE]
    bed.fixed_s = budget.limit * _p95_s(reference)
    return bed


def _grade(case: Case, bed: Bed, seed: int) -> Record:
    date, started = now(), time.monotonic()
    measurement = _measured(bed, VERSIONS[case.version], seed)
    took_s = time.monotonic() - started
    case.measurements.append(measurement)
    ruling = rule(measurement, bed.budget)
    candidate = [block for block in measurement.blocks if block.side is Side.CANDIDATE and block.session == 0]
    naive_failed = _p95_s(candidate) > bed.fixed_s
    _say(f"{case.noise}, {case.version}: {ruling.outcome} in {took_s:.0f} s: {ruling.why}")
    return Record(
        date=date,
        where=bed.where,
        noise=case.noise,
        version=case.version,
        seed=seed,
        outcome=ruling.outcome,
        seconds=round(took_s, 1),
        naive_failed=naive_failed,
        why=ruling.why,
        tries=ruling.tries,
    )


def _measured(bed: Bed, changed: dict[str, object], seed: int) -> Measurement:
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in timed.version(**changed).items():
            (Path(scratch) / name).write_text(text)
        order = Order(Path(scratch), "fairness", seed=seed, unenforced_allowed=True)
        scorecard = grade(order, bed.challenge, bed.bench).scorecard
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


def _resample(case: Case, bed: Bed, many: int, seed: int) -> Iterator[Record]:
    """Gradings that could have been: sessions of pairs drawn from those that were recorded, by the same rule."""
    chance = random.Random(f"{seed}:{case.noise}:{case.version}")
    pairs = [pair for measurement in case.measurements for pair in _pairs(measurement)]
    for number in range(many if pairs else 0):
        measurement = replace(case.measurements[-1], blocks=())
        step, session, place = Step.MORE, 0, 0
        while step is not Step.DONE:
            drawn = (replace(block, session=session, pair=place) for block in chance.choice(pairs))
            measurement = replace(measurement, blocks=(*measurement.blocks, *drawn))
            step = next_step(measurement, [bed.budget])
            place += 1
            if step is Step.SECOND_SESSION:
                session, place = session + 1, 0
            elif step is Step.AGAIN:
                session, place = session + 2 - session % 2, 0
        outcome = rule(measurement, bed.budget).outcome
        yield Record(now(), bed.where, case.noise, case.version, number, outcome, 0.0, naive_failed=False)


def _pairs(measurement: Measurement) -> list[tuple[Block, ...]]:
    found: dict[tuple[int, int], list[Block]] = {}
    for block in measurement.blocks:
        found.setdefault((block.session, block.pair), []).append(block)
    return [tuple(blocks) for blocks in found.values() if len(blocks) == 2]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
