"""What a submission changed against the starter: a status for each file, and hunks of lines with context."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from typing import Final

from runner.reports.source import decoded
from runner.reports.text import weight

_CONTEXT: Final = 3
_MOST_LINES: Final = 4_000
_MOST_BYTES: Final = 400_000
_LONGEST_LINE: Final = 400
_LINE_BYTES: Final = len('<span class="add">+</span>\n')


class Change(StrEnum):
    """How a file stands against the starter."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


class Kind(StrEnum):
    """A line of a difference. The values are the classes in the page."""

    SAME = "same"
    ADDED = "add"
    REMOVED = "del"


SIGNS: Final = {Kind.SAME: " ", Kind.ADDED: "+", Kind.REMOVED: "-"}


@dataclass(frozen=True, slots=True)
class DiffLine:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """Neighbouring changes with the lines around them. Line numbers count from 1."""

    starter_line: int
    submitted_line: int
    lines: tuple[DiffLine, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """One file against the starter; `reason` says why there are no hunks where one would expect some."""

    path: str
    change: Change
    added: int = 0
    removed: int = 0
    hunks: tuple[Hunk, ...] = ()
    reason: str = ""
    binary: bool = False


def changes(submitted: Mapping[str, bytes], starter: Mapping[str, bytes]) -> tuple[FileChange, ...]:
    """Every file of either side, changed ones first, then added, removed and unchanged ones, each by path."""
    found = [_change(path, submitted.get(path), starter.get(path)) for path in {*submitted, *starter}]
    order = (Change.CHANGED, Change.ADDED, Change.REMOVED, Change.UNCHANGED)
    return tuple(sorted(found, key=lambda file: (order.index(file.change), file.path)))


def hunks(before: Sequence[str], after: Sequence[str]) -> tuple[Hunk, ...]:
    """The hunks that lead from one list of lines to another, three lines of context around each."""
    groups = SequenceMatcher(None, before, after).get_grouped_opcodes(_CONTEXT)
    return tuple(_hunk(group, before, after) for group in groups)


def fitting(file: FileChange, limit_bytes: int) -> tuple[tuple[Hunk, ...], int]:
    """The file's first lines of difference that fit in `limit_bytes` of the page, and how many lines are left out."""
    kept = []
    left = limit_bytes
    for hunk in file.hunks:
        lines = []
        for line in hunk.lines:
            left -= line_weight(line)
            if left < 0:
                break
            lines.append(line)
        if lines:
            kept.append(Hunk(hunk.starter_line, hunk.submitted_line, tuple(lines)))
        if left < 0:
            break
    missing = sum(len(hunk.lines) for hunk in file.hunks) - sum(len(hunk.lines) for hunk in kept)
    return tuple(kept), missing


def line_weight(line: DiffLine) -> int:
    """The bytes a line takes in the page."""
    return _LINE_BYTES + weight(line.text)


def _change(path: str, submitted: bytes | None, starter: bytes | None) -> FileChange:
    change = _kind_of_change(submitted, starter)
    if any(b"\0" in content for content in (submitted, starter) if content):
        return FileChange(path, change, reason="not text", binary=True)
    if change is Change.CHANGED:
        return _compared(path, submitted or b"", starter or b"")
    return FileChange(
        path,
        change,
        added=_count_lines(submitted or b"") if change is Change.ADDED else 0,
        removed=_count_lines(starter or b"") if change is Change.REMOVED else 0,
    )


def _kind_of_change(submitted: bytes | None, starter: bytes | None) -> Change:
    if submitted is None:
        return Change.REMOVED
    if starter is None:
        return Change.ADDED
    return Change.UNCHANGED if submitted == starter else Change.CHANGED


def _compared(path: str, submitted: bytes, starter: bytes) -> FileChange:
    # Before decoding, which takes its time too.
    if len(submitted) + len(starter) > _MOST_BYTES:
        return FileChange(path, Change.CHANGED, reason="too large to compare line by line")
    if _count_lines(submitted) + _count_lines(starter) > _MOST_LINES:
        return FileChange(path, Change.CHANGED, reason="too many lines to compare")
    old, new = _split(decoded(starter)), _split(decoded(submitted))
    found = hunks(old, new)
    kinds = [line.kind for hunk in found for line in hunk.lines]
    reason = "" if found else "only line ends differ"
    return FileChange(path, Change.CHANGED, kinds.count(Kind.ADDED), kinds.count(Kind.REMOVED), found, reason)


def _hunk(group: Iterable[tuple[str, int, int, int, int]], before: Sequence[str], after: Sequence[str]) -> Hunk:
    group = list(group)
    lines: list[DiffLine] = []
    for tag, old, old_end, new, new_end in group:
        if tag == "equal":
            lines += [_line(Kind.SAME, text) for text in after[new:new_end]]
        else:
            lines += [_line(Kind.REMOVED, text) for text in before[old:old_end]]
            lines += [_line(Kind.ADDED, text) for text in after[new:new_end]]
    return Hunk(group[0][1] + 1, group[0][3] + 1, tuple(lines))


def _line(kind: Kind, text: str) -> DiffLine:
    rest = len(text) - _LONGEST_LINE
    return DiffLine(kind, f"{text[:_LONGEST_LINE]} [{rest:,} characters more]" if rest > 0 else text)


def _split(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n") if text else []


def _count_lines(content: bytes) -> int:
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
