"""`assay gc`: remove what dead runs left behind."""

import rich_click as click

from runner.bench import default_state
from runner.engines.runs import sweep


@click.command("gc")
def command() -> None:
    """Remove the processes, cgroups and folders of runs whose runner is dead. Living runs are left alone."""
    swept = sweep(default_state())
    click.echo(f"removed {swept.runs} dead runs: {swept.processes} processes, {swept.cgroups} cgroups")
