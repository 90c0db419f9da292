"""What all pages share: one style, a policy that allows it and nothing else, and templates that escape everything.

Three things keep a submission's words inert, each enough by itself: a template escapes everything that is not its
own, no script is made from any value, and the policy in the page lets it load and run nothing. The one style is
allowed by its hash.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

_STYLE: Final = "report.css"


def fill(template: str, view: object) -> str:
    """The page that a template of `templates/` makes of a view, which it knows as `page`."""
    # The style is ours: the one value that is not escaped.
    return _template(template).render(page=view, style=Markup(style()), policy=_policy(style()))  # noqa: S704


@cache
def style() -> str:
    """The style sheet of every page."""
    return _read(_STYLE)


def _policy(allowed: str) -> str:
    """A Content-Security-Policy that allows exactly this style, and nothing else at all."""
    digest = base64.b64encode(hashlib.sha256(allowed.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def _template(name: str) -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(_read(name))


def _read(name: str) -> str:
    return (files("runner.reports") / "templates" / name).read_text("utf-8")
