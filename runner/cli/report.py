"""`assay report`: pages from scorecards."""

from pathlib import Path

import rich_click as click

from assessments.errors import InfrastructureError
from runner.reports.html import Audience, render
from runner.results import read_result


@click.group("report")
def command() -> None:
    """Build reports from scorecards."""


@command.command("build")
@click.argument("scorecard", type=click.Path(path_type=Path))
@click.option(
    "--for",
    "audience",
    type=click.Choice([audience.value for audience in Audience]),
    default="interviewer",
    show_default=True,
    help="A candidate's copy holds nothing hidden.",
)
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: standard output]")
def build(scorecard: Path, audience: str, out: Path | None) -> None:
    """Build the HTML page of SCORECARD (a scorecard.json, or the folder of a grading)."""
    graded, sources = read_result(scorecard)
    page = render(graded, sources, Audience(audience))
    if out is None:
        click.echo(page, nl=False)
        return
    try:
        out.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InfrastructureError(f"{out}: could not be written: {error.strerror}") from error
    click.echo(f"{out}", err=True)
