"""`assay assessment`: list, show, lint, schema."""

import json
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.assessment import Assessment
from assessments.errors import AssayError
from assessments.manifest.assessment_schema import AssessmentManifest
from assessments.manifest.read_assessment import read_assessment
from runner import assessment_files
from runner.cli import options
from runner.cli.screen import data_console, end_with, say
from runner.reports.wording import count, percent

_assessments = click.option(
    "--assessments",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder of your own assessments. [env: ASSAY_ASSESSMENTS]",
)


@click.group("assessment")
def command() -> None:
    """List, show and check assessments: the challenges and weights for a role."""


@command.command("list")
@_assessments
@options.as_json
def list_assessments(assessments: Path | None, as_json: bool) -> None:
    """List the assessments that can be used."""
    found: list[Assessment] = []
    broken: list[str] = []
    for path in assessment_files.files(assessments):
        try:
            found.append(read_assessment(path))
        except AssayError as error:
            broken += error.problems
    if as_json:
        print(json.dumps([_summary(assessment) for assessment in found], indent=1))
    else:
        table = Table("assessment", "title", "challenges", "hours", "to pass", box=box.SIMPLE_HEAD)
        for one in found:
            challenges = ", ".join(part.challenge for part in one.parts)
            table.add_row(one.id, one.title, challenges, f"{one.window_hours:g}", percent(one.pass_mark.share))
        data_console().print(table)
    end_with(broken)


@command.command("show")
@click.argument("name")
@_assessments
@options.challenges
@options.as_json
def show(name: str, assessments: Path | None, challenges: Path | None, as_json: bool) -> None:
    """Show an assessment: its challenges, how each skill is weighed, and when it is passed."""
    assessment = assessment_files.find(name, assessments)
    if as_json:
        print(json.dumps(_summary(assessment), indent=1))
        return
    console, mark = data_console(), assessment.pass_mark
    console.print(Text(f"{assessment.title}  ({assessment.id} {assessment.version})", style="bold"))
    console.print(Text(assessment.summary))
    console.print(
        f"{assessment.window_hours:g} hours, {count(assessment.attempts, 'attempt')} a challenge; "
        f"afterwards the candidate sees: {assessment.feedback}"
    )
    console.print(
        f"passed from {percent(mark.passed_from)}, not passed below {percent(mark.not_passed_below)}, "
        "too close to call in between"
    )
    found = assessment_files.challenges_of(assessment, challenges)
    table = Table("challenge", "part", "minutes", "skills and their weights", box=box.SIMPLE_HEAD)
    for part in assessment.parts:
        challenge = found.get(part.challenge)
        skills = [f"{skill} {assessment.skill_weight(skill):g}" for skill in challenge.skills] if challenge else []
        minutes = str(challenge.time_minutes) if challenge else "-"
        share = f"{assessment.part_share(part):.0%}"
        table.add_row(part.challenge, share, minutes, ", ".join(skills) or "there is no such challenge")
    console.print(table)


@command.command("lint")
@click.argument("names", nargs=-1)
@_assessments
@options.challenges
def lint(names: Sequence[str], assessments: Path | None, challenges: Path | None) -> None:
    """Check assessments (all of them, unless some are named) beside the challenges they are made of."""
    paths = [assessment_files.find(name, assessments).path for name in names] or [*assessment_files.files(assessments)]
    end_with([problem for path in paths for problem in assessment_files.lint(path, challenges)])
    say(f"{count(len(paths), 'assessment')}: nothing to mend")


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of an assessment's file."""
    print(json.dumps(AssessmentManifest.model_json_schema(), indent=1))


def _summary(assessment: Assessment) -> dict[str, object]:
    mark = assessment.pass_mark
    return {
        "id": assessment.id,
        "version": assessment.version,
        "title": assessment.title,
        "summary": assessment.summary,
        "window_hours": assessment.window_hours,
        "attempts": assessment.attempts,
        "feedback": assessment.feedback,
        "pass_mark": {"share": mark.share, "doubt": mark.doubt},
        "challenges": [{"id": part.challenge, "weight": part.weight} for part in assessment.parts],
        "skills": dict(assessment.skill_weights),
    }
