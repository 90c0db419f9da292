"""A cohort's ranking on a terminal: the places that each candidate may have, and what their share lies between."""

from rich import box
from rich.table import Table
from rich.text import Text

from assessments.assessment_result import ShareRange
from runner.cli.screen import data_console
from runner.cohort.pages import Standing
from runner.insights.ranking import Ranked, rank
from runner.reports.text import shown
from runner.reports.wording import percent

_ROWS = 30


def print_ranking(standing: Standing) -> None:
    """The first of it; all is on the page."""
    assessment = standing.kept.cohort.assessment
    ranking = rank(standing.candidates, assessment)
    challenges = (part.challenge for part in assessment.parts)
    table = Table("place", "candidate", "score", "", *challenges, box=box.SIMPLE_HEAD)
    for one in ranking[:_ROWS]:
        result = one.candidate.result
        parts = ["-" if part.scorecard is None else _range(part.share) for part in result.parts]
        name = Text(shown(one.candidate.name, 60).text)
        table.add_row(_place(one), name, _range(result.share), result.standing.replace("-", " "), *parts)
    console = data_console()
    console.print(table)
    if len(ranking) > _ROWS:
        console.print(f"and {len(ranking) - _ROWS:,} more on the page")


def _place(one: Ranked) -> str:
    return f"{one.place_best}" if one.place_best == one.place_worst else f"{one.place_best}-{one.place_worst}"


def _range(share: ShareRange) -> str:
    low, high = percent(share.low), percent(share.high)
    return low if low == high else f"{low} to {high}"
