"""The pictures of a measurement, as pure functions from its blocks to charts.

Every chart is bounded however long the measurement was, tells its series apart by dashes and marks as well as by
colour, and says its figures in words. Figures may be anything: none, infinite, zero, or of a document that somebody
has written by hand.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from runner.reports import captions, wording
from runner.reports.axes import axes, sequence_axis, shades
from runner.reports.drawing import (
    Chart,
    Frame,
    Label,
    Path,
    Scale,
    cross,
    curve,
    diamond,
    dot,
    keys,
    label,
    line,
    linear_ticks,
    log_range,
    log_ticks,
    rect,
    square,
)
from runner.reports.series import (
    LONGEST_S,
    MOST_POINTS,
    Answers,
    Interval,
    LimitMark,
    PairFigures,
    Turn,
    held_s,
    thinned,
)

_WIDTH: Final = 460
_HEIGHT: Final = 250
_FRAME: Final = Frame(left=52, top=30, right=438, bottom=206)
_MOST_BINS: Final = 120
_LETTER: Final = 6.6
"""About the width of a letter of a limit's bold type."""
_SHORTEST_S: Final = 1e-5
"""Where the logarithmic axes begin at the earliest; faster answers stand there."""


def latency_cdf(candidate: Answers, reference: Answers, limits: Sequence[LimitMark]) -> Chart:
    """The share of requests answered rightly within each time. A side that failed some never reaches 100%."""
    sides = (candidate, reference)
    marks = [mark for mark in limits if math.isfinite(mark.seconds)]
    seconds = [held_s(value) for side in sides for value in side.latencies_s]
    low, high = log_range([*seconds, *(held_s(mark.seconds) for mark in marks)], _SHORTEST_S)
    x = Scale(low, high, _FRAME.left, _FRAME.right, logarithmic=True)
    y = Scale(0.0, 1.0, _FRAME.bottom, _FRAME.top)
    paths, labels = axes(
        _FRAME, x, log_ticks(low, high), y, (0, 0.25, 0.5, 0.75, 1.0), wording.exact_seconds, wording.percent
    )
    for side, css in ((reference, "reference"), (candidate, "candidate")):
        if side.latencies_s:
            paths.append(curve(css, _cumulative(side, x, y)))
        if side.never:
            paths.append(Path(f"{css} fails glyph", cross(_FRAME.right, y.at(len(side.latencies_s) / side.asked))))
    entries = [("candidate", "line", "submission"), ("reference", "line", "reference")]
    if marks:
        entries.append(("limit", "diamond", "limit"))
    if any(side.never for side in sides):
        entries.append(("fails", "cross", "the rest: never"))
    more_paths, more_labels = keys(entries, _FRAME.left, 12)
    marked = _limit_marks(marks, x, y)
    labels.append(label("axis", (_FRAME.left + _FRAME.right) / 2, _HEIGHT - 8, "latency, logarithmic", "middle"))
    return Chart(
        "Latency: the share of requests answered rightly within",
        " ".join(
            (
                captions.of_shares("submission", candidate),
                captions.of_shares("reference", reference),
                *captions.of_limits(marks),
            )
        ),
        _WIDTH,
        _HEIGHT,
        (),
        (*paths, *marked[0], *more_paths),
        (*labels, *marked[1], *more_labels),
    )


def latency_over_time(turns: Sequence[Turn]) -> Chart:
    """The submission's requests in the order of their blocks: median and slowest of each bin, and what failed."""
    bins = _bins(turns)
    right = [value for _, answered, _ in bins for value in answered]
    low, high = log_range(right, _SHORTEST_S)
    x = Scale(0.0, float(max(len(turns), 1)), _FRAME.left, _FRAME.right)
    y = Scale(low, high, _FRAME.bottom, _FRAME.top + 14, logarithmic=True)
    paths, labels = axes(_FRAME, x, (), y, log_ticks(low, high) if right else (), str, wording.exact_seconds)
    paths += _strokes("spread", [_stroke(x.at(at), y.at(median(a)), y.at(max(a))) for at, a, _ in bins if a])
    paths += _strokes("candidate glyph", [dot(x.at(at), y.at(median(a)), 1.7) for at, a, _ in bins if a])
    paths += _strokes("fails glyph", [cross(x.at(at), _FRAME.top + 5, 2.6) for at, _, failed in bins if failed])
    sessions = [turn.session for turn in turns]
    voids = [turn.void for turn in turns]
    more_paths, more_labels = sequence_axis(_FRAME, x, sessions, "the submission's blocks, in the order they ran")
    failed = sum(failed for _, _, failed in bins)
    entries = [("candidate", "dot", "median"), ("spread", "line", "to the slowest")]
    if failed:
        entries.append(("fails", "cross", "no right answer"))
    key_paths, key_labels = keys([*entries, *_void_key(voids)], _FRAME.left, 12)
    return Chart(
        "Latency over time",
        captions.over_time(len(turns), right, failed, sum(voids)),
        _WIDTH,
        _HEIGHT,
        shades(_FRAME, x, voids),
        (*paths, *more_paths, *key_paths),
        (*labels, *more_labels, *key_labels),
    )


