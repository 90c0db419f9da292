"""The submission's files: how each stands against the starter, the differences, and the source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from assessments.submission import Submission
from runner.reports import wording
from runner.reports.budget import Budget
from runner.reports.changes import SIGNS, Change, FileChange, Hunk, changes, fitting
from runner.reports.changes import line_weight as diff_line_weight
from runner.reports.source import Line, decoded, highlighted
from runner.reports.source import line_weight as source_line_weight
from runner.reports.text import Text, share, shown

_Item = TypeVar("_Item")
_PATH_BYTES: Final = 200
_FRAME_BYTES: Final = 700
_SMALLEST_PART: Final = 400
_MARKS: Final = {Change.ADDED: "+", Change.CHANGED: "±", Change.REMOVED: "-", Change.UNCHANGED: "="}


@dataclass(frozen=True, slots=True)
class FileRow:
    path: Text
    mark: str
    change: str
    size: str
    lines: str


@dataclass(frozen=True, slots=True)
class LineView:
    css: str
    text: str


@dataclass(frozen=True, slots=True)
class HunkView:
    heading: str
    lines: tuple[LineView, ...]


@dataclass(frozen=True, slots=True)
class DiffView:
    path: Text
    summary: str
    hunks: tuple[HunkView, ...]
    note: str


@dataclass(frozen=True, slots=True)
class SourceView:
    path: Text
    summary: str
    lines: tuple[Line, ...]
    note: str


@dataclass(frozen=True, slots=True)
class FilesView:
    """All of it; notes say which files are only named, and why."""

    rows: tuple[FileRow, ...]
    rows_note: str
    diffs: tuple[DiffView, ...]
    diffs_note: str
    sources: tuple[SourceView, ...]
    sources_note: str


def files_view(
    submission: Submission, submitted: Mapping[str, bytes], starter: Mapping[str, bytes], budget: Budget
) -> FilesView:
    """Make the view. Files that are the starter's own, unchanged, are named but not printed again."""
    found = changes(submitted, starter)
    sizes = {file.path: file.size_bytes for file in submission.files}
    unread = [FileRow(*_named(path, size)) for path, size in sorted(sizes.items()) if path not in submitted]
    rows = [_row(file, sizes, submitted) for file in found[: budget.files]]
    rows += unread[: max(budget.files - len(rows), 0)]
    diffs, missing_diffs = _diffs([file for file in found if file.hunks], budget)
    own = [file.path for file in found if file.change in {Change.ADDED, Change.CHANGED} and not file.binary]
    own.sort(key=lambda path: not path.endswith(".py"))
    sources, missing_sources = _sources(own, submitted, budget)
    return FilesView(
        rows=tuple(rows),
        rows_note=_left_out(len(found) + len(unread) - len(rows)),
        diffs=diffs,
        diffs_note=_left_out(missing_diffs),
        sources=sources,
        sources_note=_left_out(missing_sources),
    )


def _named(path: str, size_bytes: int) -> tuple[Text, str, str, str, str]:
    return shown(path, _PATH_BYTES), "·", "not read", wording.size(size_bytes), ""


def _row(file: FileChange, sizes: Mapping[str, int], submitted: Mapping[str, bytes]) -> FileRow:
    size = sizes.get(file.path, len(submitted.get(file.path, b"")))
    return FileRow(
        path=shown(file.path, _PATH_BYTES),
        mark=_MARKS[file.change],
        change=file.change.value,
        size="" if file.change is Change.REMOVED else wording.size(size),
        lines=_lines(file) if file.change is not Change.UNCHANGED else "",
    )


def _lines(file: FileChange) -> str:
    return file.reason or f"+{file.added:,} -{file.removed:,}"


def _diffs(changed: Sequence[FileChange], budget: Budget) -> tuple[tuple[DiffView, ...], int]:
    changed, left_out = _as_many(changed, budget.diff_bytes)
    wanted = [
        _FRAME_BYTES + sum(diff_line_weight(line) for hunk in file.hunks for line in hunk.lines) for file in changed
    ]
    limits = share(wanted, budget.diff_bytes)
    return tuple(_diff(file, limit - _FRAME_BYTES) for file, limit in zip(changed, limits, strict=True)), left_out


def _diff(file: FileChange, limit_bytes: int) -> DiffView:
    kept, missing = fitting(file, limit_bytes)
    return DiffView(
        path=shown(file.path, _PATH_BYTES),
        summary=_lines(file),
        hunks=tuple(_hunk_view(hunk) for hunk in kept),
        note=f"cut: {wording.count(missing, 'more line')} of difference left out" if missing else "",
    )


def _hunk_view(hunk: Hunk) -> HunkView:
    return HunkView(
        heading=f"line {hunk.submitted_line:,} (line {hunk.starter_line:,} of the starter)",
        lines=tuple(LineView(line.kind.value, SIGNS[line.kind] + line.text) for line in hunk.lines),
    )


def _sources(
    paths: Sequence[str], submitted: Mapping[str, bytes], budget: Budget
) -> tuple[tuple[SourceView, ...], int]:
    paths, left_out = _as_many(paths, budget.source_bytes)
    # No byte of source takes less than one of the page, so no more is read than can be shown: lexers are slow.
    read = share([len(submitted[path]) for path in paths], budget.source_bytes)
    whole = [_source(path, submitted[path], most) for path, most in zip(paths, read, strict=True)]
    wanted = [_FRAME_BYTES + sum(map(source_line_weight, view.lines)) for view in whole]
    limits = share(wanted, budget.source_bytes)
    return tuple(_shortened(view, limit - _FRAME_BYTES) for view, limit in zip(whole, limits, strict=True)), left_out


def _source(path: str, content: bytes, read_bytes: int) -> SourceView:
    name, summary = shown(path, _PATH_BYTES), wording.size(len(content))
    text = decoded(content[:read_bytes])
    lines = highlighted(path, text) if text else ()
    total = content.count(b"\n") + (not content.endswith(b"\n") and bool(content))
    return SourceView(name, f"{wording.count(total, 'line')}, {summary}", lines, _cut_lines(total - len(lines)))


def _shortened(view: SourceView, limit_bytes: int) -> SourceView:
    kept = 0
    for line in view.lines:
        limit_bytes -= source_line_weight(line)
        if limit_bytes < 0:
            break
        kept += 1
    if kept == len(view.lines):
        return view
    return SourceView(view.path, view.summary, view.lines[:kept], f"cut: the first {wording.count(kept, 'line')} shown")


def _cut_lines(missing: int) -> str:
    return f"cut: {wording.count(missing, 'more line')} left out" if missing > 0 else ""


def _as_many(items: Sequence[_Item], total_bytes: int) -> tuple[Sequence[_Item], int]:
    """As many files as get a readable part of the bytes, and how many do not."""
    most = total_bytes // (_FRAME_BYTES + _SMALLEST_PART)
    return items[:most], max(len(items) - most, 0)


def _left_out(number: int) -> str:
    return f"{wording.count(number, 'more file')} left out to keep this page small" if number > 0 else ""
