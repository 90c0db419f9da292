"""A run counts whole or not at all: whatever a grader leaves out, adds or contradicts gives no verdict on any check."""

import itertools
from dataclasses import replace

import pytest

from assessments.budget import Arrivals, Budget, Metric, Plan, Scenario
from assessments.check import Check, CheckId, Visibility
from assessments.measurement import Block, Isolation, Measurement, Noise, Side
from assessments.outcome import Fault, Outcome
from graders import wire
from graders.budgets import rule
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


def test_a_grader_that_was_to_run_some_is_whole_with_those() -> None:
    some = replace(WHOLE, checked=WHOLE.checked[1:])
    (result,) = decide(CHECKS, some, only=[CHECKS[1].id])
    assert (result.check, result.fault) == (CHECKS[1], Fault.WRONG_ANSWER)


@pytest.mark.parametrize("only", [[CHECKS[0].id], [CHECKS[0].id, CHECKS[1].id]], ids=["another", "one more"])
def test_a_grader_that_ran_others_than_it_was_to_counts_for_nothing(only: list[CheckId]) -> None:
    results = decide(CHECKS, replace(WHOLE, checked=WHOLE.checked[1:]), only=only)
    assert [(str(one.check.id), one.fault) for one in results] == [(str(name), Fault.CHECK_CRASHED) for name in only]


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


BUDGET = Budget("load", Metric.P50, limit=1.3, backstop=None, gone_at=2.0, wrong_share=0.01)
TIMED = (replace(CHECKS[0], budget=BUDGET),)
PLAN = Plan("load", Scenario.OPEN, Arrivals.CONSTANT, 25, 4, 1.0, 0.0, 1.0, 6, 6)
ISOLATION = Isolation(exclusive=True, service_cores=(1,), generator_core=0, priority=True, frozen="the cgroup freezer")


def measured(ratio: float) -> wire.Measured:
    """Two sessions of a submission that takes this many times as long as the reference."""
    blocks = []
    for session, pair, side in itertools.product(range(2), range(6), Side):
        took_us = round(10_000 * (ratio if side is Side.CANDIDATE else 1)) + pair
        noise = Noise(1.0, 0.0, 0.0, 0.0, 0.0 if side is Side.REFERENCE else None, 0.0)
        times = tuple(range(0, 1_000_000, 40_000))
        blocks.append(Block(side, session, pair, times, times, (took_us,) * len(times), {}, 0.2, 1, noise))
    return wire.Measured(measurement=Measurement(PLAN, 1, ISOLATION, {}, tuple(blocks)))


def timed(ratio: float, **said_otherwise: object) -> Account:
    seen = measured(ratio)
    ruling = rule(seen.measurement, BUDGET)
    fault = Fault.OVER_BUDGET if ruling.outcome is Outcome.FAILED else None
    checked = said("a", ruling.outcome, fault).model_copy(update={"ruling": ruling, **said_otherwise})
    collected = COLLECTED.model_copy(update={"checks": COLLECTED.checks[:1]})
    return Account(collected, (checked,), wire.Finished(problem=""), None, (seen,))


@pytest.mark.parametrize(("ratio", "outcome"), [(1.0, Outcome.PASSED), (2.0, Outcome.FAILED)])
def test_a_budgets_outcome_is_what_its_measurement_says(ratio: float, outcome: Outcome) -> None:
    (result,) = decide(TIMED, timed(ratio))
    assert (result.outcome, result.ruling) == (outcome, rule(measured(ratio).measurement, BUDGET))


def test_a_budget_that_was_not_measured_stays_open() -> None:
    nothing = replace(timed(1.0, outcome=Outcome.INCONCLUSIVE, fault=None, ruling=None), measured=())
    (result,) = decide(TIMED, nothing)
    assert (result.outcome, result.fault) == (Outcome.INCONCLUSIVE, None)


def test_a_control_takes_budgets_as_kept() -> None:
    (check,) = TIMED
    passed = replace(timed(1.0, ruling=None), measured=())
    (result,) = decide(TIMED, passed, only=[check.id])
    assert (result.outcome, result.ruling) == (Outcome.PASSED, None)


FORGED = [
    ("a pass that was not measured", replace(timed(1.0, ruling=None), measured=())),
    ("a pass of what failed", timed(2.0, outcome=Outcome.PASSED, fault=None)),
    ("a ruling that another measurement gave", replace(timed(1.0), measured=(measured(2.0),))),
    ("a ruling whose measurement is missing", replace(timed(1.0), measured=())),
    ("a failure for another reason than the ruling's", timed(2.0, fault=Fault.WRONG_ANSWER)),
    ("an open end though the measurement decides", timed(1.0, outcome=Outcome.INCONCLUSIVE)),
]


@pytest.mark.parametrize(("what", "account"), FORGED, ids=[what for what, _ in FORGED])
def test_a_ruling_that_does_not_follow_from_its_measurement_counts_for_nothing(what: str, account: Account) -> None:
    assert {result.fault for result in decide(TIMED, account)} == {Fault.GRADER_DIED}


def test_an_open_end_is_for_budgets_only() -> None:
    account = replace(WHOLE, checked=(said("a", Outcome.INCONCLUSIVE), said("b")))
    assert {result.fault for result in decide(CHECKS, account)} == {Fault.GRADER_DIED}
