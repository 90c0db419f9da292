"""Kills a cohort's runner again and again, resumes it, and compares what came of it with an undisturbed run.

    python benchmarks/cohort_chaos.py [--submissions N] [--kills N] [--seed S] [--engine NAME]

The same small submissions are handed in to two stores with the same seed. One cohort runs undisturbed. The other's
runner is killed with SIGKILL at random moments (before its first grading, between two, within one, while one lands)
and resumed each time. In the end each submission must have just one scorecard, each outcome must be that of the
undisturbed run, `assay db check` must find nothing, and nothing may be left: no process, no control group, no
container, no folder. Exits with 1 otherwise.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from chaos import adopting_orphans, watching
from small_cohorts import ADD, ECHO, NAME, assay, outcomes, running, write_adders, write_echoes, write_role

from runner.engines.choose import EngineName
from runner.store.schema import ATTEMPTS, SCORECARDS
from runner.store.store import open_store

_SERVICES_SHARE = 0.2
_LAST_EVENT = 10
"""A kill comes after so many events of a run at most: it has graded about half as many."""
_AFTER_EVENT_S = 0.3
_CLEAN_WITHIN_S = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", default="bubblewrap", choices=[name.value for name in EngineName if name != "auto"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="assay-cohort-chaos-", dir="/var/tmp") as scratch, adopting_orphans():
        folder = Path(scratch)
        folder.chmod(0o711)
        return _try(folder, options)


def _try(folder: Path, options: argparse.Namespace) -> int:
    lists = _write_submissions(folder, options.submissions)
    how = ("--engine", options.engine, "--allow-unenforced", "--json")
    for name in ("undisturbed", "killed"):
        _hand_in(folder / name, folder, lists)
    assay(folder / "undisturbed", "cohort", "run", NAME, *how)
    expected = outcomes(folder / "undisturbed")
    state, engine = folder / "killed", EngineName(options.engine)
    moments = [_kill_one(state, how, random.Random(f"{options.seed} {each}")) for each in range(options.kills)]
    with watching(state, engine) as watch:
        started = time.monotonic()
        assay(state, "cohort", "resume", NAME, *how)
        took_s = time.monotonic() - started
        left = watch.until_clean(time.monotonic() + _CLEAN_WITHIN_S)
    problems = [
        *_wrong(state, options.submissions, expected),
        *(f"left behind: {kind} {what}" for kind, what in left.items() if what),
    ]
    killed = sum(moment is not None for moment in moments)
    print(f"{options.submissions} submissions on {options.engine}: {killed} of {options.kills} kills hit a living run")
    print(f"graded when killed: {', '.join(str(moment) for moment in moments if moment is not None)}")
    print(f"the last resume took {took_s:.1f} s")
    for problem in problems:
        print(f"WRONG: {problem}")
    print("none lost, none double, none different, nothing left" if not problems else f"{len(problems)} problems")
    return 1 if problems else 0


def _write_submissions(folder: Path, number: int) -> tuple[Path, ...]:
    services = round(number * _SERVICES_SHARE)
    return write_adders(folder / "adders", number - services), write_echoes(folder / "echoes", services)


def _hand_in(state: Path, folder: Path, lists: tuple[Path, ...]) -> None:
    role = write_role(folder, (ADD, ECHO))
    assay(state, "cohort", "new", NAME, "--assessment", role, "--seed", 7, "--allow-uncertified")
    for each in lists:
        assay(state, "cohort", "add", NAME, each)


def _kill_one(state: Path, how: tuple[str, ...], chance: random.Random) -> int | None:
    """Start the run, and kill it after a random event. Gives how many it had graded; None if it had ended by itself."""
    last, graded = chance.randrange(_LAST_EVENT), 0
    with running(state, "cohort", "resume", NAME, *how) as process:
        assert process.stdout
        if last == 0:
            time.sleep(chance.uniform(0, 3 * _AFTER_EVENT_S))  # while it sets up
        for _ in range(last):
            line = process.stdout.readline()
            graded += '"graded"' in line
            if not line:
                return None
        time.sleep(chance.uniform(0, _AFTER_EVENT_S))
        if process.poll() is not None:
            return None
        process.kill()
        process.wait()
    return graded


def _wrong(state: Path, submissions: int, expected: dict[tuple[str, str], list[tuple[str, str]]]) -> list[str]:
    """What is not as it must be."""
    with open_store(state) as store, store.database.reading() as connection:
        scorecards = connection.execute(SCORECARDS.select()).all()
        attempts = connection.execute(ATTEMPTS.select()).all()
    problems = []
    if len({card.submission_id for card in scorecards}) != submissions or len(scorecards) != submissions:
        problems.append(f"{len(scorecards)} scorecards of {submissions} submissions")
    problems += [f"attempt {one.id} is {one.state}: {one.problem}" for one in attempts if one.state != "ended"]
    found = outcomes(state)
    problems += [
        f"{key}: {found.get(key)}, undisturbed {expected.get(key)}"
        for key in expected
        if found.get(key) != expected[key]
    ]
    assay(state, "db", "check")
    return problems


if __name__ == "__main__":
    sys.exit(main())
