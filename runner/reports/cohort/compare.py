"""Two or three candidates side by side, what differs first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assessments.assessment_result import ShareRange
from assessments.cohort import Candidate, Cohort
from runner.reports import wording
from runner.reports.cohort.check_rows import CheckComparison, check_comparisons, number_of_checks
from runner.reports.cohort.links import report_of
from runner.reports.cohort.marks import MarkView, mark_views
from runner.reports.cohort.room import Room, fitted, left_out
from runner.reports.cohort.skills import skill_plan, skill_shares
from runner.reports.cohort.slowest import SlowestView, slowest, slowest_view
from runner.reports.cohort.terms import (
    STANDINGS,
    StandingView,
    name_of,
    open_state,
    share_range,
    titles,
    undecided_width,
)
from runner.reports.evidence import bar_width
from runner.reports.self_contained import rendered
from runner.reports.text import Text, shown
from runner.reports.view import skill_name

_MOST_SKILLS = 40
_MOST_MARKS = 20
_NOTE_BYTES = 600


@dataclass(frozen=True, slots=True)
class ShareView:
    """A share with its bar; `href` leads to a report, where there is one."""

    words: str
    low_width: str
    maybe_width: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class ColumnView:
    """One candidate's head of the comparison."""

    name: Text
    standing: StandingView
    state: str
    share: ShareView
    slowest: SlowestView | None
    marks: tuple[MarkView, ...]


@dataclass(frozen=True, slots=True)
class SharesRow:
    name: Text
    shares: tuple[ShareView, ...]


@dataclass(frozen=True, slots=True)
class ChallengeComparison:
    title: Text
    told: str
    differing: tuple[CheckComparison, ...]
    same: tuple[CheckComparison, ...]
    same_told: str
    note: str


def render_comparison(candidates: Sequence[Candidate], cohort: Cohort, links: Mapping[str, str], made_at: str) -> str:
    """Render the comparison. `links` as a cohort's page takes them. Raises ValueError unless there are two or three."""
    if len(candidates) not in {2, 3}:
        msg = f"two or three candidates can be compared, not {len(candidates)}"
        raise ValueError(msg)
    named = titles(cohort, candidates)

    def make(room: Room) -> str:
        return rendered(
            "comparison.html.j2",
            ("report.css", "cohort.css"),
            cohort=shown(cohort.name, 240),
            assessment=shown(cohort.assessment.title, 120),
            made_at=shown(wording.moment(made_at), 60),
            columns=tuple(map(_column, candidates)),
            skills=_skills(candidates, cohort),
            parts=_parts(candidates, links, named),
            challenges=tuple(_challenge(candidates, challenge, title, room) for challenge, title in named.items()),
            mark_x=bar_width(cohort.assessment.pass_mark.share, 1.0),
        )

    return fitted(make, len(candidates))


def _column(candidate: Candidate) -> ColumnView:
    return ColumnView(
        name=name_of(candidate.name),
        standing=STANDINGS[candidate.result.standing],
        state=open_state(candidate),
        share=_share(candidate.result.share),
        slowest=slowest_view(slowest(candidate)),
        marks=mark_views(candidate.marks, _MOST_MARKS, _NOTE_BYTES),
    )


def _share(share: ShareRange, href: str = "") -> ShareView:
    return ShareView(share_range(share), bar_width(share.low, 1.0), undecided_width(share), href)


def _skills(candidates: Sequence[Candidate], cohort: Cohort) -> tuple[SharesRow, ...]:
    plan = skill_plan(cohort.assessment, candidates)
    shares = [skill_shares(plan, candidate) for candidate in candidates]
    return tuple(
        SharesRow(skill_name(skill), tuple(map(_share, row)))
        for skill, row in list(zip(plan.skills, zip(*shares, strict=True), strict=True))[:_MOST_SKILLS]
    )


def _parts(
    candidates: Sequence[Candidate], links: Mapping[str, str], named: Mapping[str, Text]
) -> tuple[SharesRow, ...]:
    rows = []
    for challenge, title in named.items():
        parts = [next(each for each in one.result.parts if each.challenge == challenge) for one in candidates]
        shares = tuple(_share(part.share, report_of(part.scorecard, links)) for part in parts)
        rows.append(SharesRow(title, shares))
    return tuple(rows)


def _challenge(candidates: Sequence[Candidate], challenge: str, title: Text, room: Room) -> ChallengeComparison:
    rows = check_comparisons(candidates, challenge, room.checks)
    differing, same = tuple(row for row in rows if row.differs), tuple(row for row in rows if not row.differs)
    return ChallengeComparison(
        title=title,
        told=f"What differs: {len(differing):,} of {wording.count(len(rows), 'check')}",
        differing=differing,
        same=same,
        same_told=wording.count(len(same), "check"),
        note=left_out(number_of_checks(candidates, challenge) - len(rows), "check"),
    )
