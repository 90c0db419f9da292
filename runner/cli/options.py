"""Options that several commands share."""

from pathlib import Path

import rich_click as click

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
lanes = click.option(
    "--lanes", type=click.IntRange(1, 32), default=None, help="Gradings at the same time. [default: one a core]"
)
