"""A ruling's reasons in one or two sentences, with figures and units."""

from collections import Counter
from collections.abc import Sequence

from assessments.budget import Budget, Metric, Plan, Scenario
from assessments.outcome import Outcome
from graders.budgets.gates import Void
from graders.budgets.session import (
    ALPHA_FAIL,
    ALPHA_PASS,
    Cause,
    Estimate,
    Finding,
    Standing,
    beyond_backstop,
    looks,
)
from graders.budgets.words import NAMES, amount, confidence, percent, sentence, times

_TURNS = {Scenario.START_UP: "starts", Scenario.BATCH: "runs"}


def passed(plan: Plan, budget: Budget, first: Finding) -> str:
    """Of a budget that the first session is within."""
    text = _figures(budget, first.estimate, f"at most {{high}} at {confidence(ALPHA_PASS)}")
    text = f"{text}, within the limit of {budget.limit:.2f}{_clock((first,))}"
    return f"{sentence(text)} {_counted(plan, budget, (first,))}"


def failed(plan: Plan, budget: Budget, shown: Finding, both: Sequence[Finding]) -> str:
    """Of a budget that both sessions are beyond; the figures are those of one of them."""
    text = f"{_beyond(budget, shown)}; a second session agreed{_clock(both)}"
    return f"{sentence(text)} {_counted(plan, budget, both)}"


def died(ended: str) -> str:
    """Of a submission that did not live to the end of its measurement."""
    return f"The submission gave no more answers while it was measured: {ended.rstrip('.')}."


def unconfirmed(plan: Plan, budget: Budget, first: Finding, second: Finding | None) -> str:
    """Of a budget that the first session is beyond, and no second one so far."""
    if second is None:
        rest = "no second session has been made, and a failure needs one"
    elif second.standing is Standing.WITHIN:
        rest = "a second session found it within the limit, so that nothing is decided"
    else:
        rest = f"a second session did not confirm it: {_obstacle(plan, budget, second)}"
    found = (first,) if second is None else (first, second)
    return f"{sentence(f'{_beyond(budget, first)}; {rest}')} {_counted(plan, budget, found)}"


def undecided(plan: Plan, budget: Budget, first: Finding) -> str:
    """Of a budget that the first session says nothing certain of."""
    return f"{sentence(_obstacle(plan, budget, first))} {_counted(plan, budget, (first,))}"


def again(text: str, tries: int, outcome: Outcome) -> str:
    """Of a budget that the first try left undecided: what the last one said, and that it was not the first."""
    if outcome is Outcome.INCONCLUSIVE:
        return f"{text} It was measured {tries} times, and no time decided: a person has to."
    before = "the first time" if tries == 2 else f"the first {tries - 1} times"
    return f"{text} It was measured again, since {before} decided nothing."


def _clock(findings: Sequence[Finding]) -> str:
    slowest = max(finding.clock for finding in findings)
    return f"; the host's clock was {slowest:.2f} times slower than when it was quiet" if slowest > 1 else ""


def _figures(budget: Budget, seen: Estimate | None, interval: str) -> str:
    """`interval` may name {low} and {high}. Of the peak of memory there is no interval."""
    if seen is None:
        return f"nothing is known of the {NAMES[budget.metric]}"
    ratio = f"at least {times(seen.ratio)}" if seen.censored else times(seen.ratio)
    reference, candidate = amount(budget.metric, seen.reference), amount(budget.metric, seen.candidate)
    ends = interval.format(low=times(seen.low), high=times(seen.high))
    brackets = f"{candidate} against {reference}" + ("" if budget.metric is Metric.MEMORY else f"; {ends}")
    if budget.metric is Metric.THROUGHPUT:
        return f"the reference's throughput was {ratio} times the submission's ({brackets})"
    return f"{NAMES[budget.metric]} was {ratio} times the reference's ({brackets})"


def _beyond(budget: Budget, finding: Finding) -> str:
    if Cause.WRONG in finding.causes:
        return _wrong(budget, finding)
    if Cause.BACKSTOP in finding.causes:
        return _backstop(budget, finding.estimate)
    text = _figures(budget, finding.estimate, f"at least {{low}} at {confidence(ALPHA_FAIL)}")
    return f"{text}, over the limit of {budget.limit:.2f}"


def _wrong(budget: Budget, finding: Finding) -> str:
    answers = finding.answers
    text = f"{answers.wrong} of {answers.requests} requests had no right answer in time ({percent(answers.share)}"
    if Cause.WRONG in finding.causes:
        text += f"; at least {percent(answers.proven)} at {confidence(ALPHA_FAIL)}"
    return f"{text}), where {percent(budget.wrong_share)} may"


def _backstop(budget: Budget, seen: Estimate | None) -> str:
    candidate = "unknown" if seen is None else amount(budget.metric, seen.candidate)
    allowed = "none" if budget.backstop is None else amount(budget.metric, budget.backstop)
    return f"the {NAMES[budget.metric]} was {candidate}, worse than the {allowed} that are allowed whatever the host"


def _obstacle(plan: Plan, budget: Budget, finding: Finding) -> str:
    """What stood in the way of a decision, the first thing that would have to be mended first."""
    seen, needed = finding.estimate, looks(plan)[0]
    if finding.counted < needed:
        return f"too few pairs to say anything: {finding.counted} counted, and {needed} are needed"
    if finding.unwell:
        return f"the host was not quiet enough to say: {finding.unwell}"
    if seen is None:
        if budget.metric is Metric.MEMORY:
            return "this host did not measure the memory"
        return f"{finding.pairs} pairs hold too few requests to say anything of the {NAMES[budget.metric]}"
    if finding.answers.share > budget.wrong_share:
        return f"{_wrong(budget, finding)}, which is too few to be sure, or not the submission's alone"
    if beyond_backstop(budget, seen.candidate):
        return f"{_backstop(budget, seen)}, but neither did the reference keep to it"
    low, high = confidence(ALPHA_FAIL), confidence(ALPHA_PASS)
    text = _figures(budget, seen, f"at least {{low}} at {low}, at most {{high}} at {high}")
    return f"{text}, and that interval holds the limit of {budget.limit:.2f}"


def _counted(plan: Plan, budget: Budget, findings: Sequence[Finding]) -> str:
    used = sum(finding.pairs for finding in findings)
    noun = _TURNS.get(plan.scenario, "blocks")
    text = f"{used} {'pair' if used == 1 else 'pairs'} of {noun}"
    if budget.metric is Metric.MEMORY:
        return f"{text} were looked at."
    void = [void for finding in findings for void in finding.voids]
    return f"{text} counted, {len(void)} did not{_reasons(void)}."


def _reasons(voids: Sequence[Void]) -> str:
    gates = Counter(void.gate for void in voids).most_common()
    if len(gates) == 1:
        return f", {gates[0][0]}"
    return f" ({'; '.join(f'{count} {gate}' for gate, count in gates)})" if gates else ""
