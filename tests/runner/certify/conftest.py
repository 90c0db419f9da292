"""What the tests of certificates share: gradings made up of nothing, and small challenges to be broken."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assessments.check import CheckId
from assessments.outcome import Outcome
from assessments.scorecard import EngineRef, EnvironmentRef
from assessments.submission import Digest
from runner.certify.solutions import Kind, Solution
from runner.certify.verify import Row

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"


@pytest.fixture
def folder(sum_copy: Path) -> Path:
    """A copy of the smallest challenge, to be broken."""
    return sum_copy


@pytest.fixture
def row() -> Callable[..., Row]:
    """A grading with an outcome for each letter: `p`assed, `f`ailed, `i`nconclusive, or `-` for not measured."""
    letters: Mapping[str, Outcome] = {
        "p": Outcome.PASSED,
        "f": Outcome.FAILED,
        "i": Outcome.INCONCLUSIVE,
        "-": Outcome.INCONCLUSIVE,
    }

    def make(outcomes: str, *, solution: str = "reference", engine: str = "bubblewrap", time: int = 1) -> Row:
        checks = [CheckId(f"check-{number}") for number in range(len(outcomes))]
        return Row(
            Solution(Kind.ACCEPTED, solution, {}, frozenset(), frozenset(checks)),
            EngineRef(engine, "1.0", (), unenforced_allowed=True),
            EnvironmentRef(Digest("0" * 64), "3.11.7"),
            time,
            {check: letters[letter] for check, letter in zip(checks, outcomes, strict=True)},
            frozenset(check for check, letter in zip(checks, outcomes, strict=True) if letter == "-"),
            "i" in outcomes,
            outcomes.count("p") / len(outcomes),
            (),
        )

    return make
