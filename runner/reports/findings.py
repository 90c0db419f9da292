"""What to look at first, and what to ask next: pure functions of a scorecard, derived from what failed.

Nothing here judges. A question says what was seen and leaves the answer to the person who is asked.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assessments.budget import Metric, Ruling
from assessments.check import CheckResult
from assessments.observation import Exchange
from assessments.outcome import FAULTS, Fault, Outcome
from assessments.scorecard import Scorecard, SkillScore
from runner.reports import wording
from runner.reports.evidence import MARKS, message, sentence
from runner.reports.measurements import TOO_NOISY, figure
from runner.reports.text import Text, shown

_MOST_FINDINGS: Final = 6
_MOST_QUESTIONS: Final = 6
_ONE_CAUSE: Final = 3
"""From so many checks that failed for the same reason on, the reason is the finding."""

_ASK: Final = {
    Fault.NO_ANSWER: "What was the service doing while the caller waited, and how would you see that in production?",
    Fault.MALFORMED_ANSWER: "Where does this answer get its form, and what would a strict client have made of it?",
    Fault.DID_NOT_START: "How did you try the start from nothing, and what does it need that may be missing elsewhere?",
    Fault.DIED: "What ends the process here, and what should happen instead?",
    Fault.OUT_OF_MEMORY: "What holds the memory here, and how does it grow with the input?",
    Fault.OUTPUT_FLOOD: "What writes so much output, and what would you log instead?",
    Fault.TIME_LIMIT: "Where does the time go, and how would you measure it?",
}
_ASK_OF_A_WRONG_ANSWER: Final = (
    "Which part of the code decides this, and how would you find out why it does not hold?",
    "What would a test of your own look like that shows this?",
    "Who would notice this first in production, and by what?",
    "Which sentence of the brief did you read for this, and what did you take it to mean?",
)
"""In turn, so that several wrong answers do not raise one question several times."""
_ASK_OF_LATENCY: Final = "What would you measure first to find where that time goes?"
_ASK_OF_A_BUDGET: Final = {
    Metric.P50: f"The median answer takes {{times}} as long as the reference's ({{both}}). {_ASK_OF_LATENCY}",
    Metric.P95: f"Answers' p95 is {{times}} the reference's ({{both}}). {_ASK_OF_LATENCY}",
    Metric.P99: "Answers' p99 is {times} the reference's ({both}). What delays one answer in a hundred, "
    "and how would you catch it in the act?",
    Metric.LONGEST: "The slowest answer takes {times} as long as the reference's ({both}). What could have held it up?",
    Metric.THROUGHPUT: "The reference gives {times} as many right answers a second ({both}). Does the service compute, "
    "wait or queue, and how would you tell?",
    Metric.CPU: "A right answer costs {times} the reference's CPU time ({both}). What would a profile show, "
    "and what of it is needed?",
    Metric.MEMORY: "Its peak memory is {times} the reference's ({both}). What holds it, "
    "and how does it grow with load?",
    Metric.WALL: "A run takes {times} as long as the reference's ({both}). Where does the time go, "
    "and how does it grow with the input?",
    Metric.START_UP: "It takes {times} as long as the reference to be ready ({both}). What happens before the first "
    "answer, and what of it could wait?",
}
"""Of a failed budget, with its ratio and its two figures."""
_ASK_WITHOUT_RATIO: Final = (
    "Which requests did not get what the budget asks for under load, and how would you see that in production?"
)
_ALWAYS: Final = (
    ("Which decision in this code would you make differently if the traffic grew tenfold?", "Worth asking everyone"),
    ("What did you leave out for lack of time, and how did you choose it?", "Worth asking everyone"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look at. `check` is the number of the check it leads to."""

    outcome: str
    mark: str
    title: Text
    cost: str
    detail: Text
    check: int


@dataclass(frozen=True, slots=True)
class Question:
    text: Text
    because: Text
    check: int | None


def findings(results: Sequence[CheckResult]) -> tuple[Finding, ...]:
    """Undecided checks first, for they are ours to mend; then failures, by the points they cost."""
    numbered = [(number, result) for number, result in enumerate(results, 1) if result.outcome is not Outcome.PASSED]
    undecided = [pair for pair in numbered if pair[1].outcome is not Outcome.FAILED]
    undecided.sort(key=lambda pair: (pair[1].outcome is Outcome.INCONCLUSIVE, -pair[1].check.points))
    failed = [pair for pair in numbered if pair[1].outcome is Outcome.FAILED]
    groups = [*_grouped(undecided), *sorted(_grouped(failed), key=_cost, reverse=True)]
    return tuple(_finding(group) for group in groups[:_MOST_FINDINGS])


