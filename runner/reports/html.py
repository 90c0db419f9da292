"""The page an interviewer reads, and the candidate's copy: one HTML text that needs nothing else.

    scorecard, sources -> view.page (pure) -> templates/report.html.j2 -> text

Three things keep a submission's words inert, each enough by itself: the template escapes everything that is not its
own, no script or link is made from any value, and the policy in the page lets it load and run nothing
(`self_contained`).
"""

from assessments.scorecard import Scorecard
from runner.reports.budget import PAGE_BYTES, Budget
from runner.reports.document import for_candidate
from runner.reports.self_contained import rendered
from runner.reports.view import Audience, Sources, page

__all__ = ["Audience", "Sources", "render"]


def render(scorecard: Scorecard, sources: Sources, audience: Audience) -> str:
    """Render a scorecard as one page of less than `PAGE_BYTES` bytes of UTF-8.

    What does not fit is cut, and the page says what and how much. A candidate gets the copy that `for_candidate`
    makes, whatever was given.
    """
    if audience is Audience.CANDIDATE:
        scorecard = for_candidate(scorecard)
    scale = 1.0
    text = _render(scorecard, sources, audience, Budget())
    # Nearly every page is small enough at once. What is not scaled is a fifth of the bound, so this comes to an end.
    while (size := len(text.encode())) >= PAGE_BYTES:
        scale *= 0.9 * PAGE_BYTES / size
        text = _render(scorecard, sources, audience, Budget().scaled(scale))
    return text


def _render(scorecard: Scorecard, sources: Sources, audience: Audience, budget: Budget) -> str:
    return rendered("report.html.j2", ("report.css",), page=page(scorecard, sources, audience, budget))
