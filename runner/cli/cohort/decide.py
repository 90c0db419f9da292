"""`assay cohort close` and `purge`."""

import rich_click as click

from runner.cli.cohort.shared import NAME, kept_cohort
from runner.cli.screen import say
from runner.cohort import purge as purging
from runner.reports.wording import count
from runner.state_folder import default_state
from runner.store import cohorts
from runner.store.audit import doing_now
from runner.store.store import open_store


@click.command("close")
@NAME
def close(name: str) -> None:
    """Let nothing be handed in any more. Grading goes on."""
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        with store.database.writing() as connection:
            cohorts.close(connection, kept, doing_now())
    say(f"cohort {name} is closed")


@click.command("purge")
@NAME
@click.option("--yes", is_flag=True, help="Do it without asking.")
def purge(name: str, yes: bool) -> None:
    """Remove the submissions, scorecards and marks of the cohort NAME for good. What was done when stays in the log."""
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        if not yes:
            click.confirm(
                f"Remove everything that was handed in to {name}, and every score? There is no way back", abort=True
            )
        removed = purging.purge(store, kept, doing_now())
    what = f"{count(removed.submissions, 'submission')} and {count(removed.scorecards, 'scorecard')}"
    say(f"cohort {name}: {what} removed")
