"""What an exception from a check means: whose failure it is, and in which words. Pure."""

from dataclasses import dataclass

import pytest
from _pytest.outcomes import XFailed  # pytest.xfail raises it; pytest exports no public name for the class

from assessments.budget import Ruling
from assessments.outcome import FAULTS, Fault, Outcome
from graders.checks.errors import Unmeasured
from graders.http import BadAnswer

_MESSAGE_CHARS = 2000


class CheckStalled(BaseException):
    """Raised in a check that ran past its time limit; not an Exception, so that a check cannot swallow it."""


class Undecided(Exception):
    """A budget is not kept, or cannot be decided on: the ruling says which. None: nothing was measured."""

    def __init__(self, why: str, ruling: Ruling | None = None) -> None:
        super().__init__(why)
        self.ruling = ruling


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check's outcome; `fault` is set when it failed or errored."""

    outcome: Outcome
    fault: Fault | None
    message: str
    ruling: Ruling | None = None

    @classmethod
    def passed(cls) -> "Verdict":
        return cls(Outcome.PASSED, None, "")

    @classmethod
    def of(cls, fault: Fault, message: str) -> "Verdict":
        text = message[:_MESSAGE_CHARS].encode("utf-8", "backslashreplace").decode()  # a check may quote half a pair
        return cls(FAULTS[fault].outcome, fault, text)


def decide(error: BaseException, place: str, service_ended: tuple[str, Fault] | None) -> Verdict:
    """The verdict on a check that raised `error` at `place`; `service_ended` says how a service it used went, if so."""
    match error:
        case pytest.skip.Exception() | XFailed():
            return Verdict.of(Fault.CHECK_SKIPPED, str(error))
        case Undecided():
            return _undecided(error)
        case Unmeasured():
            return Verdict.of(Fault.NOT_MEASURED, str(error))
        case BadAnswer():
            return _bad_answer(error, service_ended)
        case AssertionError() | pytest.fail.Exception():
            return Verdict.of(Fault.WRONG_ANSWER, str(error) or f"an assertion without words failed at {place}")
        case CheckStalled():
            return Verdict.of(Fault.CHECK_STALLED, f"it stalled at {place}")
        case _:
            return Verdict.of(Fault.CHECK_CRASHED, f"{type(error).__name__}: {error} at {place}")


def _undecided(error: Undecided) -> Verdict:
    outcome = error.ruling.outcome if error.ruling else Outcome.INCONCLUSIVE
    fault = Fault.OVER_BUDGET if outcome is Outcome.FAILED else None
    return Verdict(outcome, fault, str(error)[:_MESSAGE_CHARS], error.ruling)


def _bad_answer(error: BadAnswer, service_ended: tuple[str, Fault] | None) -> Verdict:
    if service_ended is None or error.fault is not Fault.NO_ANSWER:
        return Verdict.of(error.fault, str(error))
    how, fault = service_ended
    return Verdict.of(fault, f"{error}; the service had ended: {how}")
