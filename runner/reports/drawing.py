"""What a chart is made of: rectangles, paths and labels in the units of its view box, and scales to place them by.

A chart is data. The template turns it into SVG and escapes every word of it; nothing here writes markup.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

_LETTER: Final = 6.1
"""About the width of a letter of a chart's type, for keys that stand in a row."""


@dataclass(frozen=True, slots=True)
class Rect:
    css: str
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True, slots=True)
class Path:
    css: str
    d: str


@dataclass(frozen=True, slots=True)
class Label:
    css: str
    x: str
    y: str
    anchor: str
    """start, middle or end."""
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One picture. `title` names it, `desc` says its figures in words; `id` is unique on the page."""

    title: str
    desc: str
    width: int
    height: int
    rects: tuple[Rect, ...]
    paths: tuple[Path, ...]
    labels: tuple[Label, ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values from `low` to `high` on the line from `start` to `end`. What lies outside is put at the nearer end."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        held = min(max(value, self.low), self.high)
        if self.high <= self.low:
            return self.start
        if self.logarithmic:
            share = math.log(held / self.low) / math.log(self.high / self.low)
        else:
            share = (held - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Frame:
    """Where the curves are drawn; ticks and words stand around it."""

    left: float
    top: float
    right: float
    bottom: float


def number(value: float) -> str:
    """A coordinate in the fewest letters, to a tenth of a unit."""
    return f"{value:.1f}".removesuffix(".0")


def rect(css: str, left: float, top: float, right: float, bottom: float) -> Rect:
    return Rect(css, number(left), number(top), number(max(right - left, 0.0)), number(max(bottom - top, 0.0)))


def line(css: str, x1: float, y1: float, x2: float, y2: float) -> Path:
    return Path(css, f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}")


def curve(css: str, points: Iterable[tuple[float, float]]) -> Path:
    """Straight lines from point to point."""
    return Path(css, "M" + "L".join(f"{number(x)} {number(y)}" for x, y in points))


def label(css: str, x: float, y: float, text: str, anchor: str = "start") -> Label:
    return Label(css, number(x), number(y), anchor, text)


def dot(x: float, y: float, radius: float = 2.2) -> str:
    r, across = number(radius), number(2 * radius)
    return f"M{number(x - radius)} {number(y)}a{r} {r} 0 1 0 {across} 0a{r} {r} 0 1 0-{across} 0"


def square(x: float, y: float, half: float = 2.2) -> str:
    side = number(2 * half)
    return f"M{number(x - half)} {number(y - half)}h{side}v{side}h-{side}z"


def cross(x: float, y: float, half: float = 3.0) -> str:
    side = number(2 * half)
    return f"M{number(x - half)} {number(y - half)}l{side} {side}m0-{side}l-{side} {side}"


def diamond(x: float, y: float, half: float = 4.2) -> str:
    h = number(half)
    return f"M{number(x)} {number(y - half)}l{h} {h}l-{h} {h}l-{h}-{h}z"


def keys(entries: Sequence[tuple[str, str, str]], x: float, y: float) -> tuple[tuple[Path, ...], tuple[Label, ...]]:
    """A row that tells what the marks mean. An entry has a class, a glyph (line, dot, square, ...) and words."""
    paths: list[Path] = []
    labels: list[Label] = []
    for css, glyph, words in entries:
        middle = x + 9
        if glyph.startswith("line"):
            paths.append(line(css, x, y, x + 18, y))
        drawn = _glyph(glyph.removeprefix("line-"), middle, y)
        if drawn:
            paths.append(Path(f"{css} glyph", drawn))
        labels.append(label("key", x + 23, y + 4, words))
        x += 23 + len(words) * _LETTER + 14
    return tuple(paths), tuple(labels)


def _glyph(name: str, x: float, y: float) -> str:
    match name:
        case "dot":
            return dot(x, y)
        case "square":
            return square(x, y)
        case "cross":
            return cross(x, y)
        case "diamond":
            return diamond(x, y)
        case _:
            return ""


def log_ticks(low: float, high: float) -> tuple[float, ...]:
    """Round values from `low` to `high`: 1, 2, 5 of each decade, or whole decades where those would be too many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1, 2, 5), (1, 3), (1,)):
        ticks = tuple(tick for d in decades for s in steps if low * 0.999 <= (tick := s * 10.0**d) <= high * 1.001)
        if len(ticks) <= 7:
            return ticks
    return ticks[:: math.ceil(len(ticks) / 7)]


def log_range(values: Sequence[float], floor: float) -> tuple[float, float]:
    """Round ends that hold all values; nothing below `floor`, for a logarithm has no zero."""
    held = [max(value, floor) for value in values] or [floor * 100]
    return _round_down(min(held) * 0.98), _round_up(max(held) * 1.02)


def linear_ticks(high: float, most: int = 5) -> tuple[float, ...]:
    """Zero and round steps up to the first at or above `high`; the last is the axis' end."""
    if high < 1e-12:
        return 0.0, 1.0
    step = _round_up(high / most)
    return tuple(step * index for index in range(math.ceil(high / step - 1e-9) + 1))


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * (1 - 1e-9))


def _round_down(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (5, 2, 1) if step * power <= value * (1 + 1e-9))
