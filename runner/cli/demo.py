"""`assay demo`: the main job on sample submissions, one by one and as a cohort: a newcomer sees what Assay does."""

import shutil
import sys
import tempfile
from pathlib import Path

import rich_click as click

from assessments.errors import UsageError
from runner import catalogue
from runner.bench import Bench, open_bench
from runner.certify.solutions import Solution, read_solutions
from runner.cli import options
from runner.cli.cohort.live import teller
from runner.cli.cohort.ranking import print_ranking
from runner.cli.grade import exit_code, print_ended
from runner.cli.screen import say
from runner.cohort.pages import standing_of, write_pages
from runner.cohort.samples import CANDIDATES, CHALLENGES, SUBMISSIONS, grade_samples, sample_cohort
from runner.engines.choose import wish
from runner.grade import Order
from runner.intake import write_tree
from runner.lanes import grade_all
from runner.state_folder import default_state
from runner.store import attempts
from runner.store.store import open_store

_CHALLENGE = "inference-api"
_MEASURED = ("accepted/reference", "cheat/forged-report")
_SAMPLES = ("accepted/reference", "broken/honest-attempt", "slow/lookups-one-by-one", "cheat/forged-report")


@click.command("demo")
@click.option("-o", "--out", type=click.Path(file_okay=False, path_type=Path), default=Path("demo"), show_default=True)
@click.option("--lanes", type=click.IntRange(1, 32), default=len(_SAMPLES), show_default=True)
@click.option("--budgets/--no-budgets", default=True, help="Measure budgets of the reference and the hostile one.")
@options.engine
@options.runtime
def command(out: Path, lanes: int, budgets: bool, engine: str | None, runtime: str | None) -> None:
    """Grade the reference, an honest submission with faults, a slow one and a hostile one; then a cohort of samples.

    They wait more than they work, so all four are graded at the same time. Budgets are measured of the reference and
    the hostile one; for the two others and the cohort they stay open, to save time. They are our own, so a host that
    cannot enforce every limit will do: it is said which ones.
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
        orders = [_order(solutions[label], Path(scratch), budgets=budgets) for label in _SAMPLES]
        ended = grade_all(orders, challenge, bench, out, lanes)
        print_ended(ended)
        page = _cohort(bench, Path(scratch), out / "cohort", lanes)
    print(f"page    {page}")
    sys.exit(exit_code(ended, None))


def _cohort(bench: Bench, scratch: Path, out: Path, lanes: int) -> Path:
    """Grade the sample cohort in a store of its own, which is gone afterwards; give its first page."""
    say(
        f"grading a cohort: {SUBMISSIONS} submissions of {len(CANDIDATES)} candidates over {len(CHALLENGES)} challenges"
    )
    with open_store(scratch / "state", own=True) as store:
        kept, challenges = sample_cohort(store, scratch / "handed-in")
        with store.database.reading() as connection:
            counts = attempts.count(connection, kept.id)
        with teller(counts, lanes, as_json=False) as tell:
            grade_samples(store, bench, kept, challenges, lanes, tell)
        shutil.rmtree(out, ignore_errors=True)  # of an earlier demo
        page = write_pages(store, kept, out, say)
        print_ranking(standing_of(store, kept))
    return page


def _order(solution: Solution, scratch: Path, *, budgets: bool) -> Order:
    folder = scratch / solution.name
    folder.mkdir()
    write_tree(solution.contents, folder)
    return Order(folder, solution.name, unenforced_allowed=True, measures=budgets and solution.label in _MEASURED)
