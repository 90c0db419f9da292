"""`assay cohort run`, `resume` and `status`."""

import json
import sys

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text
from sqlalchemy import Connection

from assessments.errors import ExitCode
from runner.cli import options
from runner.cli.cohort.grading import How, grade_waiting, how
from runner.cli.cohort.shared import NAME, kept_cohort
from runner.cli.screen import data_console, print_problems, say
from runner.reports.text import shown
from runner.reports.wording import count
from runner.state_folder import default_state
from runner.store import attempts, cohorts, regrades
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.cohorts import Kept
from runner.store.store import Store, open_store

_NAMED = 20


@click.command("run")
@NAME
@how
def run(name: str, how: How) -> None:
    """Grade what waits in the cohort NAME. Ctrl-C lets what is under way end; twice stops at once; both go on later."""
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        _end(store, kept, grade_waiting(store, kept, how))


@click.command("resume")
@NAME
@how
def resume(name: str, how: How) -> None:
    """Go on with the cohort NAME: as `run` does, and with what waits for you; a regrade that was stopped, too."""
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        with store.database.writing() as connection:
            resumed = attempts.resume(connection, kept.id, doing_now(), name)
            undecided = [one for one in regrades.every(connection, kept) if one.decision is None]
        if resumed:
            say(f"{count(resumed, 'grading')} that waited for you: tried again")
        counts = grade_waiting(store, kept, how)
        for regrade in undecided if not counts.open else ():  # one at most: the next one waits for its decision
            again = grade_waiting(store, kept, how, regrade)
            if again.open or again.held:
                _end(store, kept, again)
        _end(store, kept, counts)


@click.command("status")
@click.argument("name", required=False)
@options.as_json
def status(name: str | None, as_json: bool) -> None:
    """Say how the cohort NAME stands; without NAME, every cohort."""
    with open_store(default_state()) as store, store.database.reading() as connection:
        found = [cohorts.find(connection, name)] if name else cohorts.every(connection)
        rows = [(kept, attempts.count(connection, kept.id), _regrades(connection, kept)) for kept in found]
        held = attempts.held_problems(connection, found[0].id) if name else []
    if as_json:
        print(json.dumps([_document(*row) for row in rows], indent=1))
        return
    columns = ("cohort", "assessment", "graded", "waiting", "running", "held", "regrades", "made")
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for kept, counts, orders in rows:
        title = f"{kept.cohort.assessment.id} {kept.cohort.assessment.version}"
        states = [str(getattr(counts, state)) for state in ("ended", "waiting", "running", "held")]
        table.add_row(kept.cohort.name, title, *states, orders or "-", kept.cohort.created_at[:10])
    data_console().print(table)
    _print_held(held)


def _regrades(connection: Connection, kept: Kept) -> str:
    return ", ".join(f"{one.id} {one.decision or 'undecided'}" for one in regrades.every(connection, kept))


def _document(kept: Kept, counts: Counts, orders: str) -> dict[str, object]:
    return {
        "cohort": kept.cohort.name,
        "assessment": kept.cohort.assessment.id,
        "created_at": kept.cohort.created_at,
        "closed_at": kept.cohort.closed_at,
        "graded": counts.ended,
        "waiting": counts.waiting,
        "running": counts.running,
        "held": counts.held,
        "regrades": orders,
    }


def _end(store: Store, kept: Kept, counts: Counts) -> None:
    """Say how it stands, and leave with the code for what is left: 4 where something waits for the operator."""
    name = kept.cohort.name
    if counts.open:
        say(f"{counts.ended:,} of {counts.total:,} graded; go on with: assay cohort resume {name}")
        sys.exit(ExitCode.INTERRUPTED)
    if counts.held:
        with store.database.reading() as connection:
            _print_held(attempts.held_problems(connection, kept.id))
        print_problems(
            [f"{count(counts.held, 'grading')} could not be done and wait for you: assay cohort resume {name}"]
        )
        sys.exit(ExitCode.INFRASTRUCTURE)
    say(f"{count(counts.ended, 'submission')} graded; see who can do what: assay cohort report {name}")


def _print_held(held: list[tuple[str, str, str]]) -> None:
    console = data_console()
    for candidate, challenge, problem in held[:_NAMED]:
        console.print(
            Text(f"held: {shown(candidate, 80).text}, {challenge}: {shown(problem, 300).text}"), soft_wrap=True
        )
    if len(held) > _NAMED:
        console.print(f"held: and {len(held) - _NAMED} more")
