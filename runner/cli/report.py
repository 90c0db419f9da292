"""`assay report`: pages from scorecards, and exports of them."""

import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from assessments.errors import InfrastructureError
from runner.reports.html import Audience, render
from runner.results import read_result

_audience = click.option(
    "--for",
    "audience",
    type=click.Choice([audience.value for audience in Audience]),
    default="interviewer",
    show_default=True,
    help="A candidate's copy holds nothing hidden.",
)
_results = click.argument("results", metavar="RESULT...", nargs=-1, required=True, type=click.Path(path_type=Path))
_out = click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="[default: standard output]")


@click.group("report")
def command() -> None:
    """Build reports from scorecards."""


@command.command("build")
@click.argument("scorecard", type=click.Path(path_type=Path))
@_audience
@_out
def build(scorecard: Path, audience: str, out: Path | None) -> None:
    """Build the HTML page of SCORECARD (a scorecard.json, or the folder of a grading)."""
    graded, sources = read_result(scorecard)
    _write(out, render(graded, sources, Audience(audience)).encode())


@command.command("pdf")
@_results
@_audience
@click.option("-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The PDF to write.")
def pdf_file(results: Sequence[Path], audience: str, out: Path) -> None:
    """Write the pages of each RESULT (a scorecard.json, or the folder of a grading) to one PDF.

    Needs WeasyPrint and Pango; where they are missing it says how to install them.
    """
    from runner.reports.pdf import pdf

    graded = (read_result(result) for result in results)
    _write(out, pdf(*(render(scorecard, sources, Audience(audience)) for scorecard, sources in graded)))


@command.command("junit")
@_results
@_out
def junit_file(results: Sequence[Path], out: Path | None) -> None:
    """Write each RESULT (a scorecard.json, or the folder of a grading) as a suite of one JUnit XML document.

    Hidden checks stand in it by name: it is not for candidates.
    """
    from runner.reports.junit import junit

    _write(out, junit([read_result(result)[0] for result in results]))


def _write(out: Path | None, data: bytes) -> None:
    """To the file, and say so, or to standard output. Raises InfrastructureError."""
    if out is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise InfrastructureError(f"{out}: could not be written: {error.strerror}") from error
    click.echo(f"{out}", err=True)
