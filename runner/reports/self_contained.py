"""One HTML text that needs nothing else: a template, the styles it wears, and the one script it may run.

A page's policy allows its style and its script by their hashes, and nothing else at all: whatever else got into a
page could not run, load or restyle anything. A page without a script runs none.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup


def rendered(template: str, styles: Sequence[str], script: str = "", **values: object) -> str:
    """Render a template of `templates/` with files of the same folder. Everything in `values` is escaped."""
    style, code = "".join(map(_read, styles)), _read(script) if script else ""
    # The style and the script are ours: the two values that are not escaped.
    ours = {"style": Markup(style), "script": Markup(code)}  # noqa: S704
    return _environment().get_template(template).render(**values, **ours, policy=policy(style, code))


def policy(style: str, script: str = "") -> str:
    """A Content-Security-Policy that allows exactly this style and this script, and nothing else at all."""
    allowed = f"style-src {_source(style)}; base-uri 'none'; form-action 'none'"
    if not script:
        return f"default-src 'none'; {allowed}"
    # The script changes the page through nodes alone; markup made from text is refused even to itself.
    return f"default-src 'none'; script-src {_source(script)}; {allowed}; require-trusted-types-for 'script'"


def _source(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FunctionLoader(_read),
    )


@cache
def _read(name: str) -> str:
    return (files("runner.reports") / "templates" / name).read_text("utf-8")
