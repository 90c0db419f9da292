"""The certificate: every sample solution graded for real, and each outcome compared with what it must be."""

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assessments.challenge import Challenge
from assessments.check import CheckId
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from runner.bench import Bench
from runner.certify.solutions import Kind, Solution
from runner.grade import Order, grade
from runner.intake import write_tree
from runner.lanes import run_lanes


@dataclass(frozen=True, slots=True)
class Row:
    """One grading of one solution: what each check said, and what is wrong with that."""

    solution: Solution
    time: int
    """1 for the first grading of this solution, 2 for the second, ..."""
    outcomes: Mapping[CheckId, Outcome]
    share: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Certificate:
    """All rows, and what is wrong with the challenge as a whole."""

    rows: tuple[Row, ...]
    idle_checks: tuple[CheckId, ...]
    """Checks that no broken or slow solution fails: nothing shows that they can."""

    @property
    def problems(self) -> tuple[str, ...]:
        of_rows = (f"{row.solution.label}: {problem}" for row in self.rows for problem in row.problems)
        idle = (f"{check}: no broken or slow solution must fail it; add one that does" for check in self.idle_checks)
        return (*of_rows, *idle)

    @property
    def sound(self) -> bool:
        return not self.problems


def verify(
    challenge: Challenge,
    solutions: Sequence[Solution],
    bench: Bench,
    *,
    times: int,
    lanes: int | None,
    done: Callable[[Row], None],
    budgets: bool = True,
) -> Certificate:
    """Grade each solution once and the accepted ones `times` over; `done` hears of each row as it ends.

    Seeds are fresh each time, so that a check which holds for one seed only is found out. Budgets are measured of the
    accepted and the slow ones, or without `budgets` of none: then nothing is said of them.
    """
    bench.environment(challenge)
    gradings = [
        (solution, time)
        for solution in solutions
        for time in range(1, (times if solution.kind is Kind.ACCEPTED else 1) + 1)
    ]

    def one(grading: tuple[Solution, int]) -> Row:
        solution, time = grading
        measures = budgets and solution.measured
        row = judge(challenge, solution, time, _graded(challenge, solution, bench, measures), measured=measures)
        done(row)
        return row

    rows = tuple(run_lanes(one, gradings, bench, lanes))
    return Certificate(rows, idle_checks(challenge, solutions))


def judge(challenge: Challenge, solution: Solution, time: int, scorecard: Scorecard, *, measured: bool = True) -> Row:
    """Compare a grading with what the solution is there to show. Pure; without `measured` budgets are left aside."""
    outcomes = {result.check.id: result.outcome for result in scorecard.results}
    problems = [
        f"'{result.check.id}' is {result.outcome}: {result.message}"
        for result in scorecard.results
        if result.outcome not in (Outcome.PASSED, Outcome.FAILED)
        and (measured or result.check.budget is None or result.outcome is not Outcome.INCONCLUSIVE)
    ]
    failed = {check for check, outcome in outcomes.items() if outcome is Outcome.FAILED}
    passed = {check for check, outcome in outcomes.items() if outcome is Outcome.PASSED}
    problems += [f"must fail '{check}', but passed it" for check in sorted(solution.must_fail & passed)]
    messages = {result.check.id: result.message.partition("\n")[0] for result in scorecard.results}
    unexpected = failed - solution.must_fail - solution.may_fail
    problems += [f"must pass '{check}', but failed it: {messages[check]}" for check in sorted(unexpected)]
    if solution.label == "baseline/starter" and scorecard.points.reaches(challenge.pass_mark):
        problems.append(f"scores {scorecard.points.share:.0%}; the starter must stay below the pass mark")
    return Row(solution, time, outcomes, scorecard.points.share, tuple(problems))


def idle_checks(challenge: Challenge, solutions: Iterable[Solution]) -> tuple[CheckId, ...]:
    """Checks that no broken or slow solution must fail, in the manifest's order. Pure."""
    caught = {
        check for solution in solutions if solution.kind in (Kind.BROKEN, Kind.SLOW) for check in solution.must_fail
    }
    return tuple(check.id for check in challenge.checks if check.id not in caught)


def _graded(challenge: Challenge, solution: Solution, bench: Bench, measures: bool) -> Scorecard:
    with tempfile.TemporaryDirectory(dir=bench.run.folder) as scratch:
        folder = Path(scratch) / solution.name
        folder.mkdir()
        write_tree(solution.contents, folder)
        order = Order(folder, solution.label, unenforced_allowed=True, measures=measures)
        return grade(order, challenge, bench).scorecard
