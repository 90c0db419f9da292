"""A check: one test with an id, points, a skill and a visibility; and the result of running it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from assessments.budget import Budget, Ruling
from assessments.observation import Exchange
from assessments.outcome import Fault, Outcome

CheckId = NewType("CheckId", str)


class Visibility(StrEnum):
    """What a candidate's copy of a report shows of a check."""

    PUBLIC = "public"
    """Everything: sentence, outcome, message and evidence."""
    AFTER = "after"
    """Sentence and outcome, and no more than those."""
    HIDDEN = "hidden"
    """The skill and the outcome only."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check as the manifest declares it; `points` are what passing it earns."""

    id: CheckId
    points: float
    skill: str
    visibility: Visibility
    time_limit_s: float
    budget: Budget | None = None
    """What it measures; None for a check that is no budget's."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What came of one check.

    `sentence` says in plain English what the check shows (the first paragraph of its docstring); `message`
    says what was expected and what came instead, and is empty when the check passed. `fault` is set exactly
    when the outcome is failed or errored. `evidence` holds the exchanges the message rests on.
    """

    check: Check
    outcome: Outcome
    fault: Fault | None
    sentence: str
    message: str
    evidence: tuple[Exchange, ...]
    duration_s: float
    ruling: Ruling | None = None
    """What the measurement says, for a budget that was measured."""

    @property
    def points_earned(self) -> float:
        """All for a pass; of a failed budget what its fall-off leaves; nothing otherwise."""
        if self.outcome is Outcome.PASSED:
            return self.check.points
        if self.outcome is Outcome.FAILED and self.ruling is not None:
            return self.check.points * self.ruling.share
        return 0.0
