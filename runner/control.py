"""The control: what a submission failed is tried right after with the reference solution in its place.

A wait in a check ends after so many seconds, on whatever machine; a hidden input is made from a seed that nobody has
tried before. So a failure counts against a candidate only where the reference, on the same machine and by the same
seed, passes the same check. What a budget limits needs none of it: it is measured beside the reference anyway.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from assessments.check import CheckId, CheckResult
from assessments.manifest.read import REFERENCE
from assessments.outcome import FAULTS, Fault, Outcome
from graders.decision import decide
from runner.calibration import Calibrations
from runner.session import Session
from runner.trial import Trial

_MESSAGE_CHARS = 2000


def controlled(
    trial: Trial, calibrations: Calibrations, seed: int, results: Sequence[CheckResult]
) -> tuple[CheckResult, ...]:
    """The results, of whose failures those are left that the reference does not share.

    A challenge without a reference solution cannot have a control: its results stay as they are.
    """
    failed = to_try(results)
    if not failed or not (trial.challenge.folder / REFERENCE).is_dir():
        return tuple(results)
    reference = replace(trial, workspace=trial.bench.reference(trial.challenge))
    judged = Session(reference, calibrations).judge(seed, measures=False, only=failed)
    return upheld(results, decide(trial.challenge.checks, judged.account, only=failed))


def to_try(results: Iterable[CheckResult]) -> tuple[CheckId, ...]:
    """The checks that failed, and not by a budget. Pure."""
    return tuple(one.check.id for one in results if one.outcome is Outcome.FAILED and one.check.budget is None)


def upheld(results: Iterable[CheckResult], control: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The results, with each failure undecided whose control did not pass. Pure."""
    tried = {one.check.id: one for one in control}
    return tuple(_upheld(result, tried) for result in results)


def _upheld(result: CheckResult, tried: Mapping[CheckId, CheckResult]) -> CheckResult:
    reference = tried.get(result.check.id)
    if reference is None or reference.outcome is Outcome.PASSED:
        return result
    fault = Fault.CONTROL_FAILED
    words = f"{FAULTS[fault].meaning} The reference: {reference.message} The submission: {result.message}"
    return replace(result, outcome=FAULTS[fault].outcome, fault=fault, message=words[:_MESSAGE_CHARS])