def questions(scorecard: Scorecard) -> tuple[Question, ...]:
    """Questions for the interview: one for each finding that is the submission's, then weak skills, then general."""
    failed = [pair for pair in enumerate(scorecard.results, 1) if pair[1].outcome is Outcome.FAILED]
    groups = sorted(_grouped(failed), key=_cost, reverse=True)
    weak = sorted((skill for skill in scorecard.skills if _weak(skill)), key=lambda skill: skill.points.share)
    asked = (
        *[_about_failure(group, turn) for turn, group in enumerate(groups[: _MOST_QUESTIONS - 2])],
        *[_about_skill(skill) for skill in weak[:1]],
        *[Question(Text(text), Text(because), None) for text, because in _ALWAYS],
    )
    return asked[:_MOST_QUESTIONS]


_Numbered = tuple[int, CheckResult]


def _cost(group: Sequence[_Numbered]) -> float:
    """The points lost or open: a failed budget keeps what its fall-off leaves."""
    return sum(result.check.points - result.points_earned for _, result in group)


def _grouped(numbered: Sequence[_Numbered]) -> list[list[_Numbered]]:
    """Checks that share a telling reason in one group, each other check in a group of its own; order kept.

    A wrong answer is not telling: two of them have nothing in common. Nor have two budgets, which have
    figures of their own.
    """
    by_fault: dict[Fault, list[_Numbered]] = {}
    for number, result in numbered:
        if result.fault is not None and result.fault is not Fault.WRONG_ANSWER and result.ruling is None:
            by_fault.setdefault(result.fault, []).append((number, result))
    common = {fault: group for fault, group in by_fault.items() if len(group) >= _ONE_CAUSE}
    groups: list[list[_Numbered]] = []
    for number, result in numbered:
        group = common.get(result.fault) if result.fault and result.ruling is None else None
        if group is None:
            groups.append([(number, result)])
        elif group[0][0] == number:
            groups.append(group)
    return groups


def _finding(group: Sequence[_Numbered]) -> Finding:
    number, first = group[0]
    cost = wording.count_points(_cost(group))
    return Finding(
        outcome=first.outcome.value,
        mark=MARKS[first.outcome],
        title=_title(group),
        cost=f"costs {cost}" if first.outcome is Outcome.FAILED else f"{cost} undecided",
        detail=shown(_detail(first), 320),
        check=number,
    )


def _detail(result: CheckResult) -> str:
    if result.ruling is not None and result.outcome is Outcome.INCONCLUSIVE:
        return f"{TOO_NOISY} {message(result)}".strip()
    return message(result)


def _title(group: Sequence[_Numbered]) -> Text:
    first = group[0][1]
    if len(group) > 1 and first.fault is not None:
        return Text(f"{len(group)} checks, one reason: {FAULTS[first.fault].meaning}")
    return shown(sentence(first), 300)


def _about_failure(group: Sequence[_Numbered], turn: int) -> Question:
    number, first = group[0]
    refused = next((one for one in first.evidence if not one.companion and (one.status or 0) >= 500), None)
    if first.ruling is not None:
        text = _about_budget(first.ruling)
    elif refused is not None:
        text = _about_server_error(refused)
    else:
        in_turn = _ASK_OF_A_WRONG_ANSWER[turn % len(_ASK_OF_A_WRONG_ANSWER)]
        text = _ASK.get(first.fault, in_turn) if first.fault else in_turn
    title = _title(group)
    verb = "Failed" if len(group) == 1 else "Seen"
    return Question(shown(text, 500), Text(f"{verb}: {title.text}", title.note), number)


def _about_budget(ruling: Ruling) -> str:
    metric, ratio = ruling.budget.metric, ruling.ratio
    if ratio is None or not math.isfinite(ratio) or ratio <= ruling.budget.limit:
        # Then it was not the ratio that failed it, but answers that were wrong or missing, or the backstop.
        return _ASK_WITHOUT_RATIO
    both = f"{figure(metric, ruling.candidate)} against {figure(metric, ruling.reference)}"
    return _ASK_OF_A_BUDGET[metric].format(times=wording.times(ratio), both=both)


def _about_server_error(exchange: Exchange) -> str:
    request = shown(f"{exchange.method} {exchange.path}", 160).text
    return (
        f"{request} was answered with {exchange.status}. What happens in the code on the way there, "
        "and what should the caller have got?"
    )


def _weak(skill: SkillScore) -> bool:
    return skill.points.possible > 0 and skill.points.share_at_most < 0.5


def _about_skill(skill: SkillScore) -> Question:
    name = shown(skill.skill.replace("-", " "), 60).text
    earned, possible = wording.points(skill.points.earned), wording.points(skill.points.possible)
    return Question(
        Text(f"With another hour for {name}, what would you do first, and how would you know that it helped?"),
        Text(f"{earned} of {possible} points in {name}"),
        None,
    )
