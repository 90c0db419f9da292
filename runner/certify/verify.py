"""Every sample solution graded for real, several times over, and each outcome compared with what it must be."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assessments.challenge import Challenge
from assessments.check import CheckId, CheckResult
from assessments.outcome import Fault, Outcome
from assessments.scorecard import EngineRef, EnvironmentRef, Scorecard
from runner.bench import Bench
from runner.certify.solutions import Kind, Solution
from runner.grade import Order, grade
from runner.intake import write_tree
from runner.lanes import run_lanes
from runner.reports.wording import percent

_OTHERS_TIMES = 2
"""How often a solution that is not an accepted one is graded, on one engine or once on each of two: twice shows an
outcome that changes."""
_NOTHING = 1e-9

Grading = tuple[str, int]
"""A solution's label, and 1 for its first grading on an engine, 2 for its second, ..."""


@dataclass(frozen=True, slots=True)
class Row:
    """One grading of one solution: what each check said, and what is wrong with that."""

    solution: Solution
    engine: EngineRef
    environment: EnvironmentRef
    time: int
    """1 for the first grading of this solution on this engine, 2 for the second, ..."""
    outcomes: Mapping[CheckId, Outcome]
    unmeasured: frozenset[CheckId]
    """Budgets that were left undecided on purpose in this grading."""
    undecided: bool
    """Whether anything else was left open: by noise, or by a fault that is not the solution's."""
    share: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """All rows, and what they leave unproved."""

    rows: tuple[Row, ...]
    idle_checks: tuple[CheckId, ...]
    """Checks that no broken or slow solution fails: nothing shows that they can."""

    @property
    def row_problems(self) -> tuple[str, ...]:
        """What single gradings did wrong."""
        return tuple(f"{row.solution.label}: {problem}" for row in self.rows for problem in row.problems)

    @property
    def problems(self) -> tuple[str, ...]:
        idle = (f"{check}: no broken or slow solution must fail it; add one that does" for check in self.idle_checks)
        return (*self.row_problems, *idle)

    @property
    def sound(self) -> bool:
        return not self.problems


