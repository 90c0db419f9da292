"""`assay challenge`: list, show, lint, verify, kit, schema."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.challenge import Challenge
from assessments.check import Check
from assessments.errors import AssayError, ExitCode
from assessments.manifest.read import read_challenge
from assessments.manifest.schema import ChallengeManifest
from assessments.outcome import Outcome
from runner import catalogue
from runner.bench import default_state, open_bench
from runner.certify.kit import write_kit
from runner.certify.lint import lint
from runner.certify.solutions import Kind, read_solutions
from runner.certify.verify import Certificate, Row, verify
from runner.cli import options
from runner.cli.screen import OUTCOME_STYLES, data_console, print_problems, say
from runner.engines.choose import wish
from runner.nursery import open_nursery
from runner.reports.wording import count

_MARKS = {Outcome.PASSED: "·", Outcome.FAILED: "x", Outcome.INCONCLUSIVE: "?", Outcome.ERRORED: "!"}


@click.group("challenge")
def command() -> None:
    """List, show, check and prove challenges; make a candidate's kit."""


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
        table = Table("challenge", "title", "checks", "points", "minutes", "roles", box=box.SIMPLE_HEAD)
        for challenge in found:
            points, minutes = f"{challenge.points_possible:g}", str(challenge.time_minutes)
            checks = str(len(challenge.checks))
            table.add_row(challenge.id, challenge.title, checks, points, minutes, ", ".join(challenge.roles))
        data_console().print(table)
    _end_with(broken)


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


@command.command("lint")
@click.argument("name")
@options.challenges
def lint_challenge(name: str, challenges: Path | None) -> None:
    """Check a challenge's files without running a submission."""
    challenge = catalogue.find(name, challenges)
    with open_nursery() as nursery:
        problems = lint(challenge, nursery)
    _end_with(problems)
    say(f"{challenge.id}: nothing to mend")


@command.command("verify")
@click.argument("name")
@click.option("--times", type=click.IntRange(1, 1000), default=2, show_default=True, help="Gradings of accepted ones.")
@click.option("--only", multiple=True, help="Only this solution, such as broken/batch-order-lost; may be repeated.")
@click.option("--budgets/--no-budgets", default=True, help="Measure budgets, a minute or two each.")
@options.lanes
@options.engine
@options.runtime
@options.challenges
@options.as_json
def verify_challenge(
    name: str,
    times: int,
    only: Sequence[str],
    budgets: bool,
    lanes: int | None,
    engine: str | None,
    runtime: str | None,
    challenges: Path | None,
    as_json: bool,
) -> None:
    """Prove a challenge: grade every sample solution, and print the matrix of solutions against checks."""
    challenge = catalogue.find(name, challenges)
    solutions = read_solutions(challenge)
    unknown = set(only) - {solution.label for solution in solutions}
    if unknown:
        raise click.UsageError(f"there is no solution {', '.join(sorted(unknown))} in {challenge.folder / 'solutions'}")
    chosen = [solution for solution in solutions if not only or solution.label in only]
    total = sum(times if solution.kind is Kind.ACCEPTED else 1 for solution in chosen)
    say(f"{count(len(chosen), 'solution')}, {count(total, 'grading')}")
    done: list[Row] = []

    def tell(row: Row) -> None:
        done.append(row)
        verdict = "wrong" if row.problems else "as expected"
        say(f"{len(done)}/{total} {row.solution.label} {row.share:.0%} {verdict}")

    with open_bench(default_state(), say, wish(engine, runtime)) as bench:
        certificate = verify(challenge, chosen, bench, times=times, lanes=lanes, done=tell, budgets=budgets)
    if as_json:
        print(json.dumps(_certificate(certificate), indent=1))
    else:
        _print_matrix(challenge, certificate)
    problems = certificate.problems if not only else tuple(p for row in certificate.rows for p in row.problems)
    _end_with(problems)
    say(f"{challenge.id} {challenge.version}: {'as expected' if only else 'sound'}")


def _print_matrix(challenge: Challenge, certificate: Certificate) -> None:
    """One row a grading, one column a check; the columns' names stand below, by number."""
    table = Table("solution", "score", "checks", "verdict", box=box.SIMPLE_HEAD)
    for row in certificate.rows:
        marks = Text()
        for check in challenge.checks:
            outcome = row.outcomes[check.id]
            marks.append(_MARKS[outcome], style=OUTCOME_STYLES[outcome])
        again = f" ({row.time})" if row.time > 1 else ""
        verdict = Text("wrong", style="red") if row.problems else Text("as expected", style="green")
        table.add_row(f"{row.solution.label}{again}", f"{row.share:.0%}", marks, verdict)
    console = data_console()
    console.print(table)
    console.print("one column a check: · passed, x failed, ! errored, ? inconclusive")
    for number, check in enumerate(challenge.checks, start=1):
        fails = sum(row.outcomes[check.id] is Outcome.FAILED for row in certificate.rows)
        console.print(f"{number:4}  {check.id} ({check.skill}), failed by {fails}")


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
        "folder": str(challenge.folder),
    }


def _check(check: Check) -> dict[str, object]:
    return {"id": check.id, "points": check.points, "skill": check.skill, "visibility": check.visibility}


def _certificate(certificate: Certificate) -> dict[str, object]:
    rows = [
        {
            "solution": row.solution.label,
            "time": row.time,
            "share": row.share,
            "outcomes": dict(row.outcomes),
            "problems": list(row.problems),
        }
        for row in certificate.rows
    ]
    return {"sound": certificate.sound, "rows": rows, "idle_checks": list(certificate.idle_checks)}


def _end_with(problems: Sequence[str]) -> None:
    """Leave with the exit code for an invalid challenge, if there are problems."""
    print_problems(problems)
    if problems:
        sys.exit(ExitCode.INVALID)
