"""Labels that people give: names of candidates and criteria. What one must be, and which one was meant."""

import difflib
import re
import unicodedata
from collections.abc import Collection
from typing import Final

from runner.reports.text import shown, visible

LONGEST: Final = 200
"""Characters."""
_NAMED: Final = 10


def label(text: str) -> str:
    """The label in one spelling: two that look the same are the same, whichever system wrote them."""
    return unicodedata.normalize("NFC", text.strip())


def label_problem(text: str) -> str | None:
    """What is wrong with a label, and the fix; None for a good one."""
    if not text:
        return "is empty; give a name"
    if len(text) > LONGEST:
        return f"has {len(text):,} characters; {LONGEST} are the most"
    if visible(text) != text:
        return f"{quoted(text)} holds characters that hide, reorder or control text; spell it without them"
    return None


def nearest(text: str, known: Collection[str]) -> str:
    """The fix for a name that is not known: the likeliest one, or all where they are few."""
    close = difflib.get_close_matches(text[:LONGEST], known, n=1)
    if close:
        return f"did you mean {quoted(close[0])}?"
    if not known:
        return "there are none"
    some = ", ".join(quoted(each) for each in sorted(known, key=natural)[:_NAMED])
    return f"there are: {some}" if len(known) <= _NAMED else f"there are {len(known):,}, such as {some}"


def quoted(text: str) -> str:
    """A text from outside as part of a sentence: bounded, and on one line."""
    return f"'{shown(text, LONGEST).text}'"


def natural(text: str) -> tuple[tuple[tuple[bool, int, str], ...], str]:
    """A key that sorts as people do: 'ann 9' before 'Ann 10', and the same order every time."""
    pieces = re.findall(r"[0-9]+|[^0-9]+", text)
    # Few digits are a number; more would be one that takes long to read, and int() refuses very long ones.
    numbers = (piece.isdecimal() and len(piece) <= 18 for piece in pieces)
    return tuple((not n, int(p) if n else 0, p.casefold()) for p, n in zip(pieces, numbers, strict=True)), text
