"""`assay doctor`: what this machine can and cannot do, found out by trying."""

import dataclasses
import json
import sys

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.errors import ExitCode
from runner.bench import default_state
from runner.cli import options
from runner.cli.screen import data_console, say
from runner.doctor.examine import Level, examine

_STYLES = {Level.OK: "green", Level.LIMITED: "yellow", Level.BROKEN: "red"}


@click.command("doctor")
@options.as_json
def command(as_json: bool) -> None:
    """Try every control in a real sandbox, and say whether a graded run can be had here.

    Exits with 4 when it cannot: something is broken, or a limit is not enforced.
    """
    findings = examine(default_state(), say)
    worst = {finding.level for finding in findings}
    if as_json:
        print(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=1))
    else:
        table = Table("topic", "state", "seen", "fix", box=box.SIMPLE_HEAD)
        for finding in findings:
            table.add_row(finding.topic, Text(finding.level, style=_STYLES[finding.level]), finding.seen, finding.fix)
        data_console().print(table)
        print(_verdict(worst))
    sys.exit(ExitCode.INFRASTRUCTURE if worst - {Level.OK} else ExitCode.DONE)


def _verdict(levels: set[Level]) -> str:
    if Level.BROKEN in levels:
        return "No submission can be graded here: mend what is broken first."
    if Level.LIMITED in levels:
        return (
            "A graded run is refused here, since some limits are not enforced; --allow-unenforced goes on all the same."
        )
    return "Graded runs use bubblewrap here, with every control enforced."
