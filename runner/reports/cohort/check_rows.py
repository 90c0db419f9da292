"""Two or three candidates' outcomes check by check, those that differ first."""

from collections.abc import Sequence
from dataclasses import dataclass

from assessments.cohort import Candidate
from assessments.outcome import Outcome
from assessments.scorecard_summary import CheckFigure
from runner.reports import wording
from runner.reports.cohort.slowest import ratio_words
from runner.reports.evidence import MARKS
from runner.reports.text import Text, shown
from runner.reports.view import skill_name


@dataclass(frozen=True, slots=True)
class OutcomeCell:
    """What came of a check for one candidate; without an outcome, why there is none."""

    outcome: str
    mark: str
    points: str
    ratio: str
    over: bool


@dataclass(frozen=True, slots=True)
class CheckComparison:
    check: Text
    skill: Text
    cells: tuple[OutcomeCell, ...]
    differs: bool
    is_budget: bool


def check_comparisons(candidates: Sequence[Candidate], challenge: str, most: int) -> tuple[CheckComparison, ...]:
    """The challenge's checks: first those that somebody passed and somebody did not, then the others."""
    found = [_figures(candidate, challenge) for candidate in candidates]
    order = dict.fromkeys(check for figures in found for check in figures)
    rows = [_row(check, [figures.get(check) for figures in found]) for check in order]
    return tuple(sorted(rows, key=lambda row: not row.differs)[:most])


def number_of_checks(candidates: Sequence[Candidate], challenge: str) -> int:
    return len({check for candidate in candidates for check in _figures(candidate, challenge)})


def _figures(candidate: Candidate, challenge: str) -> dict[str, CheckFigure]:
    one = candidate.submissions.get(challenge)
    return {figure.check: figure for figure in one.scorecard.checks} if one and one.scorecard else {}


def _row(check: str, figures: Sequence[CheckFigure | None]) -> CheckComparison:
    known = next(figure for figure in figures if figure)
    return CheckComparison(
        check=shown(check, 80),
        skill=skill_name(known.skill),
        cells=tuple(map(_cell, figures)),
        differs=len({figure.outcome if figure else None for figure in figures}) > 1,
        is_budget=any(figure and figure.limit is not None for figure in figures),
    )


def _cell(figure: CheckFigure | None) -> OutcomeCell:
    if figure is None:
        return OutcomeCell("", "", "", "", over=False)
    decided = figure.outcome in {Outcome.PASSED, Outcome.FAILED}
    earned = wording.points(figure.earned) if decided else "?"
    ratio, limit = figure.ratio, figure.limit
    measured = ratio is not None and limit is not None
    return OutcomeCell(
        outcome=figure.outcome.value,
        mark=MARKS[figure.outcome],
        points=f"{earned} of {wording.points(figure.points)}",
        ratio=ratio_words(ratio, limit) if ratio is not None and limit is not None else "",
        over=measured and (ratio or 0.0) > (limit or 0.0),
    )
