"""Every measured budget against its limit, as a picture: one line a budget, one mark a candidate."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from assessments.cohort import Candidate
from runner.reports import wording
from runner.reports.axes import axes
from runner.reports.cohort.slowest import Measured, measured
from runner.reports.drawing import Chart, Frame, Label, Path, Scale, cross, dot, keys, label, line
from runner.reports.series import thinned
from runner.reports.text import Text, shown

_WIDTH: Final = 460
_LEFT: Final = 14
_RIGHT: Final = 446
_TOP: Final = 40
_ROW: Final = 38
_FARTHEST: Final = 8.0
"""How far from its limit, as a factor either way, a budget is drawn; what is farther stands at the edge."""
_MOST_DOTS: Final = 80
_TICKS: Final = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)

_Row = tuple[tuple[str, str], list[float]]
"""A budget, by challenge and check, and how many times its limit each candidate's figure is."""


def budgets_against_limits(candidates: Sequence[Candidate], titles: Mapping[str, Text], most: int) -> Chart | None:
    """How near the limits the candidates are, on a logarithmic scale. None where nothing was measured."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in measured(candidates):
        found[each.challenge, each.check].append(_held(each))
    if not found:
        return None
    rows = list(found.items())[:most]
    frame = Frame(_LEFT, _TOP, _RIGHT, _TOP + _ROW * len(rows))
    low, high = _range([value for _, values in rows for value in values])
    x, y = Scale(low, high, frame.left, frame.right, logarithmic=True), Scale(0.0, 1.0, frame.bottom, frame.top)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    paths, labels = axes(frame, x, ticks, y, (), lambda tick: f"{tick:.3g}", str)
    paths.append(line("limit", x.at(1), frame.top - 6, x.at(1), frame.bottom))
    for at, row in enumerate(rows):
        more_paths, more_labels = _line_of(row, frame.top + at * _ROW, x, titles)
        paths += more_paths
        labels += more_labels
    entries = [("candidate", "dot", "a candidate, within"), ("fails", "cross", "over"), ("limit", "line", "the limit")]
    key_paths, key_labels = keys(entries, frame.left, 14)
    left_out = f"; {wording.count(len(found) - len(rows), 'more budget')} left out" if len(found) > len(rows) else ""
    words = f"times the limit, logarithmic{left_out}"
    labels.append(label("axis", (frame.left + frame.right) / 2, frame.bottom + 34, words, "middle"))
    shapes = (*paths, *key_paths), (*labels, *key_labels)
    size = int(frame.bottom + 42)
    return Chart("Measured budgets against their limits", _words(rows), _WIDTH, size, (), *shapes, "budgets")


def _line_of(row: _Row, top: float, x: Scale, titles: Mapping[str, Text]) -> tuple[list[Path], list[Label]]:
    (challenge, check), values = row
    over = sum(value > 1 for value in values)
    paths = [line("grid", _LEFT, top + _ROW, _RIGHT, top + _ROW), *_dots(values, x, top + 26)]
    labels = [
        label("step halo", _LEFT + 2, top + 11, _row_words(challenge, check, titles)),
        label("step halo", _RIGHT, top + 11, f"{over:,} of {len(values):,} over", "end"),
    ]
    return paths, labels


def _dots(values: Sequence[float], x: Scale, middle: float) -> list[Path]:
    """At most so many marks a line, the nearest to the limit and the farthest among them; crosses beyond the limit."""
    within, over = [], []
    for at, value in enumerate(thinned(sorted(values), _MOST_DOTS)):
        # In turns above, on and below the line, so that equal figures can be told apart.
        height = middle + (at % 3 - 1) * 2.5
        if value <= 1:
            within.append(dot(x.at(value), height, 2.4))
        else:
            over.append(cross(x.at(value), height, 2.4))
    drawn = (("candidate glyph", within), ("fails glyph", over))
    return [Path(css, "".join(shapes)) for css, shapes in drawn if shapes]


def _held(each: Measured) -> float:
    value = each.against_limit
    return min(max(value, 1 / _FARTHEST), _FARTHEST) if math.isfinite(value) else _FARTHEST


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Ends that hold all values and the limit, with a factor of two on both of its sides at the least."""
    return max(min([*values, 0.5]) * 0.95, 0.1), min(max([*values, 2.0]) * 1.05, 9.0)


def _row_words(challenge: str, check: str, titles: Mapping[str, Text]) -> str:
    name = shown(check, 44).text
    return f"{name}, {titles[challenge].text[:34]}" if len(titles) > 1 and challenge in titles else name


def _words(rows: Sequence[_Row]) -> str:
    words = [
        f"{shown(check, 44).text}: {sum(value > 1 for value in values):,} of {len(values):,} over the limit, "
        f"the slowest at {max(values):.3g} times it."
        for (_, check), values in rows
    ]
    many = max(len(values) for _, values in rows) > _MOST_DOTS
    drawn = f" At most {_MOST_DOTS} candidates a line are drawn, evenly chosen." if many else ""
    return f"How many times its limit each candidate's figure is. {' '.join(words)}{drawn}"
