"""Grades several submissions in one run, a few at a time; each ends by itself and is written as soon as it has."""

import itertools
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from assessments.challenge import Challenge
from assessments.errors import AssayError, ExitCode
from assessments.outcome import FAULTS, Owner
from assessments.scorecard import Scorecard
from runner.bench import Bench
from runner.grade import Graded, Order, grade
from runner.reports.summary import score_text
from runner.reports.text import shown
from runner.reports.wording import count
from runner.results import write_result

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_LEFT_OUT_NAMED = 10
_EXIT_OF_OWNER = {
    Owner.CANDIDATE: ExitCode.DONE,
    Owner.CHALLENGE: ExitCode.INVALID,
    Owner.INFRASTRUCTURE: ExitCode.INFRASTRUCTURE,
}


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of one order: a scorecard and where it lies, or the problems that kept it from having one."""

    order: Order
    scorecard: Scorecard | None
    folder: Path | None
    problems: tuple[str, ...]
    exit_code: ExitCode
    seconds: float
    left_out: tuple[str, ...] = ()
    """Droppings of tools, such as .venv, that were handed in and not graded."""


def default_lanes() -> int:
    return len(os.sched_getaffinity(0))


def grade_all(
    orders: Sequence[Order], challenge: Challenge, bench: Bench, out: Path, lanes: int | None = None
) -> list[Ended]:
    """Grade every order, and write each scorecard under `out`. The results stand in the order of the orders."""
    bench.environment(challenge)  # installed before the first clock starts
    many = f"{len(orders)} submissions" if len(orders) > 1 else "one submission"
    bench.say(f"grading {many} of {challenge.id} {challenge.version}: {count(len(challenge.checks), 'check')} each")

    numbers = itertools.count(1)

    def one(order: Order) -> Ended:
        ended = _ended(order, lambda: _graded(order, challenge, bench, out))
        outcome = score_text(ended.scorecard) if ended.scorecard else "no scorecard"
        if ended.left_out:
            bench.say(f"{shown(order.candidate, 80).text}: not part of the submission: {', '.join(ended.left_out)}")
        if len(orders) > 1:
            bench.say(f"{next(numbers)} of {len(orders)}: {shown(order.candidate, 80).text}, {outcome}")
        return ended

    return run_lanes(one, orders, bench, lanes)


def run_lanes(
    work: Callable[[_Item], _Result], items: Iterable[_Item], bench: Bench, lanes: int | None = None
) -> list[_Result]:
    """`work` on every item, `lanes` at a time. Ctrl-C kills what is under way, and is raised."""
    with ThreadPoolExecutor(lanes or default_lanes(), thread_name_prefix="assay-lane") as pool:
        futures = [pool.submit(work, item) for item in items]
        try:
            _until_done(futures)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            bench.interrupt()
            raise
        return [future.result() for future in futures]


def _until_done(futures: Sequence[Future[_Result]]) -> None:
    """Wait for all, or for the first that raises. In short waits, so that the main thread notices a signal at once."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=0.2, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()


def _ended(order: Order, work: Callable[[], tuple[Graded, Path]]) -> Ended:
    started = time.monotonic()
    try:
        graded, folder = work()
    except AssayError as error:
        return Ended(order, None, None, error.problems, error.exit_code, time.monotonic() - started)
    scorecard = graded.scorecard
    owners = {FAULTS[result.fault].owner for result in scorecard.results if result.fault}
    exit_code = max((_EXIT_OF_OWNER[owner] for owner in owners), default=ExitCode.DONE)
    left_out = tuple(shown(name, 80).text for name in graded.received.left_out[:_LEFT_OUT_NAMED])
    return Ended(order, scorecard, folder, (), exit_code, time.monotonic() - started, left_out)


def _graded(order: Order, challenge: Challenge, bench: Bench, out: Path) -> tuple[Graded, Path]:
    graded = grade(order, challenge, bench)
    return graded, write_result(out, graded, challenge.folder / "starter", bench.signer)
