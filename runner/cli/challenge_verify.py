"""`assay challenge verify`: proves a challenge, prints the matrix, and writes the certificate."""

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.challenge import Challenge
from assessments.check import Check
from assessments.outcome import Outcome
from runner import catalogue
from runner.bench import open_bench
from runner.certify import certificate
from runner.certify.prove import Proof, prove, require_different
from runner.certify.solutions import Solution, read_solutions
from runner.certify.verify import Row, Verified, idle_checks, times_graded, verify
from runner.challenge_files import CERTIFICATE
from runner.cli import options
from runner.cli.screen import OUTCOME_STYLES, data_console, end_with, say
from runner.engines.choose import EngineName, Wish, wish
from runner.reports.wording import count, part
from runner.state_folder import default_state

_UNMEASURED, _CHANGED = "-", "~"
_MARKS = {Outcome.PASSED: "·", Outcome.FAILED: "x", Outcome.INCONCLUSIVE: "?", Outcome.ERRORED: "!"}


@click.command("verify")
@click.argument("name")
@click.option(
    "--repeat",
    "--times",
    type=click.IntRange(1, 1000),
    default=3,
    show_default=True,
    help="Gradings of each accepted solution on each engine; of the others there are two in all.",
)
@click.option("--only", multiple=True, help="Only this solution, such as broken/batch-order-lost; may be repeated.")
@click.option("--budgets/--no-budgets", default=True, help="Measure budgets, a minute or two each.")
@click.option("--fresh", is_flag=True, help="Grade everything again, also what an earlier proof has graded.")
@options.lanes
@click.option(
    "--engine",
    "engines",
    multiple=True,
    type=click.Choice([*(name.value for name in EngineName), "all"]),
    help="The engine to prove it on; may be repeated; all: every one. [env: ASSAY_ENGINE; default: auto]",
)
@options.runtime
@options.challenges
@options.as_json
def command(
    name: str,
    repeat: int,
    only: Sequence[str],
    budgets: bool,
    fresh: bool,
    lanes: int | None,
    engines: Sequence[str],
    runtime: str | None,
    challenges: Path | None,
    as_json: bool,
) -> None:
    """Prove a challenge: grade every sample solution, print the matrix, and write its certificate if all is well.

    There is no certificate with --only, --no-budgets or --repeat 1. A proof that is ended before its end goes on where
    it was when it is run again; so does one with a greater --repeat.
    """
    challenge = catalogue.find(name, challenges)
    solutions = read_solutions(challenge)
    unknown = set(only) - {solution.label for solution in solutions}
    if unknown:
        raise click.UsageError(f"there is no solution {', '.join(sorted(unknown))} in {challenge.folder / 'solutions'}")
    chosen = [solution for solution in solutions if not only or solution.label in only]
    wishes = [wish(engine, runtime) for engine in _engines(engines)]
    total = len(wishes) * sum(times_graded(solution, repeat, len(wishes)) for solution in chosen)
    say(f"{count(len(chosen), 'solution')}, {count(total, 'grading')}")
    tell = _Teller(total)
    if only or not budgets:
        _try_some(challenge, chosen, wishes, tell, repeat, lanes, budgets=budgets, partly=bool(only), as_json=as_json)
        return
    proof = prove(
        challenge,
        chosen,
        wishes,
        state=default_state(),
        say=say,
        repeat=repeat,
        lanes=lanes,
        done=tell.row,
        fresh=fresh,
    )
    if proof.certificate:
        certificate.write(proof.certificate, challenge)
    if as_json:
        print(json.dumps(_proof(challenge, proof), indent=1))
    else:
        _print_matrix(challenge, proof.verified)
        _print_agreement(proof)
    undecided = sum(row.undecided for row in proof.verified.rows)
    if undecided:
        say(f"{count(undecided, 'grading')} left something undecided; run it again to make only those anew")
    end_with(proof.problems)
    without = " There is no certificate: that takes --repeat 2 or more." if proof.certificate is None else ""
    written = f" {challenge.folder / CERTIFICATE}" if proof.certificate else without
    say(f"{challenge.id} {challenge.version}: sound.{written}")


def _engines(named: Sequence[str]) -> Sequence[str | None]:
    """What to wish for; nothing named: what the environment says. Docker first: it may be missing."""
    if "all" in named:
        return [EngineName.DOCKER.value, EngineName.BUBBLEWRAP.value]
    return sorted(set(named), reverse=True) or [None]


