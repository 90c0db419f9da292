"""Which budgets may be measured again, when a try left them undecided.

Each try is a first session and, where that one is beyond the limit, a second: sessions 0 and 1, then 2 and 3, ...
"""

from typing import Final

from assessments.budget import Budget, Metric
from assessments.measurement import Measurement
from graders.budgets.gates import Gate
from graders.budgets.session import Cause, Finding, Standing, beyond_backstop, judge

HOPELESS: Final = frozenset({Gate.UNMEASURED, Gate.UNKNOWN})
"""What this host does not tell now it will not tell later."""


def may_repeat(measurement: Measurement, budget: Budget, number: int) -> bool:
    """Whether a try left the budget open, for a reason that measuring again can mend without being a matter of luck.

    What passes by an interval has its rate of error split over the tries. What passes by a plain comparison has none:
    a peak of memory, the share of wrong answers, a backstop. To repeat these would be to throw the dice again.
    """
    if budget.metric is Metric.MEMORY:
        return False
    findings = [judge(measurement, budget, 2 * number)]
    if findings[0].standing is Standing.BEYOND:
        findings.append(judge(measurement, budget, 2 * number + 1))
    if findings[0].standing is Standing.WITHIN or all(found.standing is Standing.BEYOND for found in findings):
        return False
    return all(_by_ratio_alone(budget, found) for found in findings)


def _by_ratio_alone(budget: Budget, found: Finding) -> bool:
    if found.counted == 0 and any(void.gate in HOPELESS for void in found.voids):
        return False
    seen = found.estimate
    return (
        found.causes <= {Cause.RATIO}
        and found.answers.share <= budget.wrong_share
        and not (seen is not None and beyond_backstop(budget, seen.candidate))
    )