def times_graded(solution: Solution, times: int, engines: int = 1) -> int:
    """How often a solution is graded on each of so many engines: accepted ones `times` over, the rest twice in all."""
    return times if solution.kind is Kind.ACCEPTED else max(min(times, _OTHERS_TIMES) // engines, 1)


def gradings(solutions: Iterable[Solution], times: int, engines: int = 1) -> list[tuple[Solution, int]]:
    """Each solution as often as it is graded on each of so many engines, numbered from 1."""
    return [(solution, time) for solution in solutions for time in range(1, times_graded(solution, times, engines) + 1)]


def verify(
    challenge: Challenge,
    solutions: Sequence[Solution],
    bench: Bench,
    *,
    times: int,
    lanes: int | None,
    done: Callable[[Row], None],
    budgets: bool = True,
    controls: bool = True,
    known: Mapping[Grading, Row] | None = None,
    engines: int = 1,
    first: bool = True,
) -> Verified:
    """Grade each solution as often as `times_graded` says, but for what is `known`.

    `engines`: on so many it is to be graded in all, and `first` says whether this is the first of them.
    `done` hears of each new row as it ends. Seeds are fresh each time, so that a check which holds for one seed only is
    found out. Without `budgets` none is measured, and nothing is said of them. With `controls` the first grading of all
    but the accepted has one on each engine (see runner.control): a reference that fails what it should catch is found
    out, too.
    """
    bench.environment(challenge)
    known = known or {}

    def one(grading: tuple[Solution, int]) -> Row:
        solution, time = grading
        if (solution.label, time) in known:
            return known[solution.label, time]
        measures = budgets and measured(challenge, solution, first=first and time == 1)
        controlled = controls and time == 1 and solution.kind is not Kind.ACCEPTED  # nothing stands in for these
        scorecard = _graded(challenge, solution, bench, measures=measures, controlled=controlled)
        row = judge(challenge, solution, time, scorecard, measured=measures)
        done(row)
        return row

    wanted = gradings(solutions, times, engines)
    rows = tuple(run_lanes(one, wanted, bench, lanes))
    asked = {(solution.label, time) for solution, time in wanted}
    more = tuple(row for grading, row in known.items() if grading not in asked)
    return Verified((*rows, *more), idle_checks(challenge, solutions))


def measured(challenge: Challenge, solution: Solution, *, first: bool) -> bool:
    """Whether a grading's budgets mean anything; `first`: the solution's first of all. Pure.

    What is right keeps them and what is slow breaks those it names, every time; a broken solution may name one, too.
    A cheat, the starter and empty files earn nothing by one, which needs no second look.
    """
    match solution.kind:
        case Kind.ACCEPTED | Kind.SLOW:
            return True
        case Kind.BROKEN:
            return any(check.budget is not None and check.id in solution.must_fail for check in challenge.checks)
        case Kind.CHEAT | Kind.BASELINE:
            return first


def lacks_budgets(challenge: Challenge, row: Row, first_engine: bool) -> bool:
    """Whether a kept grading left budgets aside that are wanted now: when it was made, another engine was the first.

    Pure. One that was wrong is not made again for their sake.
    """
    wanted = measured(challenge, row.solution, first=first_engine and row.time == 1)
    return wanted and bool(row.unmeasured) and not row.problems


def judge(challenge: Challenge, solution: Solution, time: int, scorecard: Scorecard, *, measured: bool = True) -> Row:
    """Compare a grading with what the solution is there to show. Pure; without `measured` budgets are left aside."""
    outcomes = {result.check.id: result.outcome for result in scorecard.results}
    left_aside = {result.check.id for result in scorecard.results if _left_aside(result, solution, measured)}
    still_open = [
        result
        for result in scorecard.results
        if result.outcome not in (Outcome.PASSED, Outcome.FAILED) and result.check.id not in left_aside
    ]
    problems = [f"'{result.check.id}' is {result.outcome}: {result.message}" for result in still_open]
    # A reference that fails by a seed says something about the challenge: no further throw of the dice mends that.
    undecided = any(result.fault is not Fault.CONTROL_FAILED for result in still_open)
    failed = {check for check, outcome in outcomes.items() if outcome is Outcome.FAILED}
    passed = {check for check, outcome in outcomes.items() if outcome is Outcome.PASSED}
    problems += [f"must fail '{check}', but passed it" for check in sorted(solution.must_fail & passed)]
    messages = {result.check.id: result.message.partition("\n")[0] for result in scorecard.results}
    unexpected = failed - solution.must_fail - solution.may_fail
    problems += [f"must pass '{check}', but failed it: {messages[check]}" for check in sorted(unexpected)]
    problems += _gains(challenge, solution, scorecard)
    unmeasured = frozenset() if measured else frozenset(left_aside)
    share = scorecard.points.share
    engine, environment = scorecard.engine, scorecard.environment
    return Row(solution, engine, environment, time, outcomes, unmeasured, undecided, share, tuple(problems))


def _left_aside(result: CheckResult, solution: Solution, measured: bool) -> bool:
    """Whether an open budget says nothing: it was not measured, or of one who earns nothing by its staying open."""
    if result.check.budget is None or result.outcome is not Outcome.INCONCLUSIVE:
        return False
    return not measured or solution.kind in (Kind.CHEAT, Kind.BASELINE)


def _gains(challenge: Challenge, solution: Solution, scorecard: Scorecard) -> Iterable[str]:
    """What a solution earns beyond what it may: checks are one thing, what is left of a broken budget another."""
    share = scorecard.points.share
    if share > solution.share_max + _NOTHING:
        yield f"earns {percent(share)} of the points; the manifest's [baseline] allows {percent(solution.share_max)}"
    if solution.label == "baseline/starter" and scorecard.points.reaches(challenge.pass_mark):
        yield f"scores {percent(share)}; the starter must stay below the pass mark"
    if solution.kind is Kind.CHEAT:
        for result in scorecard.results:
            if result.outcome is Outcome.FAILED and result.points_earned > _NOTHING:
                yield f"fails '{result.check.id}', but earns {result.points_earned:g} points by it"


def idle_checks(challenge: Challenge, solutions: Iterable[Solution]) -> tuple[CheckId, ...]:
    """Checks that no broken or slow solution must fail, in the manifest's order. Pure."""
    caught = {
        check for solution in solutions if solution.kind in (Kind.BROKEN, Kind.SLOW) for check in solution.must_fail
    }
    return tuple(check.id for check in challenge.checks if check.id not in caught)


def _graded(challenge: Challenge, solution: Solution, bench: Bench, *, measures: bool, controlled: bool) -> Scorecard:
    with tempfile.TemporaryDirectory(dir=bench.run.folder) as scratch:
        folder = Path(scratch) / solution.name
        folder.mkdir()
        write_tree(solution.contents, folder)
        order = Order(folder, solution.label, unenforced_allowed=True, measures=measures, controlled=controlled)
        return grade(order, challenge, bench).scorecard