class _Teller:
    """Says each row as it ends, and counts those that were kept from before."""

    def __init__(self, total: int) -> None:
        self._numbers = itertools.count(1)
        self._total = total

    def row(self, row: Row, kept: bool = False) -> None:
        number = next(self._numbers)
        verdict = "wrong" if row.problems else "as expected"
        if not kept:
            say(f"{number}/{self._total} {row.solution.label} {row.share:.0%} {verdict}")


def _try_some(
    challenge: Challenge,
    chosen: Sequence[Solution],
    wishes: Sequence[Wish],
    tell: _Teller,
    repeat: int,
    lanes: int | None,
    *,
    budgets: bool,
    partly: bool,
    as_json: bool,
) -> None:
    """Less than a proof: for an author at work."""
    require_different(wishes)
    rows: tuple[Row, ...] = ()
    for number, wanted in enumerate(wishes):
        with open_bench(default_state(), say, wanted) as bench:
            rows += verify(
                challenge,
                chosen,
                bench,
                times=repeat,
                lanes=lanes,
                done=tell.row,
                budgets=budgets,
                engines=len(wishes),
                first=number == 0,
            ).rows
    verified = Verified(rows, () if partly else idle_checks(challenge, chosen))
    if as_json:
        print(json.dumps(_verified(verified), indent=1))
    else:
        _print_matrix(challenge, verified)
    end_with(verified.problems)
    say(f"{challenge.id} {challenge.version}: as expected. There is no certificate, since not everything was tried.")


def _print_matrix(challenge: Challenge, verified: Verified) -> None:
    """One row a solution, one column a check; the columns' names stand below, by number."""
    several = len({row.engine.name for row in verified.rows}) > 1
    gradings: dict[tuple[str, str], list[Row]] = {}
    for row in verified.rows:
        gradings.setdefault((row.engine.name, row.solution.label), []).append(row)
    table = Table("solution", "graded", "score", "checks", "verdict", box=box.SIMPLE_HEAD)
    for (engine, label), rows in gradings.items():
        marks = Text.assemble(*(_mark(check, rows) for check in challenge.checks))
        wrong = sum(bool(row.problems) for row in rows)
        verdict = Text(f"wrong {wrong} of {len(rows)} times" if wrong else "as expected", "red" if wrong else "green")
        table.add_row(f"{label} on {engine}" if several else label, f"{len(rows)} x", _scores(rows), marks, verdict)
    console = data_console()
    console.print(table)
    console.print("one column a check: · passed, x failed, ! errored, ? inconclusive, ~ changed, - not measured")
    for number, check in enumerate(challenge.checks, start=1):
        failing = {row.solution.label for row in verified.rows if row.outcomes[check.id] is Outcome.FAILED}
        console.print(f"{number:4}  {check.id} ({check.skill}), failed by {len(failing)}")


def _mark(check: Check, rows: Sequence[Row]) -> tuple[str, str]:
    """A cell: what every grading said, or that they differ."""
    outcomes = {row.outcomes[check.id] for row in rows if check.id not in row.unmeasured}
    if not outcomes:
        return _UNMEASURED, "dim"
    if len(outcomes) > 1:
        return _CHANGED, "yellow"
    (outcome,) = outcomes
    return _MARKS[outcome], OUTCOME_STYLES[outcome]


def _scores(rows: Sequence[Row]) -> str:
    low, high = (f"{find(row.share for row in rows):.0%}" for find in (min, max))
    return low if low == high else f"{low} to {high}"


def _verified(verified: Verified) -> dict[str, object]:
    rows = [
        {
            "solution": row.solution.label,
            "engine": row.engine.name,
            "time": row.time,
            "share": row.share,
            "outcomes": dict(row.outcomes),
            "unmeasured": sorted(row.unmeasured),
            "problems": list(row.problems),
        }
        for row in verified.rows
    ]
    return {"sound": verified.sound, "rows": rows, "idle_checks": list(verified.idle_checks)}


def _proof(challenge: Challenge, proof: Proof) -> dict[str, object]:
    flaky = proof.flakiness
    return _verified(proof.verified) | {
        "sound": not proof.problems,
        "problems": list(proof.problems),
        "changed": list(proof.changed),
        "flakiness": {"changed": flaky.changed, "outcomes": flaky.outcomes, "share_max": flaky.share_max},
        "certificate": str(challenge.folder / CERTIFICATE) if proof.certificate else None,
    }


def _print_agreement(proof: Proof) -> None:
    """How steady the outcomes were."""
    flaky, console = proof.flakiness, data_console()
    sure = f"; 95% sure that fewer than {part(flaky.share_at_most)} would" if flaky.outcomes else ""
    console.print(f"{flaky.changed:,} of {flaky.outcomes:,} repeated outcomes changed{sure}")
    for line in proof.changed:
        console.print(Text(f"  {line}"))
