"""What the verbs of `assay cohort` share."""

from collections.abc import Mapping
from pathlib import Path

import rich_click as click

from assessments.challenge import Challenge
from runner import catalogue
from runner.store import cohorts
from runner.store.cohorts import Kept
from runner.store.store import Store

NAME = click.argument("name")
ASSESSMENTS = click.option(
    "--assessments",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your own assessments. [env: ASSAY_ASSESSMENTS]",
)


def kept_cohort(store: Store, name: str) -> Kept:
    """The cohort of this name. Raises UsageError."""
    with store.database.reading() as connection:
        return cohorts.find(connection, name)


def challenges_of(kept: Kept, folder: Path | None) -> Mapping[str, Challenge]:
    """Its challenges as they are now, whether or not they are those it is held to."""
    return {pin.id: catalogue.find(pin.id, folder) for pin in kept.cohort.challenges}
