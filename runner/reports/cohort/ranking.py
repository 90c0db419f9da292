"""The table an interviewer decides from: one row a candidate, and the figures it is sorted by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assessments.assessment_result import PartResult
from assessments.cohort import AttemptState, Candidate, Mark
from runner.reports import wording
from runner.reports.cohort.content import CohortContent
from runner.reports.cohort.links import report_of
from runner.reports.cohort.marks import MarkView, mark_views, mean_mark
from runner.reports.cohort.profile import HEIGHT, MOST_SKILLS, Profile, profile, width
from runner.reports.cohort.room import Room
from runner.reports.cohort.signals import Integrity, integrity, signals
from runner.reports.cohort.skills import SkillPlan, skill_plan, skill_shares
from runner.reports.cohort.slowest import SlowestView, slowest, slowest_view
from runner.reports.cohort.terms import (
    STANDINGS,
    StandingView,
    name_of,
    open_state,
    places,
    share_range,
    undecided_width,
)
from runner.reports.drawing import number
from runner.reports.evidence import bar_width
from runner.reports.text import Text
from runner.reports.view import skill_name

_MOST_MARKS: Final = 3
_LONG: Final = 30
"""From more rows on, the table scrolls by itself."""


@dataclass(frozen=True, slots=True)
class PartView:
    """One challenge's share; `href` is empty where there is no report to lead to."""

    words: str
    href: str


@dataclass(frozen=True, slots=True)
class RowView:
    """One candidate. `keys` are what each column is sorted by, in their order; `-` where there is nothing."""

    number: int
    keys: str
    place: str
    name: Text
    aside: str
    share: str
    low_width: str
    maybe_width: str
    standing: StandingView
    state: str
    profile: Profile
    parts: tuple[PartView, ...]
    slowest: SlowestView | None
    signals: tuple[Text, ...]
    marks: tuple[MarkView, ...]
    marks_note: str


@dataclass(frozen=True, slots=True)
class RankingView:
    rows: tuple[RowView, ...]
    numbers: Mapping[str, int]
    """Of each candidate whose row is on the page, its number."""
    skills: tuple[Text, ...]
    profile_width: int
    profile_height: int
    mark_x: str
    parts: tuple[Text, ...]
    automatic: int
    """How many columns are graded by Assay."""
    profiles_note: str
    long: bool
    """Then the table scrolls by itself and keeps its head in view."""
    unenforced_everywhere: bool


@dataclass(frozen=True, slots=True)
class _Known:
    """What a row is made with besides its candidate."""

    skills: tuple[Text, ...]
    plan: SkillPlan
    integrity: Integrity
    alphabet: Mapping[str, int]
    links: Mapping[str, str]


def ranking_view(content: CohortContent, titles: Mapping[str, Text], room: Room) -> RankingView:
    """The first rows, best first; who has no place comes last, by name."""
    placed = _placed(content)
    shown = placed[: room.rows]
    known = _known(content, [candidate.name for candidate, _ in placed])
    return RankingView(
        rows=tuple(
            _row(at, candidate, place, known, pictured=at < room.profiles)
            for at, (candidate, place) in enumerate(shown)
        ),
        numbers={candidate.name: at for at, (candidate, _) in enumerate(shown)},
        skills=known.skills,
        profile_width=width(len(known.skills)),
        profile_height=HEIGHT,
        mark_x=number(100 * content.cohort.assessment.pass_mark.share),
        parts=tuple(titles.values()),
        automatic=len(titles) + 5,
        profiles_note=_no_profiles(len(shown) - room.profiles),
        long=len(shown) > _LONG,
        unenforced_everywhere=known.integrity.unenforced_everywhere,
    )


def _placed(content: CohortContent) -> list[tuple[Candidate, str]]:
    """Every candidate with a place in words."""
    ranked = sorted(content.ranking, key=lambda each: (each.place_best, each.place_worst))
    placed = [(each.candidate, places(each.place_best, each.place_worst)) for each in ranked]
    names = {candidate.name for candidate, _ in placed}
    return placed + [(each, "\u2013") for each in content.candidates if each.name not in names]


def _known(content: CohortContent, names: Sequence[str]) -> _Known:
    plan = skill_plan(content.cohort.assessment, content.candidates)
    by_name = sorted(names, key=lambda name: (name.casefold(), name))
    return _Known(
        skills=tuple(map(skill_name, plan.skills[:MOST_SKILLS])),
        plan=plan,
        integrity=integrity(content.candidates, content.concerns, content.pairs),
        alphabet={name: place for place, name in enumerate(by_name)},
        links=content.links,
    )


def _row(at: int, candidate: Candidate, place: str, known: _Known, *, pictured: bool) -> RowView:
    result = candidate.result
    shares = skill_shares(known.plan, candidate)[:MOST_SKILLS]
    found, worst = signals(candidate, known.integrity), slowest(candidate)
    keys = (
        *(at, known.alphabet[candidate.name], result.share.low, _order(candidate)),
        min((share.low for share in shares), default=None),
        *(_sorted_by(part, candidate) for part in result.parts),
        *(worst.against_limit if worst else None, found.weight, mean_mark(candidate.marks)),
    )
    return RowView(
        number=at,
        keys=_keys(keys),
        place=place,
        name=name_of(candidate.name),
        aside=wording.count(candidate.superseded, "earlier submission") if candidate.superseded else "",
        share=share_range(result.share),
        low_width=bar_width(result.share.low, 1.0),
        maybe_width=undecided_width(result.share),
        standing=STANDINGS[result.standing],
        state=open_state(candidate),
        profile=profile(known.skills, shares, pictured=pictured),
        parts=tuple(_part(part, candidate, known.links) for part in result.parts),
        slowest=slowest_view(worst),
        signals=found.words,
        marks=mark_views(candidate.marks, _MOST_MARKS),
        marks_note=_more_marks(candidate.marks),
    )


def _keys(values: Sequence[float | None]) -> str:
    return " ".join("-" if value is None else f"{value:.4f}".rstrip("0").rstrip(".") for value in values)


def _order(candidate: Candidate) -> float:
    """Standings in their order, best highest."""
    return float(len(STANDINGS) - list(STANDINGS).index(candidate.result.standing))


def _sorted_by(part: PartResult, candidate: Candidate) -> float | None:
    return part.share.low if part.scorecard or part.challenge not in candidate.submissions else None


def _part(part: PartResult, candidate: Candidate, links: Mapping[str, str]) -> PartView:
    one = candidate.submissions.get(part.challenge)
    if one is None:
        return PartView("nothing handed in", "")
    if one.scorecard is None:
        return PartView("held" if one.state is AttemptState.HELD else "not graded yet", "")
    return PartView(share_range(part.share), report_of(part.scorecard, links))


def _no_profiles(number: int) -> str:
    if number <= 0:
        return ""
    return (
        f"To keep this page small, the last {wording.count(number, 'row')} of the ranking name the lowest skill alone"
    )


def _more_marks(marks: Sequence[Mark]) -> str:
    return f"and {len(marks) - _MOST_MARKS:,} more" if len(marks) > _MOST_MARKS else ""
