"""`assay cohort report`, `compare`, `similar` and `export`."""

import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from assessments.errors import UsageError
from runner.cli.cohort.ranking import print_ranking
from runner.cli.cohort.shared import NAME, kept_cohort
from runner.cli.screen import say
from runner.cohort.exports import KINDS, export_cohort
from runner.cohort.pages import named, side_by_side_page, similar_pairs, standing_of, write_pages
from runner.reports.cohort.compare import render_comparison
from runner.state_folder import default_state
from runner.store.audit import now
from runner.store.store import open_store

_OUT = click.option(
    "-o", "--out", required=True, type=click.Path(dir_okay=False, path_type=Path), help="The page's file."
)


@click.command("report")
@NAME
@click.option(
    "-o", "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the pages. [default: NAME-pages]"
)
@click.option("--reports/--no-reports", default=True, help="Make each submission's report, too.")
def report(name: str, out: Path | None, reports: bool) -> None:
    """Make the pages of the cohort NAME: its ranking, what to look at first, and each submission's report."""
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        page = write_pages(store, kept, out or Path(f"{name}-pages"), say, reports=reports)
        print_ranking(standing_of(store, kept))
    print(f"page  {page}")


@click.command("compare")
@NAME
@click.argument("candidates", nargs=-1, required=True)
@_OUT
def compare(name: str, candidates: Sequence[str], out: Path) -> None:
    """Set two or three CANDIDATES of the cohort NAME side by side."""
    if not 2 <= len(candidates) <= 3:
        raise UsageError("name two or three candidates to compare")
    with open_store(default_state()) as store:
        standing = standing_of(store, kept_cohort(store, name))
    out.write_text(render_comparison(named(standing, candidates), standing.kept.cohort, {}, now()), "utf-8")
    print(f"page  {out}")


@click.command("similar")
@NAME
@click.argument("first", required=False)
@click.argument("second", required=False)
@click.option("-c", "--challenge", help="Of this challenge; needed where both handed in several.")
@click.option("-o", "--out", type=click.Path(dir_okay=False, path_type=Path), help="The page's file.")
def similar_code(name: str, first: str | None, second: str | None, challenge: str | None, out: Path | None) -> None:
    """List whose code is alike in the cohort NAME; with two candidates and --out, show theirs side by side."""
    with open_store(default_state()) as store:
        standing = standing_of(store, kept_cohort(store, name))
        if first is None or second is None or out is None:
            for of, pairs in similar_pairs(store, standing).items():
                for pair in pairs:
                    print(f"{pair.share:.2f}  {of}  {pair.first!r}  {pair.second!r}")
            return
        one, other = named(standing, [first, second])
        shared = [each for each in one.submissions if each in other.submissions and challenge in (None, each)]
        if len(shared) != 1:
            raise UsageError(f"name one challenge that both handed in, with --challenge: {', '.join(shared) or 'none'}")
        page = side_by_side_page(store, standing.kept, one.submissions[shared[0]], other.submissions[shared[0]])
    out.write_text(page, "utf-8")
    print(f"page  {out}")


@click.command("export")
@NAME
@click.option("--format", "kind", type=click.Choice(KINDS), required=True)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A file; of scorecards a folder. [default: stdout]")
def export(name: str, kind: str, out: Path | None) -> None:
    """Export the cohort NAME: json (all of it), csv (a row a candidate), results (a row a check), junit, scorecards."""
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        data = export_cohort(store, kept, kind, out)
    if data is None:
        say(f"{out}: the scorecards that count, each with its signature and submission")
    elif out:
        out.write_bytes(data)
    else:
        sys.stdout.buffer.write(data)
