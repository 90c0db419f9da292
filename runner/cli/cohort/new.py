"""`assay cohort new` makes one."""

from pathlib import Path

import rich_click as click

from runner import assessment_files
from runner.cli import options
from runner.cli.cohort.shared import ASSESSMENTS, NAME
from runner.cli.screen import say
from runner.cohort.make import make_cohort
from runner.state_folder import default_state
from runner.store.audit import doing_now
from runner.store.store import open_store


@click.command("new")
@NAME
@click.option("-a", "--assessment", required=True, help="An assessment's id, or the path of its file.")
@ASSESSMENTS
@options.challenges
@click.option(
    "--seed", type=click.IntRange(0, 2**62 - 1), help="Make hidden data from this seed. [default: a fresh one]"
)
@click.option("--allow-uncertified", is_flag=True, help="Go on with challenges that no current certificate proves.")
def new(
    name: str,
    assessment: str,
    assessments: Path | None,
    challenges: Path | None,
    seed: int | None,
    allow_uncertified: bool,
) -> None:
    """Make the cohort NAME of an assessment. It is held to the challenges as they are now."""
    found = assessment_files.find(assessment, assessments)
    with open_store(default_state()) as store:
        kept = make_cohort(
            store,
            name,
            found,
            doing_now(),
            challenges=challenges,
            seed=seed,
            uncertified_allowed=allow_uncertified,
        )
    parts = ", ".join(f"{pin.id} {pin.version}" for pin in kept.cohort.challenges)
    say(f"cohort {name}: {found.title} {found.version} ({parts}). Take submissions in: assay cohort add {name} PATH")