def over_blocks(title: str, pairs: Sequence[PairFigures], *, memory: bool) -> Chart:
    """One figure of both sides, pair by pair. Seconds, or bytes where it is `memory`."""
    say = _size if memory else wording.exact_seconds
    figures = [value for pair in pairs for value in (pair.candidate, pair.reference) if value is not None]
    high = max(figures, default=0.0)
    ticks = _size_ticks(high) if memory else linear_ticks(high)
    frame = Frame(_FRAME.left, _FRAME.top, _FRAME.right, 150)
    x = Scale(0.0, float(max(len(pairs), 1)), frame.left, frame.right)
    y = Scale(0.0, ticks[-1], frame.bottom, frame.top)
    paths, labels = axes(frame, x, (), y, ticks, str, say)
    ours = [(x.at(at + 0.5), y.at(pair.candidate)) for at, pair in enumerate(pairs) if pair.candidate is not None]
    theirs = [(x.at(at + 0.5), y.at(pair.reference)) for at, pair in enumerate(pairs) if pair.reference is not None]
    paths += _series("reference", thinned(theirs), "square")
    paths += _series("candidate", thinned(ours), "dot")
    voids = [pair.void for pair in pairs]
    more_paths, more_labels = sequence_axis(frame, x, [pair.session for pair in pairs], "pairs of blocks, in order")
    entries = [("candidate", "line-dot", "submission"), ("reference", "line-square", "reference")]
    key_paths, key_labels = keys([*entries, *_void_key(voids)], frame.left, 12)
    words = [
        f"{name.capitalize()}: median {say(median(side))}, highest {say(max(side))}." if side else f"{name}: no figure."
        for name, side in (
            ("submission", [pair.candidate for pair in pairs if pair.candidate is not None]),
            ("reference", [pair.reference for pair in pairs if pair.reference is not None]),
        )
    ]
    return Chart(
        title,
        f"{wording.count(len(pairs), 'pair')} of blocks. {' '.join(words)}{captions.of_voids(sum(voids), 'pair')}",
        _WIDTH,
        194,
        shades(frame, x, voids),
        (*paths, *more_paths, *key_paths),
        (*labels, *more_labels, *key_labels),
    )


@dataclass(frozen=True, slots=True)
class Single:
    """What is timed once a block, in words."""

    title: str
    axis: str
    never: str
    caption: Callable[[str, Answers], str]


STARTS: Final = Single(
    "Time to be ready, start by start", "from the start to the first answer", "never ready", captions.of_starts
)
RUNS: Final = Single("Time of a run, run by run", "from the start of a run to its end", "not right", captions.of_runs)


