"""Untrusted text made fit to look at: bounded, and with nothing in it that hides, reorders or controls.

Escaping for HTML is the template's work and happens to everything. What is done here is for the reader's eye:
a right-to-left override, a zero-width space or a terminal's escape sequence is shown as `\\u202e`, `\\u200b`, `\\x1b`.
Limits count the bytes that a text takes in the page once it is escaped, so that a page can keep a bound of its own.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_SUSPECT: Final = re.compile(r"[^\n\t -~]+")
_MARKS_IN_A_ROW: Final = 3
"""Combining marks that one letter may carry; towers of them paint over the neighbouring lines."""
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that count as letters, marks or symbols and yet show nothing."""
_ESCAPED_BYTES: Final = {"&": 5, "<": 4, ">": 4, '"': 5, "'": 5}


@dataclass(frozen=True, slots=True)
class Text:
    """Text ready to be shown. `note` says what was left out, and is empty when nothing was."""

    text: str
    note: str = ""


def visible(text: str, *, lines: bool = False) -> str:
    """Write every character that would not be seen as itself as an escape.

    With `lines`, line feeds and tabs keep their meaning, and CR LF counts as a line feed.
    """
    if lines:
        return _SUSPECT.sub(_visible_run, text.replace("\r\n", "\n"))
    return _SUSPECT.sub(_visible_run, text).replace("\n", "\\n").replace("\t", "\\t")


def shown(text: str, limit_bytes: int, *, lines: bool = False) -> Text:
    """Show the beginning of a text, in at most `limit_bytes` of the page."""
    ready, used = _head(text, limit_bytes, lines=lines)
    if used == len(text):
        return Text(ready)
    return Text(ready, f"cut: the first {used:,} of {len(text):,} characters are shown")


def ends(text: str, limit_bytes: int) -> tuple[Text, Text]:
    """Show the beginning and the end of a log, the end at more length, for that is where an error stands.

    The second text is empty when the first holds everything; its note says what is missing in between.
    """
    whole, used = _head(text, limit_bytes, lines=True)
    if used == len(text):
        return Text(whole), Text("")
    head, head_used = _head(text, limit_bytes // 3, lines=True)
    tail, tail_used = _head(text[head_used:][::-1], limit_bytes - limit_bytes // 3, lines=True, backwards=True)
    missing = len(text) - head_used - tail_used
    return Text(head), Text(tail, f"cut: {missing:,} characters in the middle are left out")


def weight(text: str) -> int:
    """The bytes a text takes in the page: escaped, in UTF-8."""
    return len(text.encode("utf-8", "replace")) + sum(
        (extra - 1) * text.count(character) for character, extra in _ESCAPED_BYTES.items()
    )


def share(wanted: Sequence[int], total: int) -> tuple[int, ...]:
    """Divide `total` among parts that want so much each: small ones get all, large ones the same (max-min fair)."""
    given = [0] * len(wanted)
    left = max(total, 0)
    smallest_first = sorted(range(len(wanted)), key=lambda index: wanted[index])
    for place, index in enumerate(smallest_first):
        given[index] = min(wanted[index], left // (len(wanted) - place))
        left -= given[index]
    return tuple(given)


def _head(text: str, limit_bytes: int, *, lines: bool, backwards: bool = False) -> tuple[str, int]:
    """The longest beginning within the limit, made visible, and how many characters of `text` it is.

    `backwards`: `text` is reversed; the answer reads forwards again.
    """
    candidate = text[: max(limit_bytes, 0)]
    while True:
        ready = visible(candidate[::-1] if backwards else candidate, lines=lines)
        excess = weight(ready) - limit_bytes
        if excess <= 0 or not candidate:
            return ready, len(candidate)
        # No character takes more than ten bytes, so a tenth of the excess can always go.
        candidate = candidate[: len(candidate) - max(excess // 10, 1)]


def _visible_run(found: re.Match[str]) -> str:
    marks = 0
    parts = []
    for character in found.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        parts.append(_escape(character) if marks > _MARKS_IN_A_ROW else _visible_character(character))
    return "".join(parts)


@lru_cache(maxsize=4096)
def _visible_character(character: str) -> str:
    """The character itself if it is a letter, mark, number, punctuation mark or symbol that can be seen."""
    code = ord(character)
    selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x180B <= code <= 0x180F
    seen = unicodedata.category(character)[0] in "LMNPS" and character not in _BLANK_LETTERS and not selector
    return character if seen else _escape(character)


def _escape(character: str) -> str:
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
