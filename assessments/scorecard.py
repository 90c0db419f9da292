"""A scorecard: all outcomes of one submission on one challenge, with what is needed to trace each figure.

`score` is pure: the same results give the same points. A scorecard is written once and never changed.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from assessments.check import CheckResult
from assessments.measurement import Measurement
from assessments.observation import SandboxRun
from assessments.outcome import Outcome
from assessments.submission import Digest, Submission


class Status(StrEnum):
    """Whether every check was decided."""

    COMPLETE = "complete"
    INCOMPLETE = "incomplete"
    """At least one check is errored or inconclusive: the score is a range, and a rerun is due."""


_ROUNDING = 1e-9
"""What binary fractions may be off by; far below any share that points can make."""


@dataclass(frozen=True, slots=True)
class Points:
    """Points of some checks: `earned` for certain, `undecided` for lack of a verdict, out of `possible`."""

    earned: float
    undecided: float
    possible: float

    @property
    def share(self) -> float:
        """Earned points as a share of the possible ones, 0 to 1 (0 where none are possible)."""
        return self.earned / self.possible if self.possible else 0.0

    @property
    def share_at_most(self) -> float:
        """The share if every undecided check were passed."""
        return (self.earned + self.undecided) / self.possible if self.possible else 0.0

    def reaches(self, mark: float) -> bool:
        """Whether the share earned for certain is at least `mark`, 0 to 1; 0.29 of 29 in 100 is reached."""
        return self.share >= mark - _ROUNDING


@dataclass(frozen=True, slots=True)
class SkillScore:
    """Points of the checks of one skill."""

    skill: str
    points: Points
    passed: int
    checks: int


@dataclass(frozen=True, slots=True)
class ChallengeRef:
    """Which challenge was graded; `digest` is over all of its files that grading reads."""

    id: str
    version: str
    title: str
    digest: Digest
    pass_mark: float


@dataclass(frozen=True, slots=True)
class PackageRef:
    """A Debian package, as it was fetched: the archive's file name holds its name, version and architecture."""

    archive: str
    sha256: Digest


@dataclass(frozen=True, slots=True)
class EnvironmentRef:
    """The locked environment: `digest` over lock file, Python version and platform."""

    digest: Digest
    python: str
    packages: tuple[PackageRef, ...] = ()
    """Those of companions that are programs, which no lock file pins."""


@dataclass(frozen=True, slots=True)
class Control:
    """One control of the sandbox, whether this host enforces it, and by what."""

    name: str
    enforced: bool
    how: str


@dataclass(frozen=True, slots=True)
class EngineRef:
    """The engine that ran the submission, and what it enforced."""

    name: str
    version: str
    controls: tuple[Control, ...]
    unenforced_allowed: bool

    @property
    def unenforced(self) -> tuple[Control, ...]:
        return tuple(control for control in self.controls if not control.enforced)


@dataclass(frozen=True, slots=True)
class Host:
    """The machine that graded; `fingerprint` is over the other fields."""

    fingerprint: Digest
    system: str
    kernel: str
    machine: str
    cores: int
    memory_bytes: int
    assay: str


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of grading and how long it took."""

    name: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Scorecard:
    """One submission graded once on one challenge."""

    id: str
    graded_at: str
    """RFC 3339, UTC."""
    candidate: str
    """The label the operator gave; untrusted text."""
    challenge: ChallengeRef
    submission: Submission
    environment: EnvironmentRef
    engine: EngineRef
    host: Host
    seed: int
    status: Status
    points: Points
    skills: tuple[SkillScore, ...]
    results: tuple[CheckResult, ...]
    runs: tuple[SandboxRun, ...]
    phases: tuple[Phase, ...]
    measurements: tuple[Measurement, ...] = ()
    """What the budgets were decided on."""

    @property
    def passed(self) -> bool:
        """Whether the points earned for certain reach the challenge's pass mark."""
        return self.points.reaches(self.challenge.pass_mark)


def score(results: Iterable[CheckResult]) -> Points:
    """Add up results. Passed earns; errored and inconclusive stay undecided; failed earns what a budget leaves it."""
    results = tuple(results)
    undecided = {Outcome.ERRORED, Outcome.INCONCLUSIVE}
    return Points(
        earned=math.fsum(result.points_earned for result in results),
        undecided=math.fsum(result.check.points for result in results if result.outcome in undecided),
        possible=math.fsum(result.check.points for result in results),
    )


def skill_scores(skills: Iterable[str], results: Iterable[CheckResult]) -> tuple[SkillScore, ...]:
    """The points of each skill, in the order given; every result counts for exactly one skill."""
    results = tuple(results)
    scores = []
    for skill in skills:
        mine = tuple(result for result in results if result.check.skill == skill)
        passed = sum(result.outcome is Outcome.PASSED for result in mine)
        scores.append(SkillScore(skill, score(mine), passed, len(mine)))
    return tuple(scores)


def status(results: Iterable[CheckResult]) -> Status:
    """Complete when every check has a verdict of passed or failed."""
    decided = {Outcome.PASSED, Outcome.FAILED}
    return Status.COMPLETE if all(result.outcome in decided for result in results) else Status.INCOMPLETE
