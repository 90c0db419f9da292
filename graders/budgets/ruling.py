"""The ruling on one budget, from both sessions of its plan. Pure: the same measurement always gives the same one."""

import math

from assessments.budget import Budget, Ruling
from assessments.measurement import Measurement
from assessments.outcome import Outcome
from graders.budgets import why
from graders.budgets.session import Finding, Standing, judge


def rule(measurement: Measurement, budget: Budget) -> Ruling:
    """What the measurement says of the budget: passed, failed or inconclusive.

    A pass needs one session. A failure needs two that are each beyond the limit by themselves, or a submission that
    ended while it was measured. `budget` is one of the measurement's own plan, else ValueError.
    """
    plan = measurement.plan
    if budget.plan != plan.id:
        raise ValueError(f"the budget is of plan {budget.plan!r}, and the measurement is of plan {plan.id!r}")
    first = judge(measurement, budget, 0)
    if measurement.ended:
        return _ruling(budget, Outcome.FAILED, first, (first,), why.died(measurement.ended), share=0.0)
    match first.standing:
        case Standing.WITHIN:
            return _ruling(budget, Outcome.PASSED, first, (first,), why.passed(plan, budget, first), share=1.0)
        case Standing.OPEN:
            return _ruling(budget, Outcome.INCONCLUSIVE, first, (first,), why.undecided(plan, budget, first))
        case Standing.BEYOND:
            return _confirmed(measurement, budget, first)


def _confirmed(measurement: Measurement, budget: Budget, first: Finding) -> Ruling:
    """What a second session makes of a first one that is beyond the limit."""
    plan = measurement.plan
    if all(block.session == 0 for block in measurement.blocks):
        reason = why.unconfirmed(plan, budget, first, None)
        return _ruling(budget, Outcome.INCONCLUSIVE, first, (first,), reason)
    second = judge(measurement, budget, 1)
    both = (first, second)
    if second.standing is not Standing.BEYOND:
        reason = why.unconfirmed(plan, budget, first, second)
        return _ruling(budget, Outcome.INCONCLUSIVE, first, both, reason)
    # The session that leaves the submission more is the one that counts: the doubt is its benefit.
    shown = max(both, key=lambda finding: finding.share)
    return _ruling(budget, Outcome.FAILED, shown, both, why.failed(plan, budget, shown, both), shown.share)


def _ruling(
    budget: Budget, outcome: Outcome, shown: Finding, found: tuple[Finding, ...], reason: str, share: float = 0.0
) -> Ruling:
    seen = shown.estimate
    return Ruling(
        budget=budget,
        outcome=outcome,
        reference=_known(seen.reference) if seen else None,
        candidate=_known(seen.candidate) if seen else None,
        ratio=_known(seen.ratio) if seen else None,
        low=_known(seen.low) if seen else None,
        high=_known(seen.high) if seen else None,
        pairs=sum(finding.pairs for finding in found),
        void=sum(len(finding.voids) for finding in found),
        share=share,
        why=reason,
    )


def _known(value: float) -> float | None:
    """Infinite means that there is no figure, which is also what strict JSON can hold."""
    return value if math.isfinite(value) else None
