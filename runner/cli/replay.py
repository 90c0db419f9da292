"""`assay replay`: grade the same bytes again with the same seed, and compare."""

import sys
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table

from assessments.errors import ExitCode
from runner import catalogue
from runner.bench import open_bench
from runner.challenge_files import challenge_digest
from runner.cli import options
from runner.cli.screen import OUTCOME_STYLES, data_console, say
from runner.cohort.replay import from_folder, from_store, replay
from runner.engines.choose import wish
from runner.reports.wording import percent
from runner.state_folder import default_state
from runner.store.store import open_store


@click.command("replay")
@click.argument("scorecard")
@options.challenges
@options.engine
@options.runtime
@options.unenforced
def command(
    scorecard: str, challenges: Path | None, engine: str | None, runtime: str | None, allow_unenforced: bool
) -> None:
    """Grade SCORECARD (a grading's folder, a scorecard.json, or the id of one in the store) again, and compare.

    Nothing is stored. Ends with 1 if an outcome differs.
    """
    if Path(scorecard).exists():
        recorded = from_folder(Path(scorecard))
    else:
        with open_store(default_state()) as store:
            recorded = from_store(store, scorecard)
    before = recorded.scorecard
    challenge = catalogue.find(before.challenge.id, challenges)
    if challenge_digest(challenge.folder) != before.challenge.digest:
        say(f"{challenge.id} has changed since: it was {before.challenge.version}, {before.challenge.digest[:12]}")
    with open_bench(default_state(), say, wish(engine, runtime)) as bench:
        found = replay(recorded, challenge, bench, unenforced_allowed=allow_unenforced)
    table = Table("check", "then", "now", box=box.SIMPLE_HEAD)
    for change in found.changes:
        then, now = (f"[{OUTCOME_STYLES[each]}]{each}[/]" for each in (change.before, change.after))
        table.add_row(change.check, then, now)
    if found.changes:
        data_console().print(table)
    share = percent(found.after.points.share)
    differs = (
        f"{len(found.changes)} of {len(found.after.checks)} outcomes differ; differs in: {', '.join(found.causes)}"
    )
    say(
        f"{share} now, {percent(before.points.share)} then: {differs if found.changes else 'every outcome is the same'}"
    )
    if found.changes or found.added or found.removed:
        sys.exit(ExitCode.GATE_FAILED)
