"""The only links that a page of a cohort may have: to a page of Assay's own that lies near it."""

import re
from collections.abc import Mapping
from typing import Final

_NEAR: Final = re.compile(r"(?:\.\./){0,8}[\w.~%-]+(?:/[\w.~%-]+)*", re.ASCII)
"""A relative path. It has no colon, so it names no scheme; it begins with no slash, so it names no host."""
_LONGEST: Final = 200


def near(href: str) -> str:
    """The address itself where it is a short relative path, else nothing, which makes no link."""
    return href if len(href) <= _LONGEST and _NEAR.fullmatch(href) else ""


def report_of(scorecard: str | None, links: Mapping[str, str]) -> str:
    """Where the report of a scorecard lies; empty where there is none."""
    return near(links.get(scorecard, "")) if scorecard else ""
