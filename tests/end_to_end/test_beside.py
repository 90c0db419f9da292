"""What submissions are given besides their own files: data sets, companions, a state; on every engine."""

from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from runner.bench import open_bench
from runner.engines.choose import EngineName, Wish
from runner.grade import Order, grade

SAMPLES = Path(__file__).resolve().parents[1] / "sample_challenges"


def graded(name: str, engine: EngineName, state: Path, files: dict[str, str] | None = None) -> Scorecard:
    challenge = read_challenge(SAMPLES / name)
    folder = challenge.folder / "solutions/accepted/reference"
    if files:
        folder = state / "submission"
        folder.mkdir()
        for path, text in files.items():
            (folder / path).write_text(text)
    with open_bench(state, print, Wish(engine)) as bench:
        return grade(Order(folder, "somebody", seed=7, unenforced_allowed=True), challenge, bench).scorecard


def messages(scorecard: Scorecard) -> dict[str, str]:
    return {result.check.id: result.message for result in scorecard.results if result.outcome is not Outcome.PASSED}


def test_a_service_speaks_with_its_companion_and_goes_on_from_its_state(engine: EngineName, own_state: Path) -> None:
    scorecard = graded("ask-neighbour", engine, own_state)
    assert messages(scorecard) == {}
    assert scorecard.points.earned == 5
