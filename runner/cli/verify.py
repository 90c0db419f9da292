"""`assay verify`: whether results are whole, and follow from their own evidence."""

from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from assessments.errors import UsageError
from runner.recompute import differences
from runner.reports.wording import count
from runner.results import read_result


@click.command("verify")
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(results: Sequence[Path]) -> None:
    """Check RESULTS (a scorecard.json, or the folder of a grading): digests, rulings, points.

    Each budget's ruling is worked out again from the times of its requests. Ends with 2 if anything differs.
    """
    problems: list[str] = []
    for path in results:
        scorecard, _ = read_result(path)
        found = differences(scorecard)
        problems += [f"{path}: {problem}" for problem in found]
        if not found:
            rulings = count(sum(result.ruling is not None for result in scorecard.results), "ruling")
            click.echo(f"{path}: {count(len(scorecard.results), 'outcome')} and {rulings} follow from the evidence")
    if problems:
        raise UsageError(problems)
