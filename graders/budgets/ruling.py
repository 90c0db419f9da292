"""The ruling on one budget, from all tries and sessions of its plan. Pure: what was measured gives one ruling only."""

import math
from dataclasses import replace

from assessments.budget import Budget, Ruling
from assessments.measurement import Measurement
from assessments.outcome import Outcome
from graders.budgets import why
from graders.budgets.session import Finding, Standing, has_session, judge
from graders.budgets.tries import may_repeat


def rule(measurement: Measurement, budget: Budget) -> Ruling:
    """What the measurement says of the budget: passed, failed or inconclusive.

    The first try that decides stands; each is judged by itself, and what an earlier one saw is discarded. Where none
    decides, the last one's figures are shown. Tries that were made for other budgets' sake change nothing. `budget` is
    one of the measurement's own plan, else ValueError.
    """
    plan = measurement.plan
    if budget.plan != plan.id:
        raise ValueError(f"the budget is of plan {budget.plan!r}, and the measurement is of plan {plan.id!r}")
    if measurement.ended:
        last = judge(measurement, budget, max((block.session // 2 * 2 for block in measurement.blocks), default=0))
        return _ruling(budget, Outcome.FAILED, last, (last,), why.died(measurement.ended), share=0.0)
    number, ruling = 0, _of_try(measurement, budget, 0)
    while (
        number + 1 < plan.tries and has_session(measurement, 2 * number + 2) and may_repeat(measurement, budget, number)
    ):
        number += 1
        ruling = _of_try(measurement, budget, number)
    if not number:
        return ruling
    return replace(ruling, why=why.again(ruling.why, number + 1, ruling.outcome), tries=number + 1)


def _of_try(measurement: Measurement, budget: Budget, number: int) -> Ruling:
    """A pass needs one session. A failure needs two that are each beyond the limit by themselves."""
    plan = measurement.plan
    first = judge(measurement, budget, 2 * number)
    match first.standing:
        case Standing.WITHIN:
            return _ruling(budget, Outcome.PASSED, first, (first,), why.passed(plan, budget, first), share=1.0)
        case Standing.OPEN:
            return _ruling(budget, Outcome.INCONCLUSIVE, first, (first,), why.undecided(plan, budget, first))
        case Standing.BEYOND:
            return _confirmed(measurement, budget, first, 2 * number + 1)


def _confirmed(measurement: Measurement, budget: Budget, first: Finding, session: int) -> Ruling:
    """What a second session makes of a first one that is beyond the limit."""
    plan = measurement.plan
    if not has_session(measurement, session):
        reason = why.unconfirmed(plan, budget, first, None)
        return _ruling(budget, Outcome.INCONCLUSIVE, first, (first,), reason)
    second = judge(measurement, budget, session)
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
