"""`assay db`: upgrade, check, backup."""

from pathlib import Path

import rich_click as click

from runner.cli.screen import end_with, say
from runner.reports.wording import count
from runner.state_folder import default_state
from runner.store import migrations
from runner.store.backup import back_up
from runner.store.check import check as check_store
from runner.store.store import open_store


@click.group("db")
def command() -> None:
    """Look after the store: upgrade, check, back up."""


@command.command("upgrade")
def upgrade() -> None:
    """Bring the database to this version of Assay. Run `assay db backup` before."""
    with open_store(default_state(), upgrade=True) as store:
        say(f"{store.database.name}: version {migrations.version_of(store.database)}")


@command.command("check")
def check() -> None:
    """Check that everything fits together: rows, the audit log's chain, signatures, bytes. Ends with 3 if not.

    Note down the last digest it prints, elsewhere: while the log begins with what led to it, nobody has changed it.
    """
    with open_store(default_state()) as store:
        found = check_store(store)
        name = store.database.name
    end_with(found.problems)
    submissions, scorecards = count(found.submissions, "submission"), count(found.scorecards, "scorecard")
    print(f"{name}: {submissions} and {scorecards}, all whole; audit log: {found.entries} entries, last {found.head}")
    if found.unclaimed:
        say(f"{count(found.unclaimed, 'artefact')} that nothing names, left by something that was killed: harmless")


@command.command("backup")
@click.argument("folder", type=click.Path(path_type=Path))
def backup(folder: Path) -> None:
    """Copy the whole store into the new FOLDER, also while a cohort runs. To put it back: see the operators' page."""
    with open_store(default_state(), as_it_is=True) as store:
        back_up(store, folder)
    say(f"{folder}: database, artefacts and signing key. Whoever has the key can sign as you: keep it safe")
