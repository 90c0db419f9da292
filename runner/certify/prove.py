"""The whole proof of a challenge: what lint finds, every solution on every engine, and whether it all agrees."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from assessments.challenge import Challenge
from assessments.errors import UsageError
from runner.bench import open_bench
from runner.certify import certificate
from runner.certify.agreement import Flakiness, changed_cells, engine_differences, flakiness
from runner.certify.certificate import Certificate
from runner.certify.judged import Judged, judged
from runner.certify.kept import open_kept
from runner.certify.lint import lint_files
from runner.certify.solutions import Solution
from runner.certify.verify import Row, Verified, gradings, idle_checks, lacks_budgets, verify
from runner.challenge_files import ChallengeDigests, challenge_digests
from runner.engines.choose import Wish, choose
from runner.engines.rootfs import Say
from runner.host import this_host
from runner.reports.wording import count

MIN_REPEAT = 2
"""Graded once, nothing can be said of outcomes that change."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Every grading, and everything that is wrong."""

    verified: Verified
    flakiness: Flakiness
    changed: tuple[str, ...]
    """The outcomes that were not the same each time, in words."""
    problems: tuple[str, ...]
    certificate: Certificate | None
    """None where something is wrong, or not everything was tried."""


def prove(
    challenge: Challenge,
    solutions: Sequence[Solution],
    engines: Sequence[Wish],
    *,
    state: Path,
    say: Say,
    repeat: int,
    lanes: int | None,
    done: Callable[[Row, bool], None],
    fresh: bool = False,
) -> Proof:
    """Grade all solutions on each engine, one engine after the other, budgets included.

    What an earlier proof of the very same graded is not graded again, unless `fresh`. `done` hears of each row, and
    whether it was kept from before. Raises what opening a bench raises, for an engine that was asked for and is not
    there gives no certificate; and UsageError where two of those that were asked for are the same.
    """
    require_different(engines)
    before = challenge_digests(challenge.folder)
    rows: dict[str, tuple[Row, ...]] = {}
    told: tuple[str, ...] = ()
    judges = Judged({}, ())
    with open_kept(state, challenge, before, fresh=fresh) as kept:

        def ended(row: Row) -> None:
            if challenge_digests(challenge.folder) == before:
                kept.add(row)
            done(row, False)

        for number, wanted in enumerate(engines):
            with open_bench(state, say, wanted) as bench:
                engine = bench.engine.describe(unenforced_allowed=True)
                if not rows:
                    judges = judged(challenge, bench.nursery)
                    told = _told(challenge, judges, say)
                found = kept.rows(gradings(solutions, repeat, len(engines)), engine, bench.environment_ref(challenge))
                known = {key: row for key, row in found.items() if not lacks_budgets(challenge, row, number == 0)}
                if known:
                    say(f"{count(len(known), 'grading')} on {engine.name} kept from an earlier proof")
                for row in known.values():
                    done(row, True)
                rows[engine.name] = verify(
                    challenge,
                    solutions,
                    bench,
                    times=repeat,
                    lanes=lanes,
                    done=ended,
                    known=known,
                    engines=len(engines),
                    first=number == 0,
                ).rows
        graded_again = kept.graded_again
    verified = Verified(
        tuple(row for of_engine in rows.values() for row in of_engine), idle_checks(challenge, solutions)
    )
    flaky = flakiness(verified.rows)
    problems = (
        *told,
        *verified.problems,
        *engine_differences(verified.rows),
        *flaky.problems,
        *_moved(before, challenge),
    )
    issued = None
    if not problems and repeat >= MIN_REPEAT:
        issued = certificate.issue(
            challenge,
            before,
            verified.rows,
            host=this_host(),
            repeat=repeat,
            flakiness=flaky,
            judge_data=judges.answers,
            graded_again=graded_again,
        )
    return Proof(verified, flaky, changed_cells(verified.rows), problems, issued)


def require_different(engines: Sequence[Wish]) -> None:
    """Raises UsageError where two of these are one engine, which would be graded on half as often as it should be."""
    chosen = [choose(wanted) for wanted in engines]
    for one in chosen:
        if one.daemon:
            one.daemon.close()
    if len({one.daemon is None for one in chosen}) < len(chosen):
        raise UsageError("the same engine was asked for twice; name each engine once")


def _told(challenge: Challenge, judges: Judged, say: Say) -> tuple[str, ...]:
    """What needs no grading to be seen, said before the long part starts."""
    problems = (*lint_files(challenge), *judges.problems)
    for problem in problems:
        say(f"there will be no certificate: {problem}")
    return problems


def _moved(before: ChallengeDigests, challenge: Challenge) -> tuple[str, ...]:
    if challenge_digests(challenge.folder) == before:
        return ()
    return (f"{challenge.folder}: was changed while it was being proved; prove it again",)
