"""Where two submissions are the same, line by line and side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from runner.insights.similarity import Match
from runner.reports import wording
from runner.reports.cohort.room import left_out
from runner.reports.cohort.terms import name_of
from runner.reports.self_contained import rendered
from runner.reports.source import Line, decoded, highlighted, line_weight
from runner.reports.text import Text, share, shown

_SOURCE_BYTES: Final = 240_000
"""Of all source on the page, escaped."""
_MOST_MATCHES: Final = 80
_MOST_LINES: Final = 200
"""Of one match on one side."""
_WHOLE_BYTES: Final = 100_000
"""Files up to this are read whole for their colours; of larger ones the matching lines alone."""
_FILE_BYTES: Final = 4_000_000
"""No more of a file is looked at."""


@dataclass(frozen=True, slots=True)
class NumberedLine:
    number: int
    spans: Line


@dataclass(frozen=True, slots=True)
class SideView:
    path: Text
    lines_of: str
    lines: tuple[NumberedLine, ...]
    note: str


@dataclass(frozen=True, slots=True)
class MatchView:
    number: int
    sides: tuple[SideView, SideView]


def render_similarity(
    first_name: str,
    second_name: str,
    challenge: str,
    alike: float,
    matches: Sequence[Match],
    first: Mapping[str, bytes],
    second: Mapping[str, bytes],
    made_at: str,
) -> str:
    """Render the page. `alike` is the share, 0 to 1; `first` and `second` are the two submissions' files by path.

    What does not fit is cut, longest matches least, and the page says so.
    """
    kept = sorted(matches, key=lambda match: -_length(match))[:_MOST_MATCHES]
    return rendered(
        "similarity.html.j2",
        ("report.css", "cohort.css"),
        names=(name_of(first_name), name_of(second_name)),
        challenge=shown(challenge, 120),
        alike=wording.percent(alike),
        lines=wording.count(sum(map(_length, matches)), "line"),
        places=wording.count(len(matches), "place"),
        made_at=shown(wording.moment(made_at), 60),
        matches=_match_views(kept, first, second),
        note_of_rest=left_out(len(matches) - len(kept), "place"),
    )


def _length(match: Match) -> int:
    return max(match.first_end - match.first_start + 1, 0)


def _match_views(
    matches: Sequence[Match], first: Mapping[str, bytes], second: Mapping[str, bytes]
) -> tuple[MatchView, ...]:
    here, there = _Excerpts(first), _Excerpts(second)
    ranges = [
        (
            here.lines(match.first_path, match.first_start, match.first_end),
            there.lines(match.second_path, match.second_start, match.second_end),
        )
        for match in matches
    ]
    wanted = [sum(line_weight(line.spans) for side in pair for line in side) for pair in ranges]
    return tuple(
        MatchView(
            at + 1,
            (
                _side(match.first_path, match.first_start, match.first_end, lines[0], room // 2),
                _side(match.second_path, match.second_start, match.second_end, lines[1], room // 2),
            ),
        )
        for at, (match, lines, room) in enumerate(
            zip(matches, ranges, share([2 * each for each in wanted], _SOURCE_BYTES), strict=True)
        )
    )


def _side(path: str, start: int, end: int, lines: Sequence[NumberedLine], limit_bytes: int) -> SideView:
    kept: list[NumberedLine] = []
    for line in lines:
        limit_bytes -= line_weight(line.spans)
        if limit_bytes < 0:
            break
        kept.append(line)
    missing = max(end - start + 1, 0) - len(kept)
    return SideView(
        path=shown(path, 160),
        lines_of=f"lines {start:,} to {end:,}" if end > start else f"line {start:,}",
        lines=tuple(kept),
        note=f"cut: {wording.count(missing, 'more line')} not shown" if missing > 0 else "",
    )


class _Excerpts:
    """Lines of one submission's files, coloured, each file read once."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._text: dict[str, list[str]] = {}
        self._coloured: dict[str, tuple[Line, ...]] = {}

    def lines(self, path: str, start: int, end: int) -> list[NumberedLine]:
        """The lines from `start` to `end`, at most so many; fewer where the file has no such lines."""
        text = self._lines_of(path)
        start, end = max(start, 1), min(end, len(text), max(start, 1) + _MOST_LINES - 1)
        if start > end:
            return []
        whole = sum(map(len, text)) <= _WHOLE_BYTES
        coloured = self._whole(path)[start - 1 : end] if whole else highlighted(path, "\n".join(text[start - 1 : end]))
        return [NumberedLine(start + at, line) for at, line in enumerate(coloured)]

    def _lines_of(self, path: str) -> list[str]:
        if path not in self._text:
            text = decoded(self._files.get(path, b"")[:_FILE_BYTES]).removesuffix("\n")
            self._text[path] = text.split("\n") if text else []
        return self._text[path]

    def _whole(self, path: str) -> tuple[Line, ...]:
        if path not in self._coloured:
            self._coloured[path] = highlighted(path, "\n".join(self._lines_of(path)))
        return self._coloured[path]
