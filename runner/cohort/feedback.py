"""What candidates are told once it is over: a page each, as much as the assessment says, nothing hidden.

<out>/<candidate>-<digits>/
  index.html              their standing, or skills, or only that it was graded
  <challenge>.html        the candidate's copy of a report, where the assessment gives it
"""

import hashlib
from pathlib import Path

from assessments.assessment import Feedback
from assessments.cohort import Candidate
from assessments.errors import InfrastructureError, UsageError
from runner.cohort.pages import Standing, scorecard_of, sources_of, standing_of
from runner.reports.feedback import feedback
from runner.reports.html import Audience, render
from runner.results import slug
from runner.store.audit import now
from runner.store.cohorts import Kept
from runner.store.store import Store


def write_feedback(store: Store, kept: Kept, out: Path) -> int:
    """Write every candidate's page; gives how many. Raises UsageError while something is not graded yet."""
    standing = standing_of(store, kept)
    open_still = [candidate.name for candidate in standing.candidates if not candidate.graded]
    if open_still:
        names = ", ".join(open_still[:5])
        raise UsageError(
            f"{len(open_still)} candidates are not graded yet ({names}); grade them before anybody is told"
        )
    try:
        for candidate in standing.candidates:
            _write_one(store, standing, candidate, out / _folder(candidate.name))
    except OSError as error:
        raise InfrastructureError(f"{out}: could not be written: {error.strerror}") from error
    return len(standing.candidates)


def _folder(name: str) -> str:
    """Of this candidate and no other, though two labels may come to the same slug; and the same one every time, so
    that nobody's page of an earlier day stands beside today's.
    """
    return f"{slug(name)}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _write_one(store: Store, standing: Standing, candidate: Candidate, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    assessment = standing.kept.cohort.assessment
    pages = {}
    for challenge, one in candidate.submissions.items() if assessment.feedback is Feedback.PAGE else ():
        if one.scorecard:
            card = scorecard_of(store, one.scorecard)
            sources = sources_of(store, standing.kept, one, card)
            pages[challenge] = f"{challenge}.html"
            (folder / pages[challenge]).write_text(render(card, sources, Audience.CANDIDATE), "utf-8")
    page = feedback(assessment.title, candidate, assessment, pages, now())
    (folder / "index.html").write_text(page, "utf-8")
