"""`assay doctor`: what this machine can and cannot do, found out by trying."""

import dataclasses
import json
import sys

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.errors import ExitCode
from runner.cli import options
from runner.cli.screen import data_console, say
from runner.doctor.examine import Examination, Verdict, examine
from runner.doctor.host import Finding, Level
from runner.engines.choose import wish
from runner.state_folder import default_state

_STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.LIMITED: "yellow", Level.BROKEN: "red"}


@click.command("doctor")
@options.engine
@options.runtime
@options.as_json
def command(engine: str | None, runtime: str | None, as_json: bool) -> None:
    """Try every control in real sandboxes of each engine, and say whether a graded run can be had here.

    Exits with 4 when it cannot: something is broken, or a limit is not enforced by the engine that would be used.
    """
    found = examine(default_state(), say, wish(engine, runtime))
    if as_json:
        print(json.dumps(_document(found), indent=1))
    else:
        for title in ("", *dict.fromkeys(finding.engine for finding in found.findings if finding.engine)):
            findings = [finding for finding in found.findings if finding.engine == title]
            data_console().print(_table(title or "this host", findings))
        print(_verdict(found))
    sys.exit(ExitCode.DONE if found.verdict is Verdict.READY else ExitCode.INFRASTRUCTURE)


def _document(found: Examination) -> dict[str, object]:
    return {
        "verdict": found.verdict,
        "engine": found.engine,
        "why": found.why,
        "findings": [dataclasses.asdict(finding) for finding in found.findings],
    }


def _table(title: str, findings: list[Finding]) -> Table:
    table = Table(title, "state", "seen", "fix", box=box.SIMPLE_HEAD)
    for finding in findings:
        table.add_row(finding.topic, Text(finding.level, style=_STYLES[finding.level]), finding.seen, finding.fix)
    return table


def _verdict(found: Examination) -> str:
    if found.engine is None:
        return f"No submission can be graded here as asked: {found.why}."
    used = f"A graded run would use {found.engine}: {found.why}."
    match found.verdict:
        case Verdict.READY:
            return f"{used} Every control is enforced."
        case Verdict.REFUSED:
            return f"{used} It is refused, since some limits are not enforced; --allow-unenforced goes on all the same."
        case Verdict.IMPOSSIBLE:
            return f"{used} It is impossible: mend what is broken first."
