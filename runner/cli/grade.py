"""`assay grade`: grade one or several submissions of a challenge."""

import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.errors import ExitCode
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from runner import catalogue
from runner.bench import open_bench
from runner.certify import certificate
from runner.cli import options
from runner.cli.screen import OUTCOME_STYLES, data_console, print_problems, say
from runner.engines.choose import wish
from runner.grade import Order
from runner.lanes import Ended, grade_all
from runner.reports import document
from runner.reports.summary import score_text, worst_finding
from runner.reports.text import shown
from runner.state_folder import default_state

_CELL_BYTES = 160


@click.command("grade")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-c", "--challenge", "name", required=True, help="A challenge's id, or the path of its folder.")
@options.challenges
@click.option("--rev", "revision", help="Take the local git repository PATH at this revision.")
@click.option("--candidate", help="The candidate's label. [default: the name of PATH]")
@click.option(
    "-o",
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("assay-results"),
    show_default=True,
    help="Folder for scorecards and reports.",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Grade with this seed. [default: a fresh one]")
@click.option("--fail-under", type=click.FloatRange(0, 100), help="Exit with 1 if a score is below this percentage.")
@options.lanes
@options.engine
@options.runtime
@options.unenforced
@options.as_json
def command(
    paths: tuple[Path, ...],
    name: str,
    challenges: Path | None,
    revision: str | None,
    candidate: str | None,
    out: Path,
    seed: int | None,
    fail_under: float | None,
    lanes: int | None,
    engine: str | None,
    runtime: str | None,
    allow_unenforced: bool,
    as_json: bool,
) -> None:
    """Grade the submission at PATH: a folder, .zip, .tar, .tar.gz, or (with --rev) a local git repository.

    Several PATHs are graded in one run, each as its own candidate.
    """
    if candidate and len(paths) > 1:
        raise click.UsageError("--candidate names one candidate; leave it out to grade several PATHs")
    challenge = catalogue.find(name, challenges)
    orders = [Order(path, candidate or _label(path), revision, seed, allow_unenforced) for path in paths]
    with open_bench(default_state(), say, wish(engine, runtime)) as bench:
        doubt = certificate.warning(challenge, bench.engine.describe(unenforced_allowed=True).name)
        if doubt:
            print_problems([doubt])
        ended = grade_all(orders, challenge, bench, out, lanes)
    if as_json:
        documents = [document.dump(one.scorecard).decode() for one in ended if one.scorecard]
        print("".join(documents).strip() if len(ended) == 1 else f"[{','.join(documents)}]")
    else:
        print_ended(ended)
    print_problems(problem for one in ended for problem in one.problems)
    sys.exit(exit_code(ended, fail_under))


def _label(path: Path) -> str:
    """The name people know the submission by: the file's without its archive suffix, or the folder's."""
    name = path.resolve().name
    for suffix in (".tar.gz", ".tgz", ".zip", ".tar"):
        name = name.removesuffix(suffix)
    return name or "candidate"


def exit_code(ended: Sequence[Ended], fail_under: float | None) -> int:
    """The gravest code of any grading; the gate counts only when all have a verdict."""
    worst = max(one.exit_code for one in ended)
    if worst == 0 and fail_under is not None:
        reached = all(one.scorecard.points.reaches(fail_under / 100) for one in ended if one.scorecard)
        return ExitCode.DONE if reached else ExitCode.GATE_FAILED
    return worst


def print_ended(ended: Sequence[Ended]) -> None:
    console = data_console()
    if len(ended) == 1 and ended[0].scorecard:
        console.print(_checks_table(ended[0].scorecard))
    if len(ended) > 1 or ended[0].scorecard:
        console.print(_summary_table(ended))
    for one in ended:
        if one.folder:
            console.print(Text(f"report  {one.folder / 'report.html'}"), soft_wrap=True)
    _say_unenforced(ended)


def _summary_table(ended: Sequence[Ended]) -> Table:
    table = Table("candidate", "score", "checks passed", "worst finding", "seconds", box=box.SIMPLE_HEAD)
    for one in ended:
        seconds = f"{one.seconds:.1f}"
        if one.scorecard is None:
            table.add_row(_plain(one.order.candidate), "-", "-", "not graded, see below", seconds)
            continue
        passed = sum(result.outcome is Outcome.PASSED for result in one.scorecard.results)
        table.add_row(
            _plain(one.scorecard.candidate),
            score_text(one.scorecard),
            f"{passed} of {len(one.scorecard.results)}",
            _plain(worst_finding(one.scorecard)),
            seconds,
        )
    return table


def _checks_table(scorecard: Scorecard) -> Table:
    table = Table("check", "skill", "points", "outcome", "why", box=box.SIMPLE_HEAD)
    for result in scorecard.results:
        outcome = Text(result.outcome, style=OUTCOME_STYLES[result.outcome])
        why = _plain(result.message.partition("\n")[0])
        table.add_row(result.check.id, result.check.skill, f"{result.check.points:g}", outcome, why)
    return table


def _say_unenforced(ended: Sequence[Ended]) -> None:
    scorecard = next((one.scorecard for one in ended if one.scorecard), None)
    for control in scorecard.engine.unenforced if scorecard else ():
        say(f"not enforced on this host: {control.name} ({control.how})")


def _plain(text: str) -> Text:
    """Untrusted text for a terminal: no control characters, bounded, never read as markup."""
    cell = shown(text, _CELL_BYTES)
    return Text(f"{cell.text}…" if cell.note else cell.text)