def single_times(kind: Single, candidate: Answers, reference: Answers, limit_s: float | None) -> Chart:
    """Each start or run of each side as a mark on a line of time, with the medians and the limit."""
    limit_s = limit_s if limit_s is not None and math.isfinite(limit_s) else None
    seconds = [held_s(value) for side in (candidate, reference) for value in side.latencies_s]
    ticks = linear_ticks(max([*seconds, held_s(limit_s or 0.0)]))
    frame = Frame(92, 30, 420, 118)
    x = Scale(0.0, ticks[-1], frame.left, frame.right)
    y = Scale(0.0, 1.0, frame.bottom, frame.top)
    paths, labels = axes(frame, x, ticks, y, (), wording.exact_seconds, str)
    for css, side, name, row in (
        ("candidate", candidate, "submission", frame.top + 22),
        ("reference", reference, "reference", frame.bottom - 22),
    ):
        shown = thinned(sorted(held_s(value) for value in side.latencies_s))
        glyph = dot if css == "candidate" else square
        # In turns above, on and below the row, so that equal times can be told apart.
        drawn = [glyph(x.at(value), row + (at % 3 - 1) * 6, 2.6) for at, value in enumerate(shown)]
        paths += _strokes(f"{css} glyph", drawn)
        if side.latencies_s:
            middle = x.at(held_s(median(side.latencies_s)))
            paths.append(line(f"{css} median", middle, row - 15, middle, row + 15))
        if side.never:
            paths.append(Path("fails glyph", cross(frame.right + 14, row)))
            labels.append(label("fails", frame.right + 20, row + 4, f"{side.never:,}"))
        labels.append(label("key", frame.left - 8, row + 4, name, "end"))
    entries = [("key-median", "line", "median")]
    if limit_s is not None:
        at = x.at(held_s(limit_s))
        paths.append(line("limit", at, frame.top - 4, at, frame.bottom))
        entries.append(("limit", "line", f"limit {wording.exact_seconds(limit_s)}"))
    if candidate.never or reference.never:
        entries.append(("fails", "cross", kind.never))
    key_paths, key_labels = keys(entries, frame.left, 12)
    labels.append(label("axis", (frame.left + frame.right) / 2, 152, kind.axis, "middle"))
    limit_words = f" The limit is at {wording.exact_seconds(limit_s)}." if limit_s is not None else ""
    return Chart(
        kind.title,
        f"{kind.caption('submission', candidate)} {kind.caption('reference', reference)}{limit_words}",
        _WIDTH,
        160,
        (),
        (*paths, *key_paths),
        (*labels, *key_labels),
    )


def interval_bar(interval: Interval) -> Chart:
    """The ratio to the reference with its interval, over the zones of all, some and no points."""
    ratio, low, high = (_finite(value) for value in (interval.ratio, interval.low, interval.high))
    limit = _held_ratio(interval.limit)
    gone_at = max(_held_ratio(interval.gone_at), limit)
    figures = [value for value in (ratio, low, high) if value is not None]
    # A figure far outside must not press the limits into one corner: it is put at the end, and its label tells it.
    end = min(max([1.0, gone_at, *figures]) * 1.3, 3.0 * max(gone_at, 1.0))
    frame = Frame(7, 24, 453, 56)
    x = Scale(0.0, end, frame.left, frame.right)
    rects = (
        rect("zone-all", frame.left, frame.top, x.at(limit), frame.bottom),
        rect("zone-some", x.at(limit), frame.top, x.at(gone_at), frame.bottom),
        rect("zone-none", x.at(gone_at), frame.top, frame.right, frame.bottom),
    )
    middle = (frame.top + frame.bottom) / 2
    paths = [
        line("grid strong", x.at(1.0), frame.top, x.at(1.0), frame.bottom + 20),
        line("limit", x.at(limit), frame.top - 6, x.at(limit), frame.bottom),
        line("limit gone", x.at(gone_at), frame.top - 6, x.at(gone_at), frame.bottom),
    ]
    labels = _interval_labels(x, limit, gone_at)
    labels.append(label("step", x.at(1.0), frame.bottom + 33, "1, as the reference", _anchor(x.at(1.0))))
    if figures:
        paths.append(Path("whisker", _whisker(x.at(min(figures)), x.at(max(figures)), middle)))
    if ratio is not None:
        at = x.at(ratio)
        paths.append(Path("candidate glyph", dot(at, middle, 5)))
        beyond = " (beyond this scale)" if ratio > end else ""
        labels.append(label("ratio", at, frame.bottom + 16, f"{wording.times(ratio)}{beyond}", _anchor(at)))
    return Chart(
        "Ratio to the reference",
        captions.of_interval(ratio, low, high, limit, gone_at),
        _WIDTH,
        94,
        rects,
        tuple(paths),
        tuple(labels),
    )


