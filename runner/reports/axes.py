"""The lines and words around a chart's curves."""

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise
from typing import Final

from runner.reports.drawing import Frame, Label, Path, Rect, Scale, label, line, rect

_MOST_SHADES: Final = 40
_TICKS_OF_A_SEQUENCE: Final = 6


def axes(
    frame: Frame,
    x: Scale,
    x_ticks: Sequence[float],
    y: Scale,
    y_ticks: Sequence[float],
    say_x: Callable[[float], str],
    say_y: Callable[[float], str],
) -> tuple[list[Path], list[Label]]:
    """Both axes with a fine line and a word at each tick."""
    paths = [line("grid", frame.left, y.at(tick), frame.right, y.at(tick)) for tick in y_ticks]
    paths += [line("grid", x.at(tick), frame.top, x.at(tick), frame.bottom) for tick in x_ticks]
    paths.append(line("grid strong", frame.left, frame.bottom, frame.right, frame.bottom))
    labels = [label("step", frame.left - 6, y.at(tick) + 4, say_y(tick), "end") for tick in y_ticks]
    labels += [label("step", x.at(tick), frame.bottom + 16, say_x(tick), "middle") for tick in x_ticks]
    return paths, labels


def sequence_axis(frame: Frame, x: Scale, sessions: Sequence[int], words: str) -> tuple[list[Path], list[Label]]:
    """Numbers of blocks or pairs below the frame, and a line where each further session begins."""
    labels = [label("axis", (frame.left + frame.right) / 2, frame.bottom + 36, words, "middle")]
    step = max(-(-len(sessions) // _TICKS_OF_A_SEQUENCE), 1)
    labels += [
        label("step", x.at(at + 0.5), frame.bottom + 16, f"{at + 1:,}", "middle")
        for at in range(0, len(sessions), step)
    ]
    changes = [at for at, (one, other) in enumerate(pairwise(sessions), 1) if one != other]
    paths = [line("session", x.at(at), frame.top, x.at(at), frame.bottom + 5) for at in changes[:9]]
    labels += [label("step halo", x.at(at) + 4, frame.bottom - 5, _begins(sessions[at])) for at in changes[:1]]
    return paths, labels


def _begins(session: int) -> str:
    return "second session" if session % 2 else "measured again"


def shades(frame: Frame, x: Scale, voids: Sequence[bool]) -> tuple[Rect, ...]:
    """A shade behind each run of neighbours that do not count."""
    runs = []
    at = 0
    for void, group in groupby(voids):
        length = len(list(group))
        if void:
            runs.append(rect("void", x.at(at), frame.top, x.at(at + length), frame.bottom))
        at += length
    return tuple(runs[:_MOST_SHADES])
