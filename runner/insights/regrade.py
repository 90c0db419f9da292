"""What a regrade changed."""

from dataclasses import dataclass
from enum import StrEnum

from assessments.assessment_result import ShareRange, Standing
from assessments.check import CheckId
from assessments.outcome import Outcome
from assessments.scorecard_summary import ScorecardSummary


class Cause(StrEnum):
    CHALLENGE = "challenge"
    ENVIRONMENT = "environment"
    ENGINE = "engine"
    SEED = "seed"
    HOST = "host"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Change:
    check: CheckId
    before: Outcome
    after: Outcome
    points_before: float
    points_after: float


@dataclass(frozen=True, slots=True)
class Difference:
    candidate: str
    challenge: str
    before: ScorecardSummary | None
    after: ScorecardSummary
    changes: tuple[Change, ...]
    added: tuple[CheckId, ...]
    removed: tuple[CheckId, ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True, slots=True)
class Shift:
    candidate: str
    share_before: ShareRange
    share_after: ShareRange
    standing_before: Standing
    standing_after: Standing
    place_before: tuple[int, int]
    place_after: tuple[int, int]

    @property
    def crosses(self) -> bool:
        return self.standing_before is not self.standing_after
