"""`assay gc`: remove what dead runs left behind."""

import rich_click as click

from runner.engines.choose import choose, wish
from runner.engines.sweep import sweep
from runner.state_folder import default_state


@click.command("gc")
def command() -> None:
    """Remove the processes, cgroups, containers and folders of runs whose runner is dead.

    Living runs are left alone.
    """
    chosen = choose(wish(None, None))
    try:
        click.echo(f"removed {sweep(default_state(), chosen.daemon)}")
    finally:
        if chosen.daemon:
            chosen.daemon.close()
