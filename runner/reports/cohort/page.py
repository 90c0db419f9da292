"""The page of a cohort that an interviewer decides from: one HTML text, sorted and filtered without a network.

    content -> views (pure) -> templates/cohort.html.j2 -> text

It is whole and readable with scripts off. With them, one script of ours, allowed by its hash, sorts and filters the
ranking; nothing that a submission or a candidate named becomes a script, a style or an address.
"""

from runner.reports.cohort.against_limits import budgets_against_limits
from runner.reports.cohort.concerns import concern_views, rest_of
from runner.reports.cohort.content import CohortContent
from runner.reports.cohort.distribution import distribution
from runner.reports.cohort.owner import statistics_views
from runner.reports.cohort.ranking import ranking_view
from runner.reports.cohort.room import Room, fitted, left_out
from runner.reports.cohort.similar import alike_views
from runner.reports.cohort.summary import summary
from runner.reports.cohort.terms import STANDINGS, titles
from runner.reports.self_contained import rendered

__all__ = ["CohortContent", "render_cohort"]


def render_cohort(content: CohortContent) -> str:
    """Render a cohort as one page of less than `COHORT_BYTES` bytes of UTF-8.

    What does not fit is cut from the end of the ranking, pictures of skills before rows, and the page says how much.
    """
    return fitted(lambda room: _render(content, room), len(content.candidates), profiles=True)


def _render(content: CohortContent, room: Room) -> str:
    named = titles(content.cohort, content.candidates, content.statistics)
    ranking = ranking_view(content, named, room)
    alike = alike_views(content, named, room.pairs)
    return rendered(
        "cohort.html.j2",
        ("report.css", "cohort.css"),
        "cohort.js",
        summary=summary(content),
        concerns=concern_views(content.concerns, ranking.numbers, named, room.concerns),
        concerns_note=rest_of(content.concerns, room.concerns),
        ranking=ranking,
        ranking_note=left_out(len(content.candidates) - len(ranking.rows), "candidate"),
        standings=tuple(STANDINGS.values()),
        distribution=distribution(content.candidates, content.cohort.assessment.pass_mark),
        budgets=budgets_against_limits(content.candidates, named, room.strips),
        alike=alike,
        alike_note=left_out(_hidden_pairs(content, room), "pair"),
        challenges=statistics_views(content.statistics, room),
    )


def _hidden_pairs(content: CohortContent, room: Room) -> int:
    return sum(map(len, content.pairs.values())) - room.pairs
