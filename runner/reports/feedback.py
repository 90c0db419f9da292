"""The page a candidate gets once their window is over: as much as the assessment's `feedback` says, and no more.

It is made of what is named here, never by leaving things out: titles, times and digests of the candidate's own
submissions, the standing, and sums of points by skill, which the candidate's copy of a scorecard has as well. No
check, seed, host, engine, place, other candidate, similarity or person's mark can reach it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never
from urllib.parse import quote

from assessments.assessment import Assessment, Feedback
from assessments.assessment_result import ShareRange, Standing
from assessments.cohort import Candidate
from assessments.skill_points import share_range, skill_points
from runner.reports import wording
from runner.reports.evidence import bar_width
from runner.reports.self_contained import rendered
from runner.reports.text import Text, shown
from runner.reports.view import skill_name

_TELLS: Final = {
    Feedback.NOTHING: frozenset[str](),
    Feedback.STANDING: frozenset({"standing"}),
    Feedback.SKILLS: frozenset({"standing", "skills"}),
    Feedback.PAGE: frozenset({"standing", "skills", "pages"}),
}
_MOST_ROWS: Final = 60


@dataclass(frozen=True, slots=True)
class Answer:
    """The first thing on the page."""

    css: str
    mark: str
    headline: str
    detail: str


@dataclass(frozen=True, slots=True)
class SkillRow:
    """A skill's share of its points; widths are 0 to 100, for SVG."""

    name: Text
    share: str
    earned_width: str
    undecided_width: str


@dataclass(frozen=True, slots=True)
class ReceivedRow:
    """One submission that counts. `page` is a relative address, and empty where there is none to show."""

    challenge: Text
    received_at: Text
    digest: Text
    page: str


@dataclass(frozen=True, slots=True)
class FeedbackPage:
    """Everything on the page; what is not to be told is empty."""

    cohort: Text
    assessment: Text
    version: Text
    candidate: Text
    made_at: Text
    answer: Answer
    skills: tuple[SkillRow, ...]
    undecided: bool
    received: tuple[ReceivedRow, ...]
    earlier: str
    linked: bool


def feedback(
    cohort_title: str, candidate: Candidate, assessment: Assessment, pages: Mapping[str, str], made_at: str
) -> str:
    """The candidate's page as HTML.

    `pages` has the address of their page of each challenge, by its id, relative to this page. They are linked only
    where the assessment says so. `made_at` is RFC 3339, UTC. Raises ValueError for an address that is not relative.
    """
    tells = _TELLS[assessment.feedback]
    skills = tuple(_skills(candidate)) if "skills" in tells else ()
    links = pages if "pages" in tells else {}
    received = tuple(_received(candidate, assessment, links))
    view = FeedbackPage(
        cohort=shown(cohort_title, 240),
        assessment=shown(assessment.title, 240),
        version=shown(assessment.version, 40),
        candidate=shown(candidate.name, 600),
        made_at=shown(wording.moment(made_at), 60),
        answer=_standing(candidate) if "standing" in tells else _receipt(candidate),
        skills=skills,
        undecided=bool(skills) and any(points.undecided for points in skill_points(candidate).values()),
        received=received,
        earlier=wording.count(candidate.superseded, "earlier submission") if candidate.superseded else "",
        linked=any(row.page for row in received),
    )
    return rendered("feedback.html.j2", ("report.css",), page=view)


def _receipt(candidate: Candidate) -> Answer:
    """That it was graded, and no more."""
    if not candidate.graded:
        return _UNFINISHED
    return Answer(
        "plain",
        "\u2713",
        "Received and graded",
        "This assessment tells no results. You hear from the people who invited you.",
    )


_UNFINISHED: Final = Answer(
    "plain", "\u2026", "Not finished", "What you handed in is safe, and not all of it is graded yet."
)


def _standing(candidate: Candidate) -> Answer:
    if not candidate.graded:
        return _UNFINISHED
    match candidate.result.standing:
        case Standing.PASSED:
            return Answer("passed", "\u2713", "Passed", "What you handed in reaches the mark of this assessment.")
        case Standing.NOT_PASSED:
            return Answer(
                "failed", "\u2717", "Not passed", "What you handed in does not reach the mark of this assessment."
            )
        case Standing.TOO_CLOSE:
            return Answer(
                "open",
                "?",
                "Too close to call",
                "The result is too near the mark to be certain of it: a person decides.",
            )
        case other:
            assert_never(other)


def _skills(candidate: Candidate) -> Iterator[SkillRow]:
    for skill, points in list(skill_points(candidate).items())[:_MOST_ROWS]:
        yield SkillRow(
            name=skill_name(skill),
            share=_share(share_range(points)),
            earned_width=bar_width(points.earned, points.possible),
            undecided_width=bar_width(points.undecided, points.possible),
        )


def _share(share: ShareRange) -> str:
    low, high = wording.percent(share.low), wording.percent(share.high)
    return low if low == high else f"{low.removesuffix('%')}\u2013{high}"


def _received(candidate: Candidate, assessment: Assessment, pages: Mapping[str, str]) -> Iterator[ReceivedRow]:
    """The submissions that count, in the assessment's order."""
    for part in assessment.parts[:_MOST_ROWS]:
        submission = candidate.submissions.get(part.challenge)
        if submission is None:
            continue
        card = submission.scorecard
        title = card.challenge.title if card and card.challenge.title else part.challenge
        yield ReceivedRow(
            challenge=shown(title, 240),
            received_at=shown(wording.moment(submission.received_at), 60),
            digest=shown(submission.digest, 80),
            page=_address(pages[part.challenge]) if card and part.challenge in pages else "",
        )


def _address(page: str) -> str:
    """A relative address, so that no page can lead elsewhere; whatever else a file's name holds is escaped."""
    if not page or page.startswith("/") or ".." in page.split("/"):
        raise ValueError(f"{page!r} is no address relative to the page")
    # Quoting also takes the colon, without which there is no scheme.
    return quote(page, errors="surrogateescape")
