"""What to measure next, so that every budget of a plan is decided with as few pairs as that takes."""

from collections.abc import Sequence
from enum import Enum, auto

from assessments.budget import Budget, Plan
from assessments.measurement import Measurement
from graders.budgets.session import Finding, Standing, judge


class Step(Enum):
    """What to do next."""

    MORE = auto()
    """Measure another pair in the current session."""
    SECOND_SESSION = auto()
    """Start both sides afresh and measure a first pair in session 1."""
    DONE = auto()
    """More would change nothing, or is not allowed."""


def next_step(measurement: Measurement, budgets: Sequence[Budget]) -> Step:
    """The next step of a measurement for these budgets, which are of its own plan. Ask again after each pair.

    The current session is the last one that has a block. A second one goes on only for budgets that the first is
    beyond.
    """
    if measurement.ended:
        return Step.DONE
    first = [judge(measurement, budget, 0) for budget in budgets]
    beyond = [budget for budget, found in zip(budgets, first, strict=True) if found.standing is Standing.BEYOND]
    if any(block.session == 1 for block in measurement.blocks):
        second = [judge(measurement, budget, 1) for budget in beyond]
        return Step.MORE if _wants_more(measurement.plan, second) else Step.DONE
    if _wants_more(measurement.plan, first):
        return Step.MORE
    return Step.SECOND_SESSION if beyond else Step.DONE


def _wants_more(plan: Plan, findings: Sequence[Finding]) -> bool:
    """Whether a budget is open and another pair may help: a host that spoils `pairs_max` pairs will go on so.

    A session thus has less than twice `pairs_max` pairs.
    """
    return any(
        found.standing is Standing.OPEN and found.counted < plan.pairs_max and len(found.voids) < plan.pairs_max
        for found in findings
    )
