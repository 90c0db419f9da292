"""What to measure next, so that every budget of a plan is decided with as few pairs as that takes."""

from collections.abc import Sequence
from enum import Enum, auto

from assessments.budget import Budget, Plan
from assessments.measurement import Measurement
from graders.budgets.session import Finding, Standing, judge
from graders.budgets.tries import may_repeat


class Step(Enum):
    """What to do next."""

    MORE = auto()
    """Measure another pair in the current session."""
    SECOND_SESSION = auto()
    """Start both sides afresh and measure a first pair in the try's second session."""
    AGAIN = auto()
    """Wait for quiet, start both sides afresh and measure a first pair in the next try's first session."""
    DONE = auto()
    """More would change nothing, or is not allowed."""


def next_step(measurement: Measurement, budgets: Sequence[Budget]) -> Step:
    """The next step of a measurement for these budgets, which are of its own plan. Ask again after each pair.

    The current session is the last one that has a block. A second one goes on only for budgets that the first is
    beyond, and a further try only for those that no earlier one decided.
    """
    if measurement.ended:
        return Step.DONE
    current = max((block.session for block in measurement.blocks), default=0)
    number, is_second = divmod(current, 2)
    budgets = [budget for budget in budgets if all(may_repeat(measurement, budget, past) for past in range(number))]
    first = [judge(measurement, budget, 2 * number) for budget in budgets]
    beyond = [budget for budget, found in zip(budgets, first, strict=True) if found.standing is Standing.BEYOND]
    if is_second:
        second = [judge(measurement, budget, current) for budget in beyond]
        if _wants_more(measurement.plan, second):
            return Step.MORE
    elif _wants_more(measurement.plan, first):
        return Step.MORE
    elif beyond:
        return Step.SECOND_SESSION
    repeats = number + 1 < measurement.plan.tries
    return Step.AGAIN if repeats and any(may_repeat(measurement, budget, number) for budget in budgets) else Step.DONE


def _wants_more(plan: Plan, findings: Sequence[Finding]) -> bool:
    """Whether a budget is open and another pair may help: a host that spoils `pairs_max` pairs will go on so.

    A session thus has less than twice `pairs_max` pairs.
    """
    return any(
        found.standing is Standing.OPEN and found.counted < plan.pairs_max and len(found.voids) < plan.pairs_max
        for found in findings
    )
