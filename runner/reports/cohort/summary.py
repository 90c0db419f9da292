"""The head of a cohort's page: how many stand where, what the mark is, and what is still open."""

from collections import Counter
from dataclasses import dataclass

from assessments.assessment import PassMark
from assessments.cohort import AttemptState
from runner.reports import wording
from runner.reports.cohort.content import CohortContent
from runner.reports.cohort.terms import STANDINGS, StandingView, open_state
from runner.reports.text import Text, shown


@dataclass(frozen=True, slots=True)
class Tally:
    """How many candidates stand so."""

    standing: StandingView
    number: str


@dataclass(frozen=True, slots=True)
class Summary:
    title: Text
    version: Text
    name: Text
    made_at: Text
    created_at: Text
    closed_at: Text
    """Empty while submissions may still come."""
    candidates: str
    noun: str
    tallies: tuple[Tally, ...]
    open: str
    """Of the too close ones, how many are so because they are not wholly graded; empty where none."""
    submissions: str
    mark: str
    certified: bool
    regrades: str


def summary(content: CohortContent) -> Summary:
    cohort, standings = content.cohort, Counter(each.result.standing for each in content.candidates)
    return Summary(
        title=shown(cohort.assessment.title, 120),
        version=shown(cohort.assessment.version, 40),
        name=shown(cohort.name, 240),
        made_at=shown(wording.moment(content.made_at), 60),
        created_at=shown(wording.moment(cohort.created_at), 60),
        closed_at=shown(wording.moment(cohort.closed_at), 60) if cohort.closed_at else Text(""),
        candidates=f"{len(content.candidates):,}",
        noun="candidate" if len(content.candidates) == 1 else "candidates",
        tallies=tuple(Tally(view, f"{standings[each]:,}") for each, view in STANDINGS.items()),
        open=_open(content),
        submissions=_submissions(content),
        mark=mark_words(cohort.assessment.pass_mark),
        certified=cohort.certified,
        regrades=_regrades(content.regrades_open),
    )


def mark_words(mark: PassMark) -> str:
    """The mark, and where it is too close to call."""
    low, high = wording.percent(mark.not_passed_below), wording.percent(mark.passed_from)
    if not mark.doubt:
        return f"The mark is {wording.percent(mark.share)} of the points."
    return (
        f"The mark is {wording.percent(mark.share)} of the points, and no assessment measures to the point: "
        f"passed from {high}, not passed below {low}, and in between too close to call: a person decides."
    )


def _open(content: CohortContent) -> str:
    waiting = sum(bool(open_state(each)) for each in content.candidates)
    if not waiting:
        return ""
    verb = "is" if waiting == 1 else "are"
    return f"{wording.count(waiting, 'candidate')} {verb} not wholly graded: what is missing counts as undecided."


def _submissions(content: CohortContent) -> str:
    """How the submissions that count are graded, as in "39 of 42 submissions graded, 1 held, 2 open"."""
    submissions = [one for each in content.candidates for one in each.submissions.values()]
    graded = sum(one.scorecard is not None for one in submissions)
    held = sum(one.scorecard is None and one.state is AttemptState.HELD for one in submissions)
    waiting = len(submissions) - graded - held
    return f"{graded:,} of {wording.count(len(submissions), 'submission')} graded, {held:,} held, {waiting:,} open"


def _regrades(number: int) -> str:
    if not number:
        return ""
    verb = "is" if number == 1 else "are"
    return (
        f"{wording.count(number, 'regrade')} {verb} neither accepted nor refused. "
        "Until then the earlier scorecards count, and this page shows those."
    )
