"""What every verb that grades does: options, the bench, signals, and the live view."""

import contextlib
import functools
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import rich_click as click

from assessments.challenge import Challenge
from assessments.errors import InvalidChallenge
from runner.cli import options
from runner.cli.screen import say
from runner.cohort.owner import place_of
from runner.cohort.progress import Event, EventKind
from runner.engines.choose import wish
from runner.state_folder import default_state
from runner.store import attempts, canaries
from runner.store.attempts import Counts
from runner.store.cohorts import Kept
from runner.store.regrades import Regrade
from runner.store.store import Store

if TYPE_CHECKING:
    from runner.cohort.run import Stop, Tell


@dataclass(frozen=True, slots=True)
class How:
    """How an operator wants it graded."""

    lanes: int | None
    engine: str | None
    runtime: str | None
    allow_unenforced: bool
    challenges: Path | None
    budgets: bool
    as_json: bool


_OPTIONS = (
    options.lanes,
    options.engine,
    options.runtime,
    options.unenforced,
    options.challenges,
    click.option("--budgets/--no-budgets", default=True, help="Measure budgets; without, their checks stay undecided."),
    click.option("--json", "as_json", is_flag=True, help="Tell what happens as JSON lines on stdout."),
)


def how(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `How`, gathered into its argument `how`."""

    @functools.wraps(command)
    def gathered(*args: object, **given: object) -> None:
        mine = How(**{field.name: given.pop(field.name) for field in fields(How)})  # type: ignore[arg-type]
        command(*args, how=mine, **given)

    wrapped: Callable[..., None] = gathered
    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def grade_waiting(store: Store, kept: Kept, how: How, regrade: Regrade | None = None) -> Counts:
    """Grade what waits in the cohort, or in one of its regrades. With nothing to do, nothing is set up."""
    with store.database.reading() as connection:
        of = regrade.id if regrade else None
        counts = attempts.count(connection, kept.id, of)
        unvouched = how.budgets and canaries.any_unvouched(connection, kept, place_of(store.folder), of)
    if not counts.open and not unvouched:
        return counts
    from runner.bench import open_bench  # slow to import, and not needed where nothing waits
    from runner.cli.cohort.live import teller
    from runner.cohort.held_to import held_to, require_engine
    from runner.cohort.run import Stop, Work, lanes_for, run

    found = held_to(regrade.pins if regrade else kept.cohort.challenges, kept.cohort.name, how.challenges)
    work = Work(
        kept, found, lanes_for(found, how.lanes), regrade.id if regrade else None, how.allow_unenforced, how.budgets
    )
    stop = Stop()
    with open_bench(default_state(), say, wish(how.engine, how.runtime)) as bench:
        engine = bench.engine.describe(unenforced_allowed=True).name
        if regrade is None:  # which may well be for the sake of another engine
            require_engine(store, kept, engine)
        _require_certificates(kept, engine, found)
        with teller(counts, work.lanes, as_json=how.as_json) as tell, _drained_by_signals(stop, tell):
            return run(store, bench, work, tell, stop)


def _require_certificates(kept: Kept, engine: str, challenges: Mapping[str, Challenge]) -> None:
    """A cohort that was made of proved challenges is graded where they are proved."""
    from runner.certify.certificate import warning

    doubts = [doubt for challenge in challenges.values() if (doubt := warning(challenge, engine))]
    if kept.cohort.certified and doubts:
        raise InvalidChallenge(doubts)


@contextlib.contextmanager
def _drained_by_signals(stop: "Stop", tell: "Tell") -> Iterator[None]:
    """Within the block the first Ctrl-C lets the lanes end what they do, and the second one ends them."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        if stop.drain.is_set():
            raise KeyboardInterrupt
        stop.drain.set()
        tell(Event(EventKind.DRAINING))

    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # else somebody wished that it be ignored
        signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
