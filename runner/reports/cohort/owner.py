"""The page of a challenge's owner: what its checks tell of candidates, and which ones need work."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from assessments.cohort import Cohort
from runner.insights.items import ChallengeStatistics, CheckConcern, CheckStatistics
from runner.reports import wording
from runner.reports.cohort.room import Room, fitted, left_out
from runner.reports.cohort.terms import TOO_FEW, estimate, two_places
from runner.reports.evidence import bar_width
from runner.reports.self_contained import rendered
from runner.reports.text import Text, shown
from runner.reports.view import skill_name

_CONCERNS: Final = MappingProxyType(
    {
        CheckConcern.ALWAYS_PASSED: ("inconclusive", "nobody fails it"),
        CheckConcern.NEVER_PASSED: ("failed", "nobody passes it"),
        CheckConcern.OFTEN_UNDECIDED: ("errored", "often undecided"),
        CheckConcern.TELLS_THE_WRONG_WAY: ("failed", "better candidates fail it"),
        CheckConcern.TELLS_LITTLE: ("inconclusive", "tells little"),
        CheckConcern.FLAKY: ("errored", "flaky"),
    }
)
"""The class of each concern's colour, and its words."""


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check. Widths and places are 0 to 100, for SVG; `interval` is empty where there are too few to say."""

    check: Text
    skill: Text
    kind: str
    points: str
    passed: str
    failed: str
    undecided: str
    difficulty: str
    value_x: str
    low_x: str
    width: str
    discrimination: str
    median: str
    longest: str
    concerns: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class StatisticsView:
    """One challenge: how much it tells as a whole, and its checks."""

    title: Text
    id: Text
    candidates: str
    alpha: str
    mean: str
    median: str
    slow: str
    worries: tuple[str, ...]
    checks: tuple[CheckRow, ...]
    note: str


def render_owner(cohort: Cohort, statistics: Sequence[ChallengeStatistics], made_at: str) -> str:
    """The page, with as many checks as there is room for."""

    def make(room: Room) -> str:
        return rendered(
            "owner.html.j2",
            ("report.css", "cohort.css"),
            cohort=shown(cohort.name, 240),
            assessment=shown(cohort.assessment.title, 120),
            made_at=shown(wording.moment(made_at), 60),
            challenges=statistics_views(statistics, room),
            challenges_note=left_out(len(statistics) - room.challenges, "challenge"),
        )

    return fitted(make, 1)


def statistics_views(statistics: Sequence[ChallengeStatistics], room: Room) -> tuple[StatisticsView, ...]:
    return tuple(_view(each, room.checks) for each in statistics[: room.challenges])


def _view(of: ChallengeStatistics, most: int) -> StatisticsView:
    return StatisticsView(
        title=shown(of.title or of.challenge, 120),
        id=shown(of.challenge, 60),
        candidates=wording.count(of.n, "graded submission"),
        alpha=estimate(of.alpha),
        mean=wording.percent(of.mean_share),
        median=wording.seconds(of.seconds_median),
        slow=wording.seconds(of.seconds_p95),
        worries=_worries(of.checks),
        checks=tuple(map(_row, of.checks[:most])),
        note=left_out(len(of.checks) - most, "check"),
    )


def _row(of: CheckStatistics) -> CheckRow:
    known = of.difficulty
    return CheckRow(
        check=shown(of.check, 80),
        skill=skill_name(of.skill),
        kind="measured budget" if of.is_budget else "",
        points=wording.points(of.points),
        passed=f"{of.passed:,}",
        failed=f"{of.failed:,}",
        undecided=f"{of.inconclusive + of.errored:,}",
        difficulty=estimate(known, percent=True),
        value_x=bar_width(known.value, 1.0) if known else "",
        low_x=bar_width(known.low, 1.0) if known else "",
        width=bar_width(known.high - known.low, 1.0) if known else "",
        discrimination=TOO_FEW if of.discrimination is None else two_places(of.discrimination),
        median=wording.seconds(of.duration_median_s),
        longest=wording.seconds(of.duration_max_s),
        concerns=tuple(_CONCERNS[each] for each in of.concerns),
    )


def _worries(checks: Sequence[CheckStatistics]) -> tuple[str, ...]:
    """The checks that need work, concern by concern, a few of each by name."""
    named: Mapping[CheckConcern, list[str]] = {
        concern: [shown(each.check, 60).text for each in checks if concern in each.concerns] for concern in _CONCERNS
    }
    return tuple(
        f"{_CONCERNS[concern][1].capitalize()}: {', '.join(names[:5])}{_rest(len(names) - 5)}"
        for concern, names in named.items()
        if names
    )


def _rest(more: int) -> str:
    return f" and {more:,} more" if more > 0 else ""
