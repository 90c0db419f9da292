"""What a cohort's outcomes tell about checks and challenges."""

from dataclasses import dataclass
from enum import StrEnum

from assessments.check import CheckId
from runner.insights.estimates import Estimate


class CheckConcern(StrEnum):
    ALWAYS_PASSED = "always-passed"
    NEVER_PASSED = "never-passed"
    OFTEN_UNDECIDED = "often-undecided"
    TELLS_THE_WRONG_WAY = "tells-the-wrong-way"
    TELLS_LITTLE = "tells-little"
    FLAKY = "flaky"


@dataclass(frozen=True, slots=True)
class CheckStatistics:
    check: CheckId
    skill: str
    points: float
    is_budget: bool
    n: int
    passed: int
    failed: int
    inconclusive: int
    errored: int
    difficulty: Estimate | None
    discrimination: float | None
    duration_median_s: float
    duration_max_s: float
    concerns: tuple[CheckConcern, ...]


@dataclass(frozen=True, slots=True)
class ChallengeStatistics:
    challenge: str
    title: str
    n: int
    checks: tuple[CheckStatistics, ...]
    alpha: Estimate | None
    mean_share: float
    seconds_median: float
    seconds_p95: float
