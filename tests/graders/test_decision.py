"""A run counts whole or not at all: whatever a grader leaves out, adds or contradicts gives no verdict on any check."""

from dataclasses import replace

import pytest

from assessments.check import Check, CheckId, Visibility
from assessments.outcome import Fault, Outcome
from graders import wire
from graders.decision import Account, decide

CHECKS = tuple(Check(CheckId(name), points, "skill", Visibility.HIDDEN, 20) for name, points in (("a", 1), ("b", 2)))
COLLECTED = wire.Collected(
    checks=tuple(wire.CollectedCheck(id=c.id, points=c.points, skill=c.skill, visibility=c.visibility) for c in CHECKS),
    problems=(),
)


def said(name: str, outcome: Outcome = Outcome.PASSED, fault: Fault | None = None) -> wire.Checked:
    return wire.Checked(
        id=name, outcome=outcome, fault=fault, sentence="It works.", message="", evidence=(), duration_s=0.1
    )


WHOLE = Account(COLLECTED, (said("a"), said("b", Outcome.FAILED, Fault.WRONG_ANSWER)), wire.Finished(problem=""), None)


def test_a_whole_account_gives_each_check_its_own_outcome() -> None:
    assert [result.outcome for result in decide(CHECKS, WHOLE)] == [Outcome.PASSED, Outcome.FAILED]


def test_results_stand_in_the_manifests_order_whatever_order_they_came_in() -> None:
    turned = replace(WHOLE, checked=WHOLE.checked[::-1])
    assert decide(CHECKS, turned) == decide(CHECKS, WHOLE)


BROKEN = [
    ("nothing was said", Account(None, (), None, None), Fault.GRADER_DIED),
    ("the last message is missing", replace(WHOLE, finished=None), Fault.GRADER_DIED),
    ("the wire broke", replace(WHOLE, broke=(Fault.GRADER_DIED, "gone")), Fault.GRADER_DIED),
    ("the engine failed", replace(WHOLE, broke=(Fault.ENGINE_FAILED, "no")), Fault.ENGINE_FAILED),
    ("the deadline passed", replace(WHOLE, broke=(Fault.GRADING_DEADLINE, "late")), Fault.GRADING_DEADLINE),
    ("a check is missing", replace(WHOLE, checked=WHOLE.checked[:1]), Fault.CHECK_CRASHED),
    ("a check came twice", replace(WHOLE, checked=(said("a"), said("a"))), Fault.CHECK_CRASHED),
    ("an unknown check came", replace(WHOLE, checked=(*WHOLE.checked, said("c"))), Fault.CHECK_CRASHED),
    ("nothing was collected", replace(WHOLE, collected=None), Fault.CHECK_CRASHED),
    (
        "too few were collected",
        replace(WHOLE, collected=COLLECTED.model_copy(update={"checks": COLLECTED.checks[:1]})),
        Fault.CHECKS_DIFFER,
    ),
    (
        "one was collected twice",
        replace(WHOLE, collected=COLLECTED.model_copy(update={"checks": COLLECTED.checks * 2})),
        Fault.CHECKS_DIFFER,
    ),
    (
        "a problem was found",
        replace(WHOLE, collected=COLLECTED.model_copy(update={"problems": ("it skips",)})),
        Fault.CHECKS_DIFFER,
    ),
    ("pytest broke", replace(WHOLE, finished=wire.Finished(problem="boom")), Fault.CHECK_CRASHED),
    (
        "a pass with a fault",
        replace(WHOLE, checked=(said("a", Outcome.PASSED, Fault.WRONG_ANSWER), said("b"))),
        Fault.GRADER_DIED,
    ),
    ("a failure without a fault", replace(WHOLE, checked=(said("a", Outcome.FAILED), said("b"))), Fault.GRADER_DIED),
    (
        "a failure by a fault of ours",
        replace(WHOLE, checked=(said("a", Outcome.FAILED, Fault.CHECK_CRASHED), said("b"))),
        Fault.GRADER_DIED,
    ),
]


@pytest.mark.parametrize(("account", "fault"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_anything_less_than_whole_errs_every_check_and_costs_no_points(account: Account, fault: Fault) -> None:
    results = decide(CHECKS, account)
    assert {(result.outcome, result.fault) for result in results} == {(Outcome.ERRORED, fault)}
    assert len(results) == len(CHECKS)
    assert all(result.message for result in results)
