"""A scorecard without its evidence: what comparing candidates, checks and gradings needs. Pure."""

from dataclasses import dataclass
from math import fsum

from assessments.check import CheckId, CheckResult
from assessments.outcome import Fault, Outcome
from assessments.scorecard import ChallengeRef, Points, Scorecard, SkillScore, Status
from assessments.submission import Digest


@dataclass(frozen=True, slots=True)
class CheckFigure:
    """What came of one check, in figures."""

    check: CheckId
    skill: str
    points: float
    earned: float
    outcome: Outcome
    fault: Fault | None
    duration_s: float
    ratio: float | None = None
    """Of a budget: how many times the reference's figure the submission's is. None where it was not measured."""
    limit: float | None = None
    """How many times it may be. None for a check that is no budget's."""


@dataclass(frozen=True, slots=True)
class ScorecardSummary:
    """One scorecard in figures; each field means what it means there."""

    id: str
    graded_at: str
    candidate: str
    """Untrusted text."""
    challenge: ChallengeRef
    submission: Digest
    tree: Digest
    """Over the submission's paths and contents, the same however they were packed."""
    environment: Digest
    engine: str
    unenforced: tuple[str, ...]
    """Names of the controls that the host did not enforce."""
    host: Digest
    seed: int
    status: Status
    points: Points
    skills: tuple[SkillScore, ...]
    checks: tuple[CheckFigure, ...]
    """In the order of the manifest."""
    seconds: float
    """How long the grading took in all."""


def summary_of(scorecard: Scorecard) -> ScorecardSummary:
    """The figures of a scorecard."""
    return ScorecardSummary(
        id=scorecard.id,
        graded_at=scorecard.graded_at,
        candidate=scorecard.candidate,
        challenge=scorecard.challenge,
        submission=scorecard.submission.digest,
        tree=scorecard.submission.tree_digest,
        environment=scorecard.environment.digest,
        engine=scorecard.engine.name,
        unenforced=tuple(control.name for control in scorecard.engine.unenforced),
        host=scorecard.host.fingerprint,
        seed=scorecard.seed,
        status=scorecard.status,
        points=scorecard.points,
        skills=scorecard.skills,
        checks=tuple(map(_figure, scorecard.results)),
        seconds=fsum(phase.seconds for phase in scorecard.phases),
    )


def _figure(result: CheckResult) -> CheckFigure:
    budget = result.check.budget
    return CheckFigure(
        check=result.check.id,
        skill=result.check.skill,
        points=result.check.points,
        earned=result.points_earned,
        outcome=result.outcome,
        fault=result.fault,
        duration_s=result.duration_s,
        ratio=result.ruling.ratio if result.ruling else None,
        limit=budget.limit if budget else None,
    )
