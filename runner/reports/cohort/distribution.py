"""How a cohort's shares are distributed about the mark, as a picture."""

from collections.abc import Sequence
from typing import Final

from assessments.assessment import PassMark
from assessments.cohort import Candidate
from runner.reports import wording
from runner.reports.axes import axes
from runner.reports.drawing import Chart, Frame, Label, Rect, Scale, label, line, linear_ticks, rect

_BINS: Final = 20
_WIDTH: Final = 460
_HEIGHT: Final = 250
_FRAME: Final = Frame(left=40, top=46, right=438, bottom=206)


def distribution(candidates: Sequence[Candidate], mark: PassMark) -> Chart:
    """How many candidates have which share for certain, in steps of five points in a hundred."""
    decided, unsure = [0] * _BINS, [0] * _BINS
    for candidate in candidates:
        share = candidate.result.share
        (decided if share.high - share.low < 1e-9 else unsure)[_bin(share.low)] += 1
    ticks = _whole_ticks(max(map(sum, zip(decided, unsure, strict=True))))
    x, y = Scale(0.0, 1.0, _FRAME.left, _FRAME.right), Scale(0.0, ticks[-1], _FRAME.bottom, _FRAME.top)
    paths, labels = axes(_FRAME, x, (0, 0.2, 0.4, 0.6, 0.8, 1.0), y, ticks, wording.percent, lambda tick: f"{tick:g}")
    low, high = max(mark.not_passed_below, 0.0), min(mark.passed_from, 1.0)
    rects = [rect("doubt", x.at(low), _FRAME.top, x.at(high), _FRAME.bottom)]
    rects += _columns("share", decided, [0] * _BINS, x, y) + _columns("maybe", unsure, decided, x, y)
    paths.append(line("pass", x.at(mark.share), _FRAME.top - 4, x.at(mark.share), _FRAME.bottom))
    words = f"mark {wording.percent(mark.share)}"
    labels.append(label("pass", x.at(mark.share), _FRAME.top - 9, words, "end" if mark.share > 0.85 else "middle"))
    middle = (_FRAME.left + _FRAME.right) / 2
    labels.append(label("axis", middle, _HEIGHT - 8, "share of the points, for certain", "middle"))
    key = _key(unsure=any(unsure))
    return Chart(
        "Shares of the points",
        _words(candidates, mark),
        _WIDTH,
        _HEIGHT,
        (*rects, *key[0]),
        tuple(paths),
        (*labels, *key[1]),
        "distribution",
    )


def _key(*, unsure: bool) -> tuple[list[Rect], list[Label]]:
    entries = [("share", 0, "candidates"), ("doubt", 92, "too close to call")]
    entries += [("maybe", 222, "some checks undecided")] if unsure else []
    rects = [rect(css, _FRAME.left + at, 6, _FRAME.left + at + 12, 16) for css, at, _ in entries]
    return rects, [label("key", _FRAME.left + at + 17, 15, words) for _, at, words in entries]


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


def _words(candidates: Sequence[Candidate], mark: PassMark) -> str:
    shares = sorted(candidate.result.share.low for candidate in candidates)
    if not shares:
        return "No candidates."
    middle = wording.percent(shares[(len(shares) - 1) // 2])
    above = sum(share >= mark.share - 1e-9 for share in shares)
    return (
        f"{wording.count(len(shares), 'candidate')}: lowest {wording.percent(shares[0])}, middle {middle}, highest "
        f"{wording.percent(shares[-1])}. {above:,} reach the mark of {wording.percent(mark.share)} for certain."
    )
