"""What a run shows: on a terminal a line a lane and a bar, elsewhere a line a grading, with --json an object a line."""

import contextlib
import dataclasses
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from runner.cli.screen import say
from runner.cohort.progress import Estimate, Event, EventKind
from runner.cohort.run import Tell
from runner.reports.text import shown, visible
from runner.reports.wording import seconds
from runner.store.attempts import Counts

_NAME_BYTES, _TEXT_BYTES = 60, 300
_TOLD = (EventKind.FAILED, EventKind.HELD, EventKind.LOST, EventKind.TAKEN_BACK, EventKind.CANARY)
_DONE = (EventKind.GRADED, EventKind.HELD, EventKind.LOST)


@contextlib.contextmanager
def teller(counts: Counts, lanes: int, *, as_json: bool) -> Iterator[Tell]:
    """What to tell events to; any thread may."""
    if as_json:
        yield _locked(_print_json)
    elif sys.stderr.isatty():
        view = _Live(counts, lanes)
        with Live(get_renderable=view.drawn, console=Console(stderr=True), refresh_per_second=4, transient=True):
            yield _locked(view.tell)
    else:
        yield _locked(_Lines(counts).tell)


def _locked(tell: Tell) -> Tell:
    lock = threading.Lock()

    def one_at_a_time(event: Event) -> None:
        if event.kind is EventKind.DRAINING:  # told by a signal handler, perhaps while this thread tells something
            _say_draining()
            return
        with lock:
            tell(event)

    return one_at_a_time


def _say_draining() -> None:
    # Not by print: the signal may have come while this very thread was printing, which refuses to begin anew.
    words = "\nassay: what is under way is graded to its end, then it stops; Ctrl-C again stops at once\n"
    with contextlib.suppress(OSError):
        os.write(sys.stderr.fileno(), words.encode("ascii"))


def _print_json(event: Event) -> None:
    what = {key: value for key, value in dataclasses.asdict(event).items() if value not in (None, "")}
    print(json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **what}), flush=True)


def line_of(event: Event) -> str:
    """An event as a line of a log; names and messages are bounded, and a terminal obeys nothing of them."""
    who = f"{shown(event.candidate, _NAME_BYTES).text}, {event.challenge}"
    text = shown(visible(event.text), _TEXT_BYTES).text
    took = f" ({seconds(event.seconds)})" if event.seconds is not None else ""
    match event.kind:
        case EventKind.STARTED:
            return f"{who}: started"
        case EventKind.GRADED:
            return f"{who}: {event.score}{took}"
        case EventKind.FAILED:
            return f"{who}: a failure of ours, tried again: {text}"
        case EventKind.HELD:
            return f"{who}: waits for you: {text}"
        case EventKind.LOST:
            return f"{who}: another runner had taken it over; what came of it here is thrown away"
        case EventKind.TAKEN_BACK:
            return f"{event.text} that a dead runner had begun: graded again"
        case EventKind.CANARY:
            return f"{who}: {text}{took}"
        case EventKind.DRAINING | EventKind.FINISHED:
            return ""


class _Lines:
    """For a log: a line when something has ended."""

    def __init__(self, counts: Counts) -> None:
        self._done, self._total = counts.ended, counts.total

    def tell(self, event: Event) -> None:
        if event.kind is EventKind.GRADED:
            self._done += 1
        if event.kind not in (EventKind.STARTED, EventKind.FINISHED):
            say(f"{self._done} of {self._total}: {line_of(event)}")


class _Live:
    """For a terminal."""

    def __init__(self, counts: Counts, lanes: int) -> None:
        self._done, self._total = counts.ended, counts.total
        self._lanes: dict[int, tuple[str, float]] = {}
        self._numbers = range(lanes)
        self._estimate = Estimate()
        self._started = time.monotonic()
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)

    def tell(self, event: Event) -> None:
        if event.lane is not None:
            self._lanes.pop(event.lane, None)
            if event.kind is EventKind.STARTED:
                who = f"{shown(event.candidate, _NAME_BYTES).text}, {event.challenge}"
                self._lanes[event.lane] = (who, time.monotonic())
        if event.kind in _DONE and event.seconds is not None:
            self._done += 1
            self._estimate.learn(event.challenge, event.seconds)
        if event.kind in _TOLD:
            self._console.print(Text(line_of(event)))

    def drawn(self) -> RenderableType:
        now, lanes = time.monotonic(), dict(self._lanes)
        table = Table.grid(padding=(0, 1))
        for number in self._numbers:
            who, since = lanes.get(number, ("waits", now))
            table.add_row(f"lane {number + 1}", Text(who), seconds(now - since) if number in lanes else "")
        left_s = self._estimate.remaining_s(self._total - self._done, now - self._started)
        left = f"about {_rough(left_s)} left" if left_s is not None else "no estimate yet"
        bar = Table.grid(padding=(0, 1))
        bar.add_row(ProgressBar(self._total, self._done, width=40), f"{self._done:,} of {self._total:,}, {left}")
        return Group(table, bar)


def _rough(left_s: float) -> str:
    """An estimate is no better than this."""
    if left_s < 90:
        return f"{max(round(left_s / 10) * 10, 10)} s"
    return f"{round(left_s / 60)} min" if left_s < 5400 else f"{left_s / 3600:.1f} h"
