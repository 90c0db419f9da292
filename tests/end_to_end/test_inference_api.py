"""The first challenge as a whole: its certificate, its kit, and the demo a newcomer sees."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from runner.bench import Bench
from runner.certify.judged import judged
from runner.certify.kit import kit_contents
from runner.certify.lint import lint
from runner.certify.solutions import Kind, Solution, read_solutions
from runner.certify.verify import verify
from runner.cohort.samples import CANDIDATES, CHALLENGES, SUBMISSIONS

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDER = REPOSITORY / "challenges/inference-api"

ELSEWHERE = {"accepted/reference", "cheat/forged-report", "cheat/test-hunter"}
"""The demo grades the first two, `engine_contract/test_same_outcomes.py` the first and the last."""
FAULTY = (Kind.BROKEN, Kind.SLOW)


@pytest.fixture(scope="module")
def challenge() -> Challenge:
    return read_challenge(FOLDER)


def test_it_has_as_much_in_it_as_it_should(challenge: Challenge) -> None:
    solutions = read_solutions(challenge)
    counts = {kind: sum(one.kind is kind for one in solutions) for kind in Kind}
    assert len(challenge.checks) >= 25
    assert len(challenge.skills) == 6
    assert counts[Kind.ACCEPTED] >= 2
    assert counts[Kind.BROKEN] >= 8
    assert counts[Kind.SLOW] >= 1
    assert counts[Kind.CHEAT] >= 3


def test_lint_finds_nothing_to_mend(challenge: Challenge, bench: Bench) -> None:
    assert lint(challenge, bench.nursery) == ()


def test_its_judges_tell_right_answers_from_near_misses(challenge: Challenge, bench: Bench) -> None:
    tried = judged(challenge, bench.nursery)
    assert tried.problems == ()
    assert set(tried.answers) == {"predict-matches-model", "batch-matches-model", "out-of-range", "malformed-json"}
    assert sum(counts["refuse"] for counts in tried.answers.values()) > 30


def test_every_check_tells_right_from_wrong(challenge: Challenge, bench: Bench) -> None:
    """Graded for real: what is right or cheats, and enough of what is broken for each check to be failed.

    All but those few that other tests grade (`ELSEWHERE`).
    Every sample solution, with budgets and controls and on both engines, is what `assay challenge verify` grades.
    """
    solutions = read_solutions(challenge)
    unbroken = [one for one in solutions if one.kind not in FAULTY and one.label not in ELSEWHERE]
    assert len(unbroken) == sum(one.kind not in FAULTY for one in solutions) - len(ELSEWHERE)
    tried = [*unbroken, *covering(challenge, solutions)]
    verified = verify(challenge, tried, bench, times=1, lanes=2, done=lambda _: None, budgets=False, controls=False)
    assert verified.row_problems == ()
    failed = {check for row in verified.rows if row.solution.kind in FAULTY for check in row.solution.must_fail}
    assert failed >= {check.id for check in challenge.checks if check.budget is None}


def covering(challenge: Challenge, solutions: tuple[Solution, ...]) -> list[Solution]:
    """Faulty solutions that together must fail every check but the budgets', those that fail most first."""
    broken = [one for one in solutions if one.kind in FAULTY]
    left = {check.id for check in challenge.checks if check.budget is None}
    chosen = []
    while left and (best := max(broken, key=lambda one: (len(one.must_fail & left), one.name))).must_fail & left:
        chosen.append(best)
        left -= best.must_fail
    return chosen


def test_no_hidden_byte_is_in_its_kit(challenge: Challenge) -> None:
    """By whole files, and by every line of the hidden tests and oracle that is long enough to tell."""
    kit = kit_contents(challenge)
    shown = {line.strip() for content in kit.values() for line in content.splitlines()}
    hidden = [path for path in (FOLDER / "hidden_tests").rglob("*.py") if "__pycache__" not in path.parts]
    hidden += [
        path
        for asset in challenge.assets
        if asset.hidden
        for path in (FOLDER / asset.folder).rglob("*")
        if path.is_file()
    ]
    assert hidden
    for path in hidden:
        assert path.read_bytes() not in kit.values(), path
    for path in (path for path in hidden if path.suffix == ".py"):
        telling = [line.strip() for line in path.read_bytes().splitlines() if len(line.strip()) > 60]
        assert not shown & set(telling), path


def test_the_demo_shows_what_assay_does(built_state: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runner.cli.main", "demo", "--no-budgets", "-o", str(tmp_path / "demo")],
        env={**os.environ, "ASSAY_STATE": str(built_state), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stderr
    scorecards = [json.loads(path.read_text())["scorecard"] for path in (tmp_path / "demo").glob("*/scorecard.json")]
    shares = {card["candidate"]: card["points"]["earned"] / card["points"]["possible"] for card in scorecards}
    assert len(shares) == 4
    reference = next(card for card in scorecards if card["candidate"] == "reference")
    assert not [result for result in reference["results"] if result["outcome"] in ("failed", "errored")]
    assert shares.pop("reference") >= 0.92
    assert shares.pop("forged-report") == 0
    assert all(0.2 < share < 1 for share in shares.values()), shares
    assert all(name in done.stdout for name in ("candidate", "score", "checks passed", "worst finding", "seconds"))
    for path in (tmp_path / "demo").glob("*/report.html"):
        assert str(path) in done.stdout
        assert path.stat().st_size < 300_000
    _the_cohort_is_ranked(done.stdout, tmp_path / "demo/cohort")


def _the_cohort_is_ranked(output: str, pages: Path) -> None:
    """Every challenge's reference earns all that was decided, a forger nothing, and each submission has its report."""
    rows = {name: row for name in CANDIDATES for row in output.splitlines() if f" {name} " in row}
    assert list(rows) == list(CANDIDATES)
    assert rows["ada"].split()[0] == "1"
    assert rows["ada"].count("100%") == 1 + len(CHALLENGES), rows["ada"]
    assert rows["mallory"].split()[2] == "0%", rows["mallory"]
    assert "not passed" in rows["mallory"]
    page = (pages / "index.html").read_text("utf-8")
    reports = list((pages / "reports").glob("*.html"))
    assert len(reports) == SUBMISSIONS >= 12
    assert all(f"reports/{report.name}" in page for report in reports)
