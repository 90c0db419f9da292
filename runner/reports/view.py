"""The page's view model: every figure, word and row that the template shows, made by pure functions.

The template only loops over this and asks what is empty. Untrusted strings enter as `Text`, bounded and visible.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assessments.outcome import Outcome
from assessments.scorecard import Scorecard, SkillScore, Status, score
from runner.reports import wording
from runner.reports.budget import Budget
from runner.reports.evidence import MARKS, CheckView, RunView, bar_width, check_views, run_views
from runner.reports.files import FilesView, files_view
from runner.reports.findings import Finding, Question, findings, questions
from runner.reports.measurements import MeasurementsView, measurements_view
from runner.reports.provenance import ControlView, Row, control_views, facts, rows
from runner.reports.text import Text, shown

_MOST_SKILLS: Final = 30
_MOST_PHASES: Final = 30
_ACRONYMS: Final = frozenset({"ai", "api", "http", "llm", "ml", "rag", "sql"})


class Audience(StrEnum):
    """Who reads the page."""

    INTERVIEWER = "interviewer"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Sources:
    """Contents of files by path: what was handed in, and what it started from. Files may be missing on either side."""

    submitted: Mapping[str, bytes]
    starter: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The first thing a reader sees. Widths are 0 to 100, for SVG."""

    css: str
    mark: str
    headline: str
    detail: str
    score: str
    points: str
    earned_width: str
    undecided_width: str
    pass_mark: str
    pass_mark_x: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many checks had one outcome."""

    outcome: str
    mark: str
    number: str


@dataclass(frozen=True, slots=True)
class SkillView:
    name: Text
    points: str
    undecided: str
    checks: str
    earned_width: str
    undecided_width: str


@dataclass(frozen=True, slots=True)
class SkillChecks:
    """The checks of one skill, under its name."""

    name: Text
    checks: tuple[CheckView, ...]


@dataclass(frozen=True, slots=True)
class PhaseView:
    name: Text
    seconds: str
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Page:
    """Everything on the page. Parts that the audience may not see are empty."""

    for_candidate: bool
    candidate: Text
    challenge: Text
    version: Text
    graded_at: Text
    facts: tuple[Row, ...]
    verdict: Verdict
    tallies: tuple[Tally, ...]
    unenforced: tuple[Text, ...]
    skills: tuple[SkillView, ...]
    findings: tuple[Finding, ...]
    questions: tuple[Question, ...]
    checks: tuple[SkillChecks, ...]
    checks_note: str
    measurements: MeasurementsView
    phases: tuple[PhaseView, ...]
    total: str
    runs: tuple[RunView, ...]
    runs_note: str
    files: FilesView
    provenance: tuple[Row, ...]
    controls: tuple[ControlView, ...]
    assay: Text


def page(scorecard: Scorecard, sources: Sources, audience: Audience, budget: Budget) -> Page:
    """Make the view of a scorecard. For a candidate it must already be the candidate's copy."""
    interviewer = audience is Audience.INTERVIEWER
    # A candidate's copy tells no part that a hidden budget keeps, but the sum holds it.
    withheld = not math.isclose(score(scorecard.results).earned, scorecard.points.earned, abs_tol=1e-9)
    checks = check_views(scorecard.results, budget, all_known=interviewer, parts_withheld=withheld)
    listed = frozenset(check.number for check in checks)
    runs = run_views(scorecard.runs, budget)
    return Page(
        for_candidate=not interviewer,
        candidate=shown(scorecard.candidate or "Unnamed candidate", 240),
        challenge=shown(scorecard.challenge.title or scorecard.challenge.id, 240),
        version=shown(scorecard.challenge.version, 40),
        graded_at=shown(wording.moment(scorecard.graded_at), 60),
        facts=facts(scorecard) if interviewer else (),
        verdict=verdict(scorecard),
        tallies=_tallies(scorecard),
        unenforced=tuple(shown(control.name, 80) for control in scorecard.engine.unenforced[:20]),
        skills=tuple(_skill_view(skill) for skill in scorecard.skills[:_MOST_SKILLS]),
        findings=findings(scorecard.results),
        questions=questions(scorecard) if interviewer else (),
        checks=_by_skill(checks),
        checks_note=_left_out(len(scorecard.results) - len(checks), "check"),
        measurements=measurements_view(scorecard, budget, listed, all_known=interviewer),
        phases=phase_views(scorecard),
        total=wording.seconds(sum(phase.seconds for phase in scorecard.phases)),
        runs=runs,
        runs_note=_left_out(len(scorecard.runs) - len(runs), "run"),
        files=files_view(scorecard.submission, sources.submitted, sources.starter, budget),
        provenance=rows(scorecard, all_known=interviewer),
        controls=control_views(scorecard.engine.controls),
        assay=shown(scorecard.host.assay, 40),
    )


