"""Seconds for a trivial submission: one check, no service, engine by engine.

    python benchmarks/trivial_submission.py [--rounds N]

In each round, in turn: a bare Python process, the same in a bare sandbox of the engine, the whole grading of the same
program (intake, workspace, a grader process of its own, pytest, outcomes, scorecard), and check50 --dev, which has no
sandbox. Taking turns spreads the machine's noise over all of them. Prints medians, and each one's ratio to the bare
sandbox. The programs' seconds are wall time as seen by this process. Exits with 1 when a promise is broken: no more
than 0.15 s over the bare sandbox, and faster than check50.
"""

import argparse
import dataclasses
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from runner.bench import Bench, default_state, open_bench
from runner.engines.protocol import Mount, SandboxSpec
from runner.grade import Order, grade
from runner.results import write_result

REPOSITORY = Path(__file__).resolve().parents[1]
SUM = REPOSITORY / "tests/sample_challenges/add-numbers"
SUBMISSION = SUM / "solutions/accepted/reference"
BARE, ASSAY, CHECK50 = "bubblewrap, bare sandbox", "bubblewrap, assay", "check50 --dev, no sandbox"
_OVERHEAD_S = 0.15
PACK = Path(__file__).resolve().parent / "check50_pack"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    challenge = read_challenge(SUM)
    with tempfile.TemporaryDirectory() as scratch, open_bench(default_state(), _say) as bench:
        contestants = _contestants(challenge, bench, Path(scratch))
        for run in contestants.values():
            run()  # once for warmth
        seconds: dict[str, list[float]] = {name: [] for name in contestants}
        for _ in range(rounds):
            for name, run in contestants.items():
                started = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - started)
    _print(seconds, base=BARE)
    sys.exit(_broken_promises(seconds))


def _contestants(challenge: Challenge, bench: Bench, scratch: Path) -> dict[str, Callable[[], None]]:
    workspace = bench.run.folder / "bare"
    shutil.copytree(SUBMISSION, workspace)
    workspace.chmod(0o755)
    spec = SandboxSpec(
        purpose="bare",
        command=("/opt/python/bin/python", "main.py"),
        folder="/submission",
        mounts=(Mount(workspace, "/submission"),),
        limits=dataclasses.replace(challenge.limits, job_s=10),
        stdin=b"2 3\n",
    )

    def bare_process() -> None:
        done = subprocess.run([sys.executable, SUBMISSION / "main.py"], input=b"2 3\n", capture_output=True, check=True)
        assert done.stdout == b"5\n"

    def bare_sandbox() -> None:
        ended = bench.engine.start(spec).wait(10)
        assert ended is not None
        assert ended.stdout.text == "5\n"

    def assay() -> None:
        graded = grade(Order(SUBMISSION, "reference", unenforced_allowed=True), challenge, bench)
        assert graded.scorecard.points.earned == 1

    def assay_written() -> None:
        graded = grade(Order(SUBMISSION, "reference", unenforced_allowed=True), challenge, bench)
        write_result(scratch / "out", graded, challenge.folder / "starter")

    submission = Path(shutil.copytree(SUBMISSION, scratch / "submission"))
    check50 = Path(sys.executable).with_name("check50")

    def check50_dev() -> None:
        # check50 asks git and its colours of the environment; it gets a plain one.
        done = subprocess.run(
            [check50, "--dev", "--output", "json", "--", PACK],
            cwd=submission,
            env={**os.environ, "TERM": "dumb", "PATH": f"{check50.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"passed": true' in done.stdout, done.stdout

    return {
        "bare Python process": bare_process,
        BARE: bare_sandbox,
        ASSAY: assay,
        "bubblewrap, assay with files and reports": assay_written,
        CHECK50: check50_dev,
    }


def _print(seconds: dict[str, list[float]], base: str) -> None:
    bare = statistics.median(seconds[base])
    print(f"{'':42} {'median s':>9} {'p90 s':>7} {'ratio':>7} {'over bare s':>12}")
    for name, values in seconds.items():
        median = statistics.median(values)
        p90 = statistics.quantiles(values, n=10)[-1]
        print(f"{name:42} {median:9.4f} {p90:7.4f} {median / bare:7.1f} {median - bare:12.4f}")


def _broken_promises(seconds: dict[str, list[float]]) -> int:
    """1 if a grading takes over 0.15 s more than the bare sandbox, or longer than check50 without one."""
    bare, assay, check50 = (statistics.median(seconds[name]) for name in (BARE, ASSAY, CHECK50))
    broken = []
    if assay - bare > _OVERHEAD_S:
        broken.append(f"a grading takes {assay - bare:.3f} s more than the bare sandbox; {_OVERHEAD_S} s was promised")
    if assay > check50:
        broken.append("a grading takes longer than check50 without a sandbox")
    for promise in broken:
        _say(promise)
    return 1 if broken else 0


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
