"""Charts in words, for those who do not see them."""

import math
from collections.abc import Sequence
from statistics import median

from runner.reports import wording
from runner.reports.series import Answers, LimitMark, held_s


def of_shares(name: str, side: Answers) -> str:
    if not side.latencies_s:
        return f"{name.capitalize()}: {wording.count(side.asked, 'request')}, none answered rightly in time."
    ordered = sorted(held_s(value) for value in side.latencies_s)
    reached = [
        f"{share}% within {wording.exact_seconds(ordered[max(math.ceil(share / 100 * side.asked), 1) - 1])}"
        for share in (50, 95, 99)
        if math.ceil(share / 100 * side.asked) <= len(ordered)
    ]
    never = f"; {wording.count(side.never, 'request')} never answered rightly" if side.never else ""
    said = ", ".join(reached) or "fewer than half answered rightly"
    return f"{name.capitalize()}: {wording.count(side.asked, 'request')}, {said}{never}."


def of_limits(marks: Sequence[LimitMark]) -> list[str]:
    return [f"The {mark.name} limit is {wording.exact_seconds(mark.seconds)}." for mark in marks]


def over_time(blocks: int, right: Sequence[float], failed: int, void: int) -> str:
    said = f"{wording.count(blocks, 'block')} of the submission. "
    if right:
        said += f"Median {wording.exact_seconds(median(right))}, slowest {wording.exact_seconds(max(right))}. "
    return f"{said}{wording.count(failed, 'request')} without a right answer.{of_voids(void, 'block')}"


def of_voids(void: int, noun: str) -> str:
    return f" {wording.count(void, noun)} void, shaded." if void else ""


def of_starts(name: str, side: Answers) -> str:
    return _of_single_times(name, side, "start", "never ready")


def of_runs(name: str, side: Answers) -> str:
    return _of_single_times(name, side, "run", "not right")


def _of_single_times(name: str, side: Answers, noun: str, never: str) -> str:
    counted = wording.count(side.asked, noun)
    if not side.latencies_s:
        return f"{name.capitalize()}: {counted}, {never}."
    ordered = [held_s(value) for value in side.latencies_s]
    figures = (min(ordered), median(ordered), max(ordered))
    low, middle, high = (wording.exact_seconds(value) for value in figures)
    some = f", {side.never:,} {never}" if side.never else ""
    return f"{name.capitalize()}: {counted}, from {low} to {high}, median {middle}{some}."


def of_interval(ratio: float | None, low: float | None, high: float | None, limit: float, gone_at: float) -> str:
    said = "No ratio could be worked out." if ratio is None else f"{wording.times(ratio)} the reference's figure"
    if ratio is not None:
        ends = [wording.times(value) if value is not None else "unknown" for value in (low, high)]
        said += f", interval {ends[0]} to {ends[1]}."
    return f"{said} The limit is {wording.times(limit)}, and from {wording.times(gone_at)} on there are no points."
