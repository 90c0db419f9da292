"""What benchmarks/fairness.py saw, one line of JSON a grading, so that many short runs add up to a long one."""

import json
import os
import platform
import statistics
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from assessments.outcome import Outcome
from graders.budgets.binomial import share_at_least

NEVER_FAILS, NEVER_PASSES = ("1.0",), ("2.0", "blocks")
DECIDED_WHEN_QUIET = 0.95
_RULED = (Outcome.PASSED, Outcome.FAILED, Outcome.INCONCLUSIVE)


@dataclass(frozen=True, slots=True)
class Where:
    """What a figure depends on besides the noise and the version: figures of different ones are not alike."""

    machine: str
    engine: str
    code: str


@dataclass(frozen=True, slots=True)
class Record:
    """One real grading."""

    date: str
    where: Where
    noise: str
    version: str
    seed: int
    outcome: Outcome
    seconds: float
    naive_failed: bool
    why: str = ""
    tries: int = 1
    """How often it was measured, in these seconds."""


def machine() -> str:
    """This machine in a few words."""
    processor = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    cores = len(os.sched_getaffinity(0))
    return f"{processor}, {cores} cores, Linux {platform.release()}, uid {os.geteuid()}"


def code_version(otherwise: str) -> str:
    """What git calls this checkout; where there is no git, or no repository, the other name."""
    here = Path(__file__).resolve().parent
    try:
        found = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--tags"],
            cwd=here,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return otherwise
    return found.stdout.strip()


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(file: Path, record: Record) -> None:
    """At once and in one write: whoever is killed afterwards has lost nothing."""
    with file.open("ab", buffering=0) as out:
        out.write(json.dumps(asdict(record)).encode() + b"\n")


def read(files: Iterable[Path]) -> list[Record]:
    """All records, in the order of their files. A file that is not there yet holds none. ValueError: no record."""
    records = []
    for file in files:
        for number, line in enumerate(file.read_text().splitlines() if file.exists() else (), start=1):
            try:
                found = json.loads(line)
                found |= {"where": Where(**found["where"]), "outcome": Outcome(found["outcome"])}
                records.append(Record(**found))
            except (ValueError, TypeError, KeyError) as error:
                raise ValueError(f"{file}, line {number} is no record of a grading: {error}") from error
    return records


def next_seed(records: Sequence[Record], first: int) -> int:
    """One that no recorded grading had: two gradings of one seed would be one grading, counted twice."""
    return max((record.seed + 1 for record in records), default=first)


def tables(records: Sequence[Record]) -> Iterator[str]:
    """Lines: where the figures are from, and one table a noise."""
    for where, many in Counter(record.where for record in records).items():
        dates = [record.date[:10] for record in records if record.where == where]
        yield f"{many} gradings, {min(dates)} to {max(dates)}: {where.machine}; {where.engine}; {where.code}"
    for noise in dict.fromkeys(record.noise for record in records):
        yield f"\n{noise}"
        yield (
            f"{'version':8} {'gradings':>8} {'passed':>7} {'failed':>7} {'open':>5} {'again':>6} {'s':>5} "
            f"{'naive fails':>12} {'passes up to':>13} {'fails up to':>12}"
        )
        of_noise = [record for record in records if record.noise == noise]
        for version in dict.fromkeys(record.version for record in of_noise):
            yield _row(version, [record for record in of_noise if record.version == version])
    yield "\nUp to: the rate that the count leaves possible at 95 %, by the exact one-sided bound."


def _row(version: str, records: Sequence[Record]) -> str:
    counts = Counter(record.outcome for record in records)
    passed, failed, undecided = (counts[outcome] for outcome in _RULED)
    total, seconds = len(records), statistics.median(record.seconds for record in records)
    again = sum(record.tries > 1 for record in records)
    naive = sum(record.naive_failed for record in records)
    return (
        f"{version:8} {total:8} {passed:7} {failed:7} {undecided:5} {again:6} {seconds:5.0f} {naive:12} "
        f"{at_most(passed, total):13.1%} {at_most(failed, total):12.1%}"
    )


def at_most(seen: int, total: int) -> float:
    """The rate that the true one is over with a probability of at most 5 % (C. J. Clopper and E. S. Pearson)."""
    return 1 - share_at_least(total - seen, total, 0.05) if total else 1.0


def broken(records: Sequence[Record]) -> Iterator[str]:
    """Each promise that the gradings break: wrong rulings, and too few at all where it is quiet."""
    yield from wrong_rulings(records)
    clear = [record for record in records if record.noise == "quiet" and record.version in NEVER_FAILS + NEVER_PASSES]
    decided = sum(record.outcome is not Outcome.INCONCLUSIVE for record in clear)
    if decided < DECIDED_WHEN_QUIET * len(clear):
        yield f"quiet: {decided} of {len(clear)} were decided; {DECIDED_WHEN_QUIET:.0%} were promised"


def wrong_rulings(records: Sequence[Record]) -> Iterator[str]:
    counts = Counter((record.noise, record.version, record.outcome) for record in records)
    wrong = {(version, Outcome.FAILED) for version in NEVER_FAILS}
    wrong |= {(version, Outcome.PASSED) for version in NEVER_PASSES}
    for (noise, version, outcome), many in counts.items():
        if (version, outcome) in wrong:
            yield f"{noise}, {version}: {many} {outcome}; none may"
