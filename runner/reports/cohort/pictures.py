"""A cohort's two pictures: how shares are distributed about the mark, and budgets against their limits."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from assessments.assessment import PassMark
from assessments.cohort import Candidate
from runner.reports import wording
from runner.reports.axes import axes
from runner.reports.cohort.slowest import Measured, measured
from runner.reports.drawing import Chart, Frame, Path, Rect, Scale, cross, dot, keys, label, line, linear_ticks, rect
from runner.reports.series import thinned
from runner.reports.text import Text, shown

_BINS: Final = 20
_WIDTH: Final = 460
_ROW: Final = 38
_FARTHEST: Final = 8.0
"""How far from its limit, as a factor either way, a budget is drawn; what is farther stands at the edge."""
_MOST_DOTS: Final = 80


def distribution(candidates: Sequence[Candidate], mark: PassMark) -> Chart:
    """How many candidates have which share for certain, in steps of five points in a hundred."""
    frame = Frame(left=40, top=46, right=446, bottom=206)
    decided, open_ = [0] * _BINS, [0] * _BINS
    for candidate in candidates:
        share = candidate.result.share
        (decided if share.high - share.low < 1e-9 else open_)[_bin(share.low)] += 1
    ticks = _whole_ticks(max(map(sum, zip(decided, open_, strict=True))))
    x, y = Scale(0.0, 1.0, frame.left, frame.right), Scale(0.0, ticks[-1], frame.bottom, frame.top)
    paths, labels = axes(frame, x, (0, 0.2, 0.4, 0.6, 0.8, 1.0), y, ticks, wording.percent, lambda tick: f"{tick:g}")
    low, high = max(mark.not_passed_below, 0.0), min(mark.passed_from, 1.0)
    rects = [rect("doubt", x.at(low), frame.top, x.at(high), frame.bottom)]
    rects += _columns("share", decided, [0] * _BINS, x, y) + _columns("maybe", open_, decided, x, y)
    paths.append(line("pass", x.at(mark.share), frame.top - 4, x.at(mark.share), frame.bottom))
    words = f"mark {wording.percent(mark.share)}"
    labels.append(label("pass", x.at(mark.share), frame.top - 9, words, "end" if mark.share > 0.85 else "middle"))
    labels.append(label("axis", (frame.left + frame.right) / 2, 242, "share of the points, for certain", "middle"))
    rects += [
        rect("share", frame.left, 6, frame.left + 12, 16),
        rect("doubt", frame.left + 92, 6, frame.left + 104, 16),
    ]
    labels += [label("key", frame.left + 17, 15, "candidates"), label("key", frame.left + 109, 15, "too close to call")]
    if any(open_):
        rects.append(rect("maybe", frame.left + 222, 6, frame.left + 234, 16))
        labels.append(label("key", frame.left + 239, 15, "some checks undecided"))
    desc = _distribution_words(candidates, mark)
    return Chart("Shares of the points", desc, _WIDTH, 250, tuple(rects), tuple(paths), tuple(labels), "distribution")


def _columns(css: str, counts: Sequence[int], under: Sequence[int], x: Scale, y: Scale) -> list[Rect]:
    return [
        rect(css, x.at(at / _BINS) + 1, y.at(below + count), x.at((at + 1) / _BINS) - 1, y.at(below))
        for at, (count, below) in enumerate(zip(counts, under, strict=True))
        if count
    ]


def _bin(share: float) -> int:
    return min(int(share * _BINS + 1e-9), _BINS - 1)


def _whole_ticks(high: int) -> tuple[float, ...]:
    """Ticks of a number of people: there is no half of one."""
    return linear_ticks(high) if high >= 5 else tuple(float(tick) for tick in range(max(high, 1) + 1))


def _distribution_words(candidates: Sequence[Candidate], mark: PassMark) -> str:
    shares = sorted(candidate.result.share.low for candidate in candidates)
    if not shares:
        return "No candidates."
    middle = wording.percent(shares[(len(shares) - 1) // 2])
    above = sum(share >= mark.share - 1e-9 for share in shares)
    return (
        f"{wording.count(len(shares), 'candidate')}: lowest {wording.percent(shares[0])}, middle {middle}, highest "
        f"{wording.percent(shares[-1])}. {above:,} reach the mark of {wording.percent(mark.share)} for certain."
    )


def budgets_against_limits(candidates: Sequence[Candidate], titles: Mapping[str, Text], most: int) -> Chart | None:
    """One line a budget, one mark a candidate: how near the limit, logarithmic. None where nothing was measured."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for each in measured(candidates):
        found[each.challenge, each.check].append(_held(each))
    if not found:
        return None
    rows = list(found.items())[:most]
    frame = Frame(left=14, top=40, right=446, bottom=40 + _ROW * len(rows))
    low, high = _range([value for _, values in rows for value in values])
    x, y = Scale(low, high, frame.left, frame.right, logarithmic=True), Scale(0.0, 1.0, frame.bottom, frame.top)
    ticks = [tick for tick in (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0) if low <= tick <= high]
    paths, labels = axes(frame, x, ticks, y, (), lambda tick: f"{tick:.3g}", str)
    paths.append(line("limit", x.at(1), frame.top - 6, x.at(1), frame.bottom))
    for at, ((challenge, check), values) in enumerate(rows):
        middle = frame.top + at * _ROW + 26
        paths.append(line("grid", frame.left, frame.top + (at + 1) * _ROW, frame.right, frame.top + (at + 1) * _ROW))
        over = sum(value > 1 for value in values)
        labels.append(
            label("step halo", frame.left + 2, frame.top + at * _ROW + 11, _row_words(challenge, check, titles))
        )
        labels.append(
            label("step halo", frame.right, frame.top + at * _ROW + 11, f"{over:,} of {len(values):,} over", "end")
        )
        paths += _dots(values, x, middle)
    entries = [("candidate", "dot", "a candidate, within"), ("fails", "cross", "over"), ("limit", "line", "the limit")]
    key_paths, key_labels = keys(entries, frame.left, 14)
    words = "times the limit, logarithmic"
    labels.append(label("axis", (frame.left + frame.right) / 2, frame.bottom + 34, words, "middle"))
    size = int(frame.bottom + 42)
    desc = _strip_words(rows, len(found) - len(rows))
    shapes = (*paths, *key_paths), (*labels, *key_labels)
    return Chart("Measured budgets against their limits", desc, _WIDTH, size, (), *shapes, "budgets")


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


def _strip_words(rows: Sequence[tuple[tuple[str, str], Sequence[float]]], more: int) -> str:
    words = [
        f"{shown(check, 44).text}: {sum(value > 1 for value in values):,} of {len(values):,} over the limit, "
        f"the slowest at {max(values):.3g} times it."
        for (_, check), values in rows
    ]
    rest = f" {wording.count(more, 'more budget')} left out." if more > 0 else ""
    return f"How many times its limit each candidate's figure is. {' '.join(words)}{rest}"
