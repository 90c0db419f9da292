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


SLURPS = """
import json
from pathlib import Path

earlier = Path("/inputs/earlier/tally.json")
tally = json.loads(earlier.read_text()) if earlier.is_file() else {}
for path in Path("/inputs/texts").iterdir():
    if path.is_file():
        tally[path.name] = tally.get(path.name, 0) + len(path.read_text().splitlines())
Path("/outputs/tally.json").write_text(json.dumps(tally))
"""


def test_a_job_is_measured_run_by_run_beside_the_reference(own_state: Path) -> None:
    scorecard = graded("tally-files", EngineName.BUBBLEWRAP, own_state, {"main.py": SLURPS})
    by_id = {result.check.id: result for result in scorecard.results}
    assert by_id["counts-lines"].outcome is Outcome.PASSED, by_id["counts-lines"].message
    assert by_id["goes-on"].outcome is Outcome.PASSED, by_id["goes-on"].message
    memory = by_id["counts-in-little-memory"]
    assert memory.outcome is Outcome.FAILED, memory.message
    assert "Peak memory was" in memory.message
    (measurement,) = scorecard.measurements
    assert {len(block.latency_us) for block in measurement.blocks} == {1}
    assert all(block.memory_bytes and block.cpu_s for block in measurement.blocks)


def test_a_real_program_stands_beside_a_service_and_only_sees_its_port(engine: EngineName, own_state: Path) -> None:
    scorecard = graded("watched-service", engine, own_state)
    assert messages(scorecard) == {}
    assert {run.purpose.split()[0] for run in scorecard.runs} == {"service"}
