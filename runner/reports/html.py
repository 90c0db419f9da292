"""The page an interviewer reads, and the candidate's copy: one HTML text that needs nothing else.

    scorecard, sources -> view.page (pure) -> templates/report.html.j2 -> text

Three things keep a submission's words inert, each enough by itself: the template escapes everything that is not its
own, no script or link is made from any value, and the policy in the page lets it load and run nothing. The one style
is allowed by its hash.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from assessments.scorecard import Scorecard
from runner.reports.budget import PAGE_BYTES, Budget
from runner.reports.document import for_candidate
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
    style = _style()
    view = page(scorecard, sources, audience, budget)
    # The style is ours: the one value that is not escaped.
    return _template().render(page=view, style=Markup(style), policy=_policy(style))  # noqa: S704


def _policy(style: str) -> str:
    """A Content-Security-Policy that allows exactly this style, and nothing else at all."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _style() -> str:
    return _read("report.css")


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read("report.html.j2"))


def _read(name: str) -> str:
    return (files("runner.reports") / "templates" / name).read_text("utf-8")
