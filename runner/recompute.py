"""Works a scorecard's rulings, points and status out again from what it holds. Pure: no sandbox, no clock, no file."""

from collections.abc import Iterator

from assessments.check import CheckResult
from assessments.measurement import Measurement
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard, score, skill_scores, status
from graders.budgets import rule


def differences(scorecard: Scorecard) -> tuple[str, ...]:
    """What does not follow from the scorecard's own evidence, a sentence each; empty when all of it does."""
    measured = {each.plan.id: each for each in scorecard.measurements}
    budgets = [problem for result in scorecard.results for problem in _of_budget(result, measured)]
    return (*budgets, *_of_sums(scorecard))


def _of_budget(result: CheckResult, measured: dict[str, Measurement]) -> Iterator[str]:
    budget, ruling = result.check.budget, result.ruling
    if ruling is None:
        if budget is not None and result.outcome is Outcome.PASSED:
            yield f"'{result.check.id}' passed, and nothing says that its budget was kept"
        return
    if budget is None or budget.plan not in measured:
        yield f"'{result.check.id}' has a ruling, and no measurement that it follows from"
        return
    again = rule(measured[budget.plan], budget)
    if again != ruling:
        yield f"'{result.check.id}': its measurement says {again.outcome}: {again.why}"
    elif result.outcome is not ruling.outcome:
        yield f"'{result.check.id}' is {result.outcome}, but its ruling is {ruling.outcome}"


def _of_sums(scorecard: Scorecard) -> Iterator[str]:
    results = scorecard.results
    if scorecard.points != score(results):
        yield f"the points are {scorecard.points.earned:g}, but its checks earn {score(results).earned:g}"
    names = [each.skill for each in scorecard.skills]
    if scorecard.skills != skill_scores(names, results):
        yield "the points by skill are not those of its checks"
    if scorecard.status is not status(results):
        yield f"the status is {scorecard.status}, but its checks make it {status(results)}"
