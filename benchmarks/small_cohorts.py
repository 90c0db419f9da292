"""Cohorts of small submissions for the benchmarks: made, handed in, and driven as an operator does."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SAMPLES = Path(__file__).resolve().parents[1] / "tests/sample_challenges"
NAME = "benchmark"
ADD, ECHO = "add-numbers", "echo-service"
_PROGRAMS = (
    "print(sum(map(int, input().split())))\n",
    "print(0)\n",
    "raise SystemExit('it does not work')\n",
    "import os\nos._exit(0)\n",
)
"""Right, wrong, crashing and vanishing, in turns."""


def write_role(folder: Path, challenges: tuple[str, ...]) -> Path:
    """An assessment of these challenges."""
    parts = "".join(f'\n[[challenges]]\nid = "{challenge}"\nweight = 1\n' for challenge in challenges)
    path = folder / "benchmark.toml"
    path.write_text(
        'format = 1\nid = "benchmark"\nversion = "1.0.0"\ntitle = "Benchmark"\nsummary = "Small submissions."\n'
        'window_hours = 1\nattempts = 1\nfeedback = "nothing"\n\n[pass_mark]\nshare = 0.5\ndoubt = 0.2\n' + parts
    )
    return path


def write_adders(folder: Path, number: int) -> Path:
    """So many submissions of the smallest challenge, each of bytes of its own; gives the list to hand in."""
    folder.mkdir(parents=True)
    lines = ["candidate,challenge,path"]
    for each in range(number):
        work = folder / f"{each:05}"
        work.mkdir()
        (work / "main.py").write_text(f"# candidate {each}\n{_PROGRAMS[each % len(_PROGRAMS)]}")
        lines.append(f"candidate {each:05},{ADD},{work.name}")
    return _listed(folder, lines)


def write_echoes(folder: Path, number: int) -> Path:
    """So many submissions of a service with several checks: its reference, its starter, and one that never starts."""
    folder.mkdir(parents=True)
    lines = ["candidate,challenge,path"]
    sources = [SAMPLES / ECHO / "solutions/accepted/reference/main.py", SAMPLES / ECHO / "starter/main.py"]
    programs = [*(source.read_text() for source in sources), "import sys\nsys.exit(3)\n"]
    for each in range(number):
        work = folder / f"{each:05}"
        work.mkdir()
        (work / "main.py").write_text(f"# candidate {each}\n{programs[each % len(programs)]}")
        lines.append(f"candidate {each:05},{ECHO},{work.name}")
    return _listed(folder, lines)


def _listed(folder: Path, lines: list[str]) -> Path:
    path = folder / "submissions.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def environment(state: Path) -> dict[str, str]:
    return {**os.environ, "ASSAY_STATE": str(state), "ASSAY_CHALLENGES": str(SAMPLES)}


def assay(state: Path, *arguments: object, fine: tuple[int, ...] = (0,)) -> str:
    """Run a command to its end; gives its output. Any code that is not in `fine` ends the benchmark."""
    done = subprocess.run(
        [sys.executable, "-m", "runner.cli.main", *map(str, arguments)],
        env=environment(state),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode not in fine:
        sys.exit(f"assay {' '.join(map(str, arguments))} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


@contextmanager
def running(state: Path, *arguments: object) -> Iterator["subprocess.Popen[str]"]:
    """A command under way, whose output can be read line by line. Killed at the end if it still runs."""
    with subprocess.Popen(
        [sys.executable, "-m", "runner.cli.main", *map(str, arguments)],
        env=environment(state),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)


def outcomes(state: Path) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Candidate and challenge -> the outcome of each check, of everything that is graded."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for row in json.loads(assay(state, "cohort", "export", NAME, "--format", "json"))["results"]:
        found.setdefault((row["candidate"], row["challenge"]), []).append((row["check"], row["outcome"]))
    return found
