"""A check: one test with an id, points, a skill and a visibility; and the result of running it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

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
