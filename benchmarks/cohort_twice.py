"""Grades the same cohort twice on a busy machine, and compares: a `run`, then a `regrade` beside it.

    python benchmarks/cohort_twice.py [--timed N] [--small N] [--engine NAME]

Two processes burn CPU all the while. The cohort has services whose speed is known, at 1, 1.05, 2 and 3 times the
reference's work in turns, and small submissions that are right, wrong or broken. Every outcome that is not a budget's
must be the same both times, and no budget may go from passed to failed or back; that one is undecided is allowed, and
counted. Exits with 1 otherwise.
"""

import argparse
import contextlib
import importlib.util
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from small_cohorts import ADD, ECHO, NAME, SAMPLES, assay, outcomes, write_adders, write_echoes, write_role

from runner.engines.choose import EngineName

_TIMED = "timed-service"
_TIMES = (1.0, 1.05, 2.0, 3.0)
_BUDGETS = {"answers-in-time", "spends-little"}
_BURNERS = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--timed", type=int, default=8)
    parser.add_argument("--small", type=int, default=40)
    parser.add_argument("--engine", default="bubblewrap", choices=[name.value for name in EngineName if name != "auto"])
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the burners end with it
    how = ("--engine", options.engine, "--allow-unenforced", "--json")
    with tempfile.TemporaryDirectory(prefix="assay-cohort-twice-", dir="/var/tmp") as scratch, _burners():
        folder = Path(scratch)
        folder.chmod(0o711)
        state = folder / "state"
        role = write_role(folder, (_TIMED, ADD, ECHO))
        assay(state, "cohort", "new", NAME, "-a", role, "--seed", 7, "--allow-uncertified")
        lists = (
            _write_timed(folder / "timed", options.timed),
            write_adders(folder / "adders", options.small // 2),
            write_echoes(folder / "echoes", options.small - options.small // 2),
        )
        for each in lists:
            assay(state, "cohort", "add", NAME, each)
        started = time.monotonic()
        assay(state, "cohort", "run", NAME, *how)
        first, first_s = outcomes(state), time.monotonic() - started
        output = assay(state, "cohort", "regrade", NAME, "--reason", "the same once more", *how)
        changes = json.loads(output.splitlines()[-1])["changes"]
    return _judge(first, changes, first_s, time.monotonic() - started - first_s)


def _write_timed(folder: Path, number: int) -> Path:
    spec = importlib.util.spec_from_file_location("timed", SAMPLES / "timed.py")
    assert spec
    assert spec.loader
    timed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(timed)
    folder.mkdir()
    lines = ["candidate,challenge,path"]
    for each in range(number):
        times = _TIMES[each % len(_TIMES)]
        work = folder / f"{each:02}"
        work.mkdir()
        for path, text in timed.version(TIMES=times).items():
            (work / path).write_text(f"# candidate {each}\n{text}")
        lines.append(f"{times:g} times {each:02},{_TIMED},{work.name}")
    path = folder / "submissions.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def _judge(
    first: dict[tuple[str, str], list[tuple[str, str]]], changes: list[dict[str, str]], first_s: float, second_s: float
) -> int:
    budgets = Counter(
        (who.partition(" times")[0], outcome)
        for (who, challenge), found in first.items()
        if challenge == _TIMED
        for check, outcome in found
        if check in _BUDGETS
    )
    functional = [one for one in changes if one["check"] not in _BUDGETS]
    flips = [one for one in changes if {one["before"], one["after"]} == {"passed", "failed"}]
    print(f"{len(first)} submissions twice beside {_BURNERS} burners: {first_s:.0f} s, then {second_s:.0f} s")
    for (times, outcome), number in sorted(budgets.items()):
        print(f"  budgets of services at {times} times the reference's work: {number} {outcome}")
    print(f"outcomes that are no budget's and changed: {len(functional)}")
    moved = sum(one["check"] in _BUDGETS for one in changes)
    print(f"budgets that changed: {moved}, between passed and failed: {len(flips)}")
    for one in [*functional, *flips]:
        print(f"WRONG: {one}")
    return 1 if functional or flips else 0


@contextlib.contextmanager
def _burners() -> Iterator[None]:
    burning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(_BURNERS)]
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()


if __name__ == "__main__":
    sys.exit(main())
