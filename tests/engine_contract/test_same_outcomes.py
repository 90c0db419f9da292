"""The same submission has the same outcomes on every engine, whatever it does."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError
from assessments.manifest import read_challenge
from assessments.outcome import Outcome
from runner import catalogue
from runner.bench import Bench
from runner.engines.choose import EngineName
from runner.grade import Order, grade

Benches = Callable[[EngineName], Bench]
INFERENCE_API = "inference-api"
SAMPLES = ("accepted/reference", "cheat/test-hunter")


@pytest.fixture(scope="session")
def both(benches: Benches) -> tuple[Bench, ...]:
    try:
        return tuple(benches(name) for name in (EngineName.BUBBLEWRAP, EngineName.DOCKER))
    except InfrastructureError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run every engine: {error}")
        pytest.skip(f"only one engine here: {error}")


def outcomes(folder: Path, challenge: Challenge, bench: Bench) -> dict[str, tuple[object, ...]]:
    # What is measured depends on the machine's other work; that it is, on either engine, has tests of its own.
    order = Order(folder, "someone", seed=11, unenforced_allowed=True, measures=False)
    scorecard = grade(order, challenge, bench).scorecard
    return {str(one.check.id): (one.outcome, one.fault) for one in scorecard.results}


JOBS = {
    "right": "print(sum(map(int, input().split())))",
    "wrong": "print(0)",
    "crash": "1 / 0",
    "too much memory": "x = bytearray(1 << 30)",
    "too much output": "while True: print('x' * 1000)",
    "no end": "import time\nwhile True: time.sleep(1)",
    "a full disk": "open('/tmp/x', 'wb').write(bytes(1 << 30))",
    "a call that is not allowed": "import socket; socket.socket(40, 1); print(sum(map(int, input().split())))",
    "its own end": "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
    "threads": (
        "import threading\nresults = []\n"
        "threads = [threading.Thread(target=lambda: results.append(1)) for _ in range(5)]\n"
        "[thread.start() for thread in threads]\nprint(sum(map(int, input().split())))"
    ),
}


@pytest.mark.parametrize("code", JOBS.values(), ids=JOBS.keys())
def test_a_job_has_the_same_outcome(
    both: tuple[Bench, ...], sum_challenge: Challenge, tmp_path: Path, code: str
) -> None:
    (tmp_path / "main.py").write_text(code)
    first, second = (outcomes(tmp_path, sum_challenge, bench) for bench in both)
    assert first == second


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_service_of_a_real_challenge_has_the_same_outcomes(
    both: tuple[Bench, ...], tmp_path: Path, sample: str
) -> None:
    from runner.certify.solutions import read_solutions
    from runner.intake import write_tree

    challenge = catalogue.find(INFERENCE_API, None)
    (solution,) = [one for one in read_solutions(challenge) if one.label == sample]
    write_tree(solution.contents, tmp_path)
    for bench in both:
        bench.environment(challenge)
    first, second = (outcomes(tmp_path, challenge, bench) for bench in both)
    assert first == second


SUM_IN_A_FILE = "open('/outputs/sum.txt', 'w').write(str(sum(map(int, input().split()))))"


@pytest.fixture(scope="session")
def file_challenge(tmp_path_factory: pytest.TempPathFactory, sum_challenge: Challenge) -> Challenge:
    """The sum, handed over in a file."""
    folder = Path(shutil.copytree(sum_challenge.folder, tmp_path_factory.mktemp("challenges") / sum_challenge.id))
    test = folder / "hidden_tests/test_sum.py"
    test.write_text(test.read_text().replace("result.stdout", 'result.file("sum.txt")'))
    assert "result.file" in test.read_text()
    (folder / "solutions/accepted/reference/main.py").write_text(SUM_IN_A_FILE)
    return read_challenge(folder)


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (SUM_IN_A_FILE, Outcome.PASSED),
        ("print(sum(map(int, input().split())))", Outcome.FAILED),
        ("import os; os.symlink('/proc/self/environ', '/outputs/sum.txt')", Outcome.FAILED),
        ("import os; os.mkfifo('/outputs/sum.txt')", Outcome.FAILED),
    ],
    ids=["a file", "no file", "a link", "a pipe"],
)
def test_a_check_reads_the_files_that_a_job_left(
    both: tuple[Bench, ...], file_challenge: Challenge, tmp_path: Path, code: str, outcome: Outcome
) -> None:
    (tmp_path / "main.py").write_text(code)
    for bench in both:
        assert [outcome] == [one[0] for one in outcomes(tmp_path, file_challenge, bench).values()]
