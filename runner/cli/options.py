"""Options that several commands share."""

from pathlib import Path

import rich_click as click

from runner.engines.choose import EngineName

challenges = click.option(
    "--challenges",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your own challenges. [env: ASSAY_CHALLENGES]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
unenforced = click.option(
    "--allow-unenforced",
    is_flag=True,
    help="Go on where this host cannot enforce a limit; the scorecard records it.",
)
engine = click.option(
    "--engine",
    type=click.Choice([name.value for name in EngineName]),
    help="What makes sandboxes; auto: Docker where one answers, else bubblewrap. [env: ASSAY_ENGINE; default: auto]",
)
runtime = click.option(
    "--runtime",
    help="A runtime of the Docker engine, such as runsc or kata. [env: ASSAY_RUNTIME; default: the engine's own]",
)
lanes = click.option(
    "--lanes", type=click.IntRange(1, 32), default=None, help="Gradings at the same time. [default: one a core]"
)
