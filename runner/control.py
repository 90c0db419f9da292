"""The control: what a submission failed is tried afterwards with the reference solution in its place.

A wait in a check ends after so many seconds, on whatever machine; a hidden input is made from a seed that nobody has
tried before. So a failure counts against a candidate only where the reference, on the same machine and by the same
seed, passes the same check. What a budget limits has none, as it is measured beside the reference anyway; what else the
check asks has one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from assessments.challenge import Challenge
from assessments.check import CheckId, CheckResult
from assessments.manifest.read import REFERENCE
from assessments.outcome import FAULTS, Fault, Outcome
from graders.decision import decide
from runner.calibration import Calibrations
from runner.session import Session
from runner.trial import Trial, scratch_below

_MESSAGE_CHARS = 2000


def has_reference(challenge: Challenge) -> bool:
    """Whether there is one to try; without it failures stand as they are."""
    return (challenge.folder / REFERENCE).is_dir()


def with_control(
    trial: Trial, calibrations: Calibrations, seed: int, results: Sequence[CheckResult]
) -> tuple[CheckResult, ...]:
    """The results, of whose failures those are left that the reference does not share.

    What it fails at first it may try again, among all the checks and in their usual order: a submission chooses what
    it fails, and must not find a company of checks in which the reference fails too.
    """
    failed = to_try(results)
    tried = _tried(trial, calibrations, seed, failed)
    if any(map(_failed_too, tried)):
        among = [one.id for one in trial.challenge.checks if one.budget is None or one.id in failed]
        tried = _tried(trial, calibrations, seed, among)
    return upheld(results, tried)


def _tried(trial: Trial, calibrations: Calibrations, seed: int, only: Sequence[CheckId]) -> tuple[CheckResult, ...]:
    with scratch_below(trial.scratch) as scratch:
        reference = replace(trial, workspace=trial.bench.reference(trial.challenge), scratch=scratch)
        judged = Session(reference, calibrations).judge(seed, measures=False, only=tuple(only))
    return decide(trial.challenge.checks, judged.account, only=only)


def to_try(results: Iterable[CheckResult]) -> tuple[CheckId, ...]:
    """The checks that failed, and not by what was measured. Pure."""
    return tuple(
        one.check.id for one in results if one.outcome is Outcome.FAILED and one.fault is not Fault.OVER_BUDGET
    )


def upheld(results: Sequence[CheckResult], control: Iterable[CheckResult]) -> tuple[CheckResult, ...]:
    """The results, with each failure undecided whose control did not pass. Pure."""
    tried = {one.check.id: one for one in control}
    failed = set(to_try(results))
    return tuple(_upheld(result, tried) if result.check.id in failed else result for result in results)


def _upheld(result: CheckResult, tried: Mapping[CheckId, CheckResult]) -> CheckResult:
    reference = tried[result.check.id]
    if not _failed_too(reference):
        return result
    fault = Fault.CONTROL_FAILED
    words = f"{FAULTS[fault].meaning} The reference: {reference.message} The submission: {result.message}"
    return replace(result, outcome=FAULTS[fault].outcome, fault=fault, message=words[:_MESSAGE_CHARS])


def _failed_too(reference: CheckResult) -> bool:
    """Not where this host keeps something from the check: the reference came as far as anybody can."""
    return reference.outcome is not Outcome.PASSED and reference.fault is not Fault.NOT_MEASURED
