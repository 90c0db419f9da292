"""Which failures are tried with the reference, and what becomes of each: the pure half of the control."""

from dataclasses import replace

import pytest

from assessments.budget import Budget, Metric
from assessments.check import Check, CheckId, CheckResult, Visibility
from assessments.outcome import FAULTS, Fault, Outcome
from runner.control import to_try, upheld

BUDGET = Budget("load", Metric.P50, limit=1.3, backstop=None, gone_at=2.0, wrong_share=0.01)


def result(name: str, fault: Fault | None = None, message: str = "") -> CheckResult:
    check = Check(CheckId(name), 1, "skill", Visibility.HIDDEN, 20)
    outcome = FAULTS[fault].outcome if fault else Outcome.PASSED
    return CheckResult(check, outcome, fault, "It works.", message, (), 0.1)


def test_what_failed_is_tried_and_nothing_that_passed_or_stayed_open() -> None:
    results = [result("a"), result("b", Fault.WRONG_ANSWER), result("c", Fault.ENGINE_FAILED), result("d", Fault.DIED)]
    assert to_try(results) == ("b", "d")


def with_budget(one: CheckResult) -> CheckResult:
    return replace(one, check=replace(one.check, budget=BUDGET))


def test_what_a_budget_limits_is_measured_beside_the_reference_anyway() -> None:
    assert to_try([with_budget(result("a", Fault.OVER_BUDGET))]) == ()


def test_what_else_its_check_asks_is_tried() -> None:
    assert to_try([with_budget(result("a", Fault.DID_NOT_START))]) == ("a",)


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NOT_MEASURED])
def test_a_failure_stands_where_its_control_passed_alone(fault: Fault) -> None:
    before = [result("a"), result("b", Fault.WRONG_ANSWER, "got 1")]
    assert upheld(before, [result("b")]) == tuple(before)
    first, second = upheld(before, [result("b", fault, "got 2")])
    assert first == before[0]
    assert (second.outcome, second.fault) == (Outcome.ERRORED, Fault.CONTROL_FAILED)
    assert "got 1" in second.message
    assert "got 2" in second.message


def test_a_failure_stands_where_only_the_host_kept_the_reference_from_the_end() -> None:
    before = (result("a", Fault.DIED, "it had ended"),)
    assert upheld(before, [result("a", Fault.NOT_MEASURED)]) == before


def test_words_without_end_are_cut() -> None:
    (one,) = upheld([result("a", Fault.DIED, "x" * 2000)], [result("a", Fault.DIED, "y" * 2000)])
    assert len(one.message) == 2000
