"""Outcomes of a check, the kinds of failure behind them, and who answers for each.

`FAULTS` is the one table of the system's policy on failure: owner, retry and consequence. Code that
meets a failure names its `Fault` and looks the rest up here; nothing decides it a second time.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Outcome(StrEnum):
    """What is known about one check after grading."""

    PASSED = "passed"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    """The machine was too noisy to say."""
    ERRORED = "errored"
    """Not decided, by a fault of ours; costs no points and asks for a rerun."""


class Owner(StrEnum):
    """Who answers for a failure. Only the candidate's own failures cost points."""

    CANDIDATE = "candidate"
    CHALLENGE = "challenge"
    INFRASTRUCTURE = "infrastructure"


class Fault(StrEnum):
    """Every kind of failure that grading can meet."""

    WRONG_ANSWER = "wrong-answer"
    NO_ANSWER = "no-answer"
    MALFORMED_ANSWER = "malformed-answer"
    DID_NOT_START = "did-not-start"
    DIED = "died"
    OUT_OF_MEMORY = "out-of-memory"
    OUTPUT_FLOOD = "output-flood"
    TIME_LIMIT = "time-limit"
    OVER_BUDGET = "over-budget"
    CHECK_CRASHED = "check-crashed"
    CHECK_STALLED = "check-stalled"
    CHECK_SKIPPED = "check-skipped"
    CHECKS_DIFFER = "checks-differ"
    GRADER_DIED = "grader-died"
    GRADING_DEADLINE = "grading-deadline"
    ENGINE_FAILED = "engine-failed"
    CONTROL_FAILED = "control-failed"
    NOT_MEASURED = "not-measured"


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a fault leads to.

    `retry` says whether grading the same bytes again can help; `meaning` is the sentence that people read.
    """

    owner: Owner
    outcome: Outcome
    retry: bool
    meaning: str


def _candidate(meaning: str) -> Consequence:
    return Consequence(Owner.CANDIDATE, Outcome.FAILED, retry=False, meaning=meaning)


def _challenge(meaning: str) -> Consequence:
    return Consequence(Owner.CHALLENGE, Outcome.ERRORED, retry=False, meaning=meaning)


def _infrastructure(meaning: str, *, retry: bool = True) -> Consequence:
    return Consequence(Owner.INFRASTRUCTURE, Outcome.ERRORED, retry=retry, meaning=meaning)


FAULTS: Final = MappingProxyType(
    {
        Fault.WRONG_ANSWER: _candidate("The answer differs from what the brief asks for."),
        Fault.NO_ANSWER: _candidate("No complete answer came within the time allowed."),
        Fault.MALFORMED_ANSWER: _candidate("The answer breaks the protocol or is larger than allowed."),
        Fault.DID_NOT_START: _candidate("The submission did not start, or was not ready in time."),
        Fault.DIED: _candidate("The submission's process ended while it was needed."),
        Fault.OUT_OF_MEMORY: _candidate("The submission used more memory than it was given."),
        Fault.OUTPUT_FLOOD: _candidate("The submission wrote more output than it was allowed."),
        Fault.TIME_LIMIT: _candidate("The submission ran longer than it was allowed."),
        Fault.OVER_BUDGET: _candidate("The submission takes more than its budget, as measured beside the reference."),
        Fault.CHECK_CRASHED: _challenge("The check itself broke."),
        Fault.CHECK_STALLED: _challenge("The check ran past its time limit without waiting on the submission."),
        Fault.CHECK_SKIPPED: _challenge("The check was skipped, or expected to fail: neither is a verdict."),
        Fault.CHECKS_DIFFER: _challenge("The checks that were collected are not those of the manifest."),
        Fault.GRADER_DIED: _infrastructure("The grader ended before it gave a verdict."),
        Fault.GRADING_DEADLINE: _infrastructure("Grading as a whole ran past its deadline."),
        Fault.ENGINE_FAILED: _infrastructure("The sandbox engine failed."),
        # Not tried again: what else was decided stands, and nobody gets a second throw of the dice by it.
        Fault.CONTROL_FAILED: _infrastructure(
            "The reference solution, tried after it, did not pass either.", retry=False
        ),
        # Nor this: the same host tells no more the next time.
        Fault.NOT_MEASURED: _infrastructure(
            "The grading machine does not tell what the check has to know.", retry=False
        ),
    }
)
