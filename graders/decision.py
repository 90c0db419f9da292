"""From what a grader said to the outcome of each check. Pure, and fails closed.

A run counts only when the collected checks are exactly the manifest's, each that was to run was reported exactly once,
and the grader came to its end. Anything less gives no points and no failures: every check is errored, by a fault of
ours.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from assessments.budget import Budget
from assessments.check import Check, CheckId, CheckResult
from assessments.measurement import Measurement
from assessments.outcome import FAULTS, Fault, Outcome
from graders import wire
from graders.budgets import rule
from graders.checks.collection import differences


@dataclass(frozen=True, slots=True)
class Account:
    """Everything a grader said, in order, and how its process ended as seen by the runner (None: as it should)."""

    collected: wire.Collected | None
    checked: tuple[wire.Checked, ...]
    finished: wire.Finished | None
    broke: tuple[Fault, str] | None
    measured: tuple[wire.Measured, ...] = ()


def decide(
    checks: Sequence[Check], account: Account, only: Collection[CheckId] | None = None
) -> tuple[CheckResult, ...]:
    """The result of every check of the manifest, in its order; or of those `only` that the grader was to run.

    Where it was to run some only, budgets were taken as kept: they pass without a ruling.
    """
    asked = [check for check in checks if only is None or check.id in only]
    doubt = _doubt(checks, asked, account, budgets_kept=only is not None)
    if doubt is not None:
        fault, reason = doubt
        return tuple(_errored(check, fault, reason) for check in asked)
    said = {checked.id: checked for checked in account.checked}
    return tuple(_result(check, said[check.id]) for check in asked)


def _doubt(
    checks: Sequence[Check], asked: Sequence[Check], account: Account, *, budgets_kept: bool
) -> tuple[Fault, str] | None:
    """The first reason not to count the run, or None."""
    if account.broke is not None:
        return account.broke
    if account.collected is not None:
        # What the grader found wrong comes first; that its list is right is not taken on its word alone.
        problems = [*account.collected.problems, *differences(checks, account.collected.checks)]
        if problems:
            return Fault.CHECKS_DIFFER, "; ".join(dict.fromkeys(problems))
    if account.finished is None:
        return Fault.GRADER_DIED, "it ended before its last message"
    if account.finished.problem:
        return Fault.CHECK_CRASHED, f"pytest broke: {account.finished.problem}"
    counts = Counter(checked.id for checked in account.checked)
    if account.collected is None or counts != Counter(check.id for check in asked):
        return Fault.CHECK_CRASHED, "the hidden tests ended before every check was reported exactly once"
    budgets = {check.id: None if budgets_kept else check.budget for check in checks}
    measured = {one.measurement.plan.id: one.measurement for one in account.measured}
    doubts = (_inconsistent(checked, budgets[CheckId(checked.id)], measured) for checked in account.checked)
    return next((doubt for doubt in doubts if doubt), None)


def _inconsistent(
    checked: wire.Checked, budget: Budget | None, measured: Mapping[str, Measurement]
) -> tuple[Fault, str] | None:
    """A fault stands with just the outcome that the table gives it, and a ruling with just what was measured."""
    reported = f"it reported '{checked.id}' as {checked.outcome} by {checked.fault}"
    if checked.ruling is not None:
        if budget is None or budget.plan not in measured:
            return Fault.GRADER_DIED, f"{reported}, of which nothing was measured"
        if checked.ruling != rule(measured[budget.plan], budget) or checked.outcome != checked.ruling.outcome:
            return Fault.GRADER_DIED, f"{reported}, but what was measured says otherwise"
        expected = checked.ruling.outcome
        by = Fault.OVER_BUDGET if expected is Outcome.FAILED else None
    else:
        undecided = budget is not None and checked.outcome is Outcome.INCONCLUSIVE
        passed = Outcome.PASSED if budget is None else Outcome.INCONCLUSIVE  # a budget is passed by a ruling alone
        expected = FAULTS[checked.fault].outcome if checked.fault is not None else passed
        by = None if undecided else checked.fault
    return None if (checked.outcome, checked.fault) == (expected, by) else (Fault.GRADER_DIED, reported)


def _errored(check: Check, fault: Fault, reason: str) -> CheckResult:
    meaning = FAULTS[fault].meaning
    sentence = str(check.id).replace("-", " ")  # the check's own was not heard
    return CheckResult(check, FAULTS[fault].outcome, fault, sentence, f"{meaning} {reason}"[:2000], (), 0.0)


def _result(check: Check, checked: wire.Checked) -> CheckResult:
    return CheckResult(
        check=check,
        outcome=checked.outcome,
        fault=checked.fault,
        sentence=checked.sentence,
        message=checked.message,
        evidence=checked.evidence,
        duration_s=checked.duration_s,
        ruling=checked.ruling,
    )
