"""The other challenges that ship, graded for real as far as the time of a test run allows.

Their references are graded by the demo's cohort (see `test_inference_api`); their certificates are where every sample
solution is, on both engines, with budgets and controls.
"""

from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from runner.bench import Bench
from runner.certify.lint import lint
from runner.certify.solutions import read_solutions
from runner.certify.verify import verify

CHALLENGES = Path(__file__).resolve().parents[2] / "challenges"
TRIED = {"baseline/starter", "baseline/empty"}


@pytest.fixture(params=["fix-data-pipeline", "model-monitoring", "rag-service"])
def challenge(request: pytest.FixtureRequest) -> Challenge:
    return read_challenge(CHALLENGES / request.param)


def test_lint_finds_nothing_to_mend(challenge: Challenge, bench: Bench) -> None:
    assert lint(challenge, bench.nursery) == ()


def test_what_is_nobodys_work_earns_no_more_than_it_may(challenge: Challenge, bench: Bench) -> None:
    tried = [solution for solution in read_solutions(challenge) if solution.label in TRIED]
    assert len(tried) == len(TRIED)
    verified = verify(challenge, tried, bench, times=1, lanes=2, done=lambda _: None, budgets=False, controls=False)
    assert verified.row_problems == ()