def _cumulative(side: Answers, x: Scale, y: Scale) -> list[tuple[float, float]]:
    """The curve's points, the last one at the right edge: the rest of the requests never comes."""
    ordered = sorted(side.latencies_s)
    # As many points for the slowest twentieth as for a third of the others: the budgets are about those.
    body = thinned(range(len(ordered)), MOST_POINTS * 3 // 4 - 2)
    tail = thinned(range(len(ordered) * 19 // 20, len(ordered)), MOST_POINTS // 4)
    chosen = sorted({*body, *tail})
    points = [(x.at(held_s(ordered[at])), y.at((at + 1) / side.asked)) for at in chosen]
    return [(points[0][0], y.at(0.0)), *points, (_FRAME.right, points[-1][1])]


def _limit_marks(marks: Sequence[LimitMark], x: Scale, y: Scale) -> tuple[list[Path], list[Label]]:
    """For each limit a line up to its share of the requests, with a mark where the submission's curve should pass."""
    paths: list[Path] = []
    labels: list[Label] = []
    lowest = -math.inf
    for mark in sorted(marks, key=lambda each: -each.share):
        at, height = x.at(held_s(mark.seconds)), y.at(mark.share)
        paths.append(line("limit", at, _FRAME.bottom, at, height))
        paths.append(Path("limit glyph", diamond(at, height)))
        # Labels of percentiles that lie close together stand below one another.
        lowest = max(height + 14, lowest + 14)
        words = f"{mark.name} limit {wording.exact_seconds(mark.seconds)}"
        room = at + 8 + len(words) * _LETTER < _FRAME.right
        labels.append(label("limit halo", at + 8 if room else at - 8, lowest, words, "start" if room else "end"))
    return paths, labels


def _bins(turns: Sequence[Turn]) -> list[tuple[float, list[float], int]]:
    """Requests in at most so many bins of equal width: middle in blocks, the answered ones' seconds, the others."""
    most = max(len(turns), 1)
    answered: list[list[float]] = [[] for _ in range(_MOST_BINS)]
    failed = [0] * _MOST_BINS
    for at, turn in enumerate(turns):
        for place, seconds in turn.requests:
            index = min(int((at + min(max(place, 0.0), 1.0)) / most * _MOST_BINS), _MOST_BINS - 1)
            if seconds is None:
                failed[index] += 1
            else:
                answered[index].append(held_s(seconds))
    middles = [(index + 0.5) / _MOST_BINS * most for index in range(_MOST_BINS)]
    return [each for each in zip(middles, answered, failed, strict=True) if each[1] or each[2]]


def _series(css: str, points: Sequence[tuple[float, float]], glyph: str) -> list[Path]:
    if not points:
        return []
    draw = dot if glyph == "dot" else square
    return [curve(css, points), *_strokes(f"{css} glyph", [draw(x, y) for x, y in points])]


def _strokes(css: str, drawn: Sequence[str]) -> list[Path]:
    return [Path(css, "".join(drawn))] if drawn else []


def _stroke(x: float, low: float, high: float) -> str:
    # The slowest answer gets a foot of its own, so that it shows where it is the median, too.
    return f"M{x:.1f} {low:.1f}V{high:.1f}m-1.5 0h3"


def _whisker(left: float, right: float, y: float) -> str:
    return f"M{left:.1f} {y - 7:.1f}v14m0-7H{right:.1f}m0-7v14"


def _size(value: float) -> str:
    return wording.size(round(value)).replace(".0 ", " ")


def _size_ticks(high: float) -> tuple[float, ...]:
    """Round steps in the unit that people read: 0, 64 MiB, 128 MiB."""
    unit = next((float(unit) for unit in (1 << 30, 1 << 20, 1 << 10) if high >= unit), 1.0)
    return tuple(tick * unit for tick in linear_ticks(high / unit))


def _interval_labels(x: Scale, limit: float, gone_at: float) -> list[Label]:
    """The limit's words left of its line and the other line's right of it, both pushed inwards at the edges."""
    limit_words, gone_words = f"limit {limit:.3g}", f"no points from {gone_at:.3g}"
    limit_end = max(x.at(limit) + 3, x.start + len(limit_words) * _LETTER)
    gone_start = max(min(x.at(gone_at) - 3, x.end - len(gone_words) * _LETTER), limit_end + 10)
    return [label("limit", limit_end, 12, limit_words, "end"), label("limit", gone_start, 12, gone_words)]


def _anchor(x: float) -> str:
    """Where words at `x` begin, so that they stay within the picture."""
    return "start" if x < 110 else "end" if x > _WIDTH - 110 else "middle"


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _held_ratio(ratio: float) -> float:
    return min(max(ratio, 0.0), LONGEST_S) if not math.isnan(ratio) else LONGEST_S


def _void_key(voids: Sequence[bool]) -> list[tuple[str, str, str]]:
    return [("void", "line", "void")] if any(voids) else []
