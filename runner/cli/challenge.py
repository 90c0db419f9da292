"""`assay challenge`: list, show, table, new, lint, verify, kit, schema."""

import json
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.challenge import Challenge, EntryKind
from assessments.check import Check
from assessments.errors import AssayError, UsageError
from assessments.manifest.read import read_challenge
from assessments.manifest.schema import ChallengeManifest
from runner import catalogue
from runner.certify.certificate import Current, Missing, Stale, certificate_of
from runner.certify.kit import write_kit
from runner.certify.lint import lint
from runner.certify.scaffold import new_challenge
from runner.cli import challenge_verify, options
from runner.cli.screen import data_console, end_with, say
from runner.nursery import open_nursery
from runner.reports.skills_table import skills_page
from runner.reports.wording import count


@click.group("challenge")
def command() -> None:
    """List, show, make, check and prove challenges; make a candidate's kit."""


command.add_command(challenge_verify.command)


@command.command("list")
@options.challenges
@options.as_json
def list_challenges(challenges: Path | None, as_json: bool) -> None:
    """List the challenges that can be used."""
    found: list[Challenge] = []
    broken: list[str] = []
    for folder in catalogue.folders(challenges):
        try:
            found.append(read_challenge(folder))
        except AssayError as error:
            broken += error.problems
    if as_json:
        print(json.dumps([_summary(challenge) for challenge in found], indent=1))
    else:
        table = Table("challenge", "title", "checks", "points", "minutes", "certificate", "roles", box=box.SIMPLE_HEAD)
        for challenge in found:
            points, minutes = f"{challenge.points_possible:g}", str(challenge.time_minutes)
            checks, proved = str(len(challenge.checks)), _certified(challenge)
            table.add_row(challenge.id, challenge.title, checks, points, minutes, proved, ", ".join(challenge.roles))
        data_console().print(table)
    end_with(broken)


@command.command("show")
@click.argument("name")
@options.challenges
@options.as_json
def show(name: str, challenges: Path | None, as_json: bool) -> None:
    """Show a challenge: what it asks, its limits and its checks."""
    challenge = catalogue.find(name, challenges)
    if as_json:
        print(json.dumps(_summary(challenge) | {"checks": [_check(check) for check in challenge.checks]}))
        return
    console = data_console()
    console.print(Text(f"{challenge.title}  ({challenge.id} {challenge.version})", style="bold"))
    console.print(Text(challenge.summary))
    limits = challenge.limits
    console.print(
        f"about {count(challenge.time_minutes, 'minute')}; "
        f"{challenge.points_possible:g} points, {challenge.pass_mark:.0%} to pass; "
        f"{limits.memory_bytes >> 20} MB, {limits.processes} processes, {limits.cpus:g} CPU"
    )
    for companion in challenge.companions:
        kind = "a program" if companion.program else "answered by the grader"
        console.print(f"companion {companion.id}, port {companion.port}: {kind}")
    console.print(Text(f"certificate: {_certified(challenge)}"))
    table = Table("check", "skill", "points", "visibility", "seconds", box=box.SIMPLE_HEAD)
    for check in challenge.checks:
        table.add_row(check.id, check.skill, f"{check.points:g}", check.visibility, f"{check.time_limit_s:g}")
    console.print(table)


@command.command("schema")
def schema() -> None:
    """Print the manifest's JSON Schema."""
    print(json.dumps(ChallengeManifest.model_json_schema(), indent=1))


@command.command("kit")
@click.argument("name")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Folder to make. [default: NAME-kit]")
@options.challenges
def kit(name: str, out: Path | None, challenges: Path | None) -> None:
    """Write the kit a candidate gets."""
    challenge = catalogue.find(name, challenges)
    target = out or Path(f"{challenge.id}-kit")
    write_kit(challenge, target)
    print(target)


@command.command("table")
@options.challenges
def table(challenges: Path | None) -> None:
    """Print which challenge is about which skill, and by which checks, as Markdown."""
    print(skills_page([read_challenge(folder) for folder in catalogue.folders(challenges)]), end="")


@command.command("new")
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in EntryKind]),
    default=EntryKind.SERVICE.value,
    show_default=True,
    help="A service that is asked over HTTP, or a job that is run.",
)
@options.challenges
def new(name: str, kind: str, challenges: Path | None) -> None:
    """Write a small, sound challenge to start from, into --challenges or else into this folder."""
    parent = catalogue.own_root(challenges) or Path()
    if not parent.is_dir():
        raise UsageError(f"{parent}: is no folder; make it first")
    folder = new_challenge(name, EntryKind(kind), parent)
    print(folder)
    named = folder if folder.is_absolute() else f"./{folder}"
    say(f"next: assay challenge lint {named}")
    say(f"then: assay challenge verify {named}")


@command.command("lint")
@click.argument("name")
@options.challenges
def lint_challenge(name: str, challenges: Path | None) -> None:
    """Check a challenge's files without running a submission."""
    challenge = catalogue.find(name, challenges)
    with open_nursery() as nursery:
        problems = lint(challenge, nursery)
    end_with(problems)
    say(f"{challenge.id}: nothing to mend")


def _summary(challenge: Challenge) -> dict[str, object]:
    return {
        "id": challenge.id,
        "version": challenge.version,
        "title": challenge.title,
        "summary": challenge.summary,
        "roles": list(challenge.roles),
        "skills": list(challenge.skills),
        "minutes": challenge.time_minutes,
        "points": challenge.points_possible,
        "certificate": _certified(challenge),
        "folder": str(challenge.folder),
    }


def _certified(challenge: Challenge) -> str:
    """The day it was proved, or why it counts as unproved."""
    match certificate_of(challenge):
        case Current(certificate):
            return f"{certificate.certified_at[:10]}, {' and '.join(certificate.engines)}"
        case Stale(reason):
            return f"not current: {reason}"
        case Missing():
            return "none"


def _check(check: Check) -> dict[str, object]:
    return {"id": check.id, "points": check.points, "skill": check.skill, "visibility": check.visibility}