def verdict(scorecard: Scorecard) -> Verdict:
    """Passed, not passed, or open: open only where the undecided checks can still turn it."""
    points, pass_mark = scorecard.points, scorecard.challenge.pass_mark
    least, most, needed = (wording.percent(share) for share in (points.share, points.share_at_most, pass_mark))
    incomplete = scorecard.status is Status.INCOMPLETE
    score = f"{least.removesuffix('%')}\u2013{most}" if incomplete and least != most else least
    because = " Some checks are undecided through no fault of the submission: a rerun is due." if incomplete else ""
    if scorecard.passed:
        css, mark, headline = "passed", MARKS[Outcome.PASSED], "Passed"
        detail = f"The points earned for certain reach the mark of {needed}.{because}"
    elif incomplete and points.share_at_most >= pass_mark - 1e-9:
        css, mark, headline = "open", "?", f"Incomplete: score between {least} and {most}"
        detail = f"Whether the mark of {needed} is reached is not known.{because}"
    else:
        css, mark, headline = "failed", MARKS[Outcome.FAILED], "Not passed"
        reach = "is out of reach, whatever the undecided checks come to" if incomplete else "is not reached"
        detail = f"The mark of {needed} {reach}.{because}"
    return Verdict(
        css=css,
        mark=mark,
        headline=headline,
        detail=detail,
        score=score,
        points=f"{wording.points(points.earned)} of {wording.points(points.possible)} points",
        earned_width=bar_width(points.earned, points.possible),
        undecided_width=bar_width(points.undecided, points.possible),
        pass_mark=needed,
        pass_mark_x=bar_width(pass_mark, 1.0),
    )


def phase_views(scorecard: Scorecard) -> tuple[PhaseView, ...]:
    """The phases as bars, each beginning where the one before it ended."""
    total = sum(phase.seconds for phase in scorecard.phases)
    views = []
    start = 0.0
    for phase in scorecard.phases[:_MOST_PHASES]:
        width = bar_width(phase.seconds, total)
        views.append(PhaseView(shown(phase.name, 80), wording.seconds(phase.seconds), bar_width(start, total), width))
        start += phase.seconds
    return tuple(views)


def _tallies(scorecard: Scorecard) -> tuple[Tally, ...]:
    outcomes = [result.outcome for result in scorecard.results]
    return tuple(
        Tally(outcome.value, MARKS[outcome], f"{outcomes.count(outcome):,}")
        for outcome in Outcome
        if outcome in outcomes
    )


def _skill_view(skill: SkillScore) -> SkillView:
    points = skill.points
    earned, possible = wording.points(points.earned), wording.points(points.possible)
    return SkillView(
        name=skill_name(skill.skill),
        points=f"{earned} of {possible}",
        undecided=f"{wording.points(points.undecided)} undecided" if points.undecided else "",
        checks=f"{skill.passed:,} of {skill.checks:,}",
        earned_width=bar_width(points.earned, points.possible),
        undecided_width=bar_width(points.undecided, points.possible),
    )


def skill_name(skill: str) -> Text:
    """A skill as people write it: `api-design` is "API design"."""
    words = " ".join(word.upper() if word in _ACRONYMS else word for word in skill.split("-"))
    return shown(words[:1].upper() + words[1:], 60)


def _by_skill(checks: tuple[CheckView, ...]) -> tuple[SkillChecks, ...]:
    skills = list(dict.fromkeys(check.skill for check in checks))
    return tuple(
        SkillChecks(skill_name(skill.text), tuple(check for check in checks if check.skill == skill))
        for skill in skills
    )


def _left_out(number: int, noun: str) -> str:
    return f"{wording.count(number, f'more {noun}')} left out to keep this page small" if number > 0 else ""
