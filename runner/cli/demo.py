"""`assay demo`: the main job on four sample submissions, so that a newcomer sees what Assay does."""

import sys
import tempfile
from pathlib import Path

import rich_click as click

from assessments.errors import UsageError
from runner import catalogue
from runner.bench import open_bench
from runner.certify.solutions import Solution, read_solutions
from runner.cli import options
from runner.cli.grade import exit_code, print_ended
from runner.cli.screen import say
from runner.engines.choose import wish
from runner.grade import Order
from runner.intake import write_tree
from runner.lanes import grade_all
from runner.state_folder import default_state

_CHALLENGE = "inference-api"
_MEASURED = ("accepted/reference", "cheat/forged-report")
_SAMPLES = ("accepted/reference", "broken/honest-attempt", "slow/lookups-one-by-one", "cheat/forged-report")


@click.command("demo")
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), show_default=True)
@click.option("--lanes", type=click.IntRange(1, 32), default=len(_SAMPLES), show_default=True)
@options.engine
@options.runtime
def command(out: Path, lanes: int, engine: str | None, runtime: str | None) -> None:
    """Grade the reference, an honest submission with faults, a slow one and a hostile one.

    They wait more than they work, so all four are graded at the same time. Budgets are measured of the reference and
    the hostile one; for the two others they stay open, to save time. They are our own, so a host that cannot enforce
    every limit will do: it is said which ones.
    """
    challenge = catalogue.find(_CHALLENGE, None)
    solutions = {solution.label: solution for solution in read_solutions(challenge)}
    missing = [label for label in _SAMPLES if label not in solutions]
    if missing:
        raise UsageError(f"{challenge.id} has no sample solution {', '.join(missing)}")
    wanted = wish(engine, runtime)
    with (
        tempfile.TemporaryDirectory(prefix="assay-demo-") as scratch,
        open_bench(default_state(), say, wanted) as bench,
    ):
        orders = [_order(solutions[label], Path(scratch)) for label in _SAMPLES]
        ended = grade_all(orders, challenge, bench, out, lanes)
    print_ended(ended)
    sys.exit(exit_code(ended, None))


def _order(solution: Solution, scratch: Path) -> Order:
    folder = scratch / solution.name
    folder.mkdir()
    write_tree(solution.contents, folder)
    return Order(folder, solution.name, unenforced_allowed=True, measures=solution.label in _MEASURED)
