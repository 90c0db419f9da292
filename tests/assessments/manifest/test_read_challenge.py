"""A wrong manifest is refused with every problem named: the file, the field, and what to do."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.budget import Scenario
from assessments.errors import InvalidChallenge
from assessments.manifest import read_challenge

TIMED = Path(__file__).resolve().parents[2] / "sample_challenges" / "timed-service"
SAMPLE = Path(__file__).resolve().parents[2] / "sample_challenges" / "echo-service"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / SAMPLE.name))


def problems(folder: Path) -> str:
    with pytest.raises(InvalidChallenge) as caught:
        read_challenge(folder)
    assert all(str(folder) in problem for problem in caught.value.problems)
    return "\n".join(caught.value.problems)


def test_a_manifest_is_read_into_true_types(folder: Path) -> None:
    challenge = read_challenge(folder)
    assert challenge.points_possible == 6
    assert challenge.limits.memory_bytes == 64 * 1024 * 1024
    assert [asset.hidden for asset in challenge.assets] == [False, True]


def test_the_whole_grading_may_take_longer_than_all_checks_together(folder: Path) -> None:
    challenge = read_challenge(folder)
    assert challenge.grading_deadline_s > sum(check.time_limit_s for check in challenge.checks)


EDITS = [
    ('id = "echo-service"', 'id = "other"', "id: is 'other', the folder is 'echo-service'"),
    ('id = "echo-service"', 'id = "Echo Service"', "id: must be lower-case words joined by hyphens"),
    ("format = 1", "format = 2", "format: "),
    ("format = 1", "", "format: is missing"),
    (
        "format = 1",
        "format = 1\ntime_minute = 3",
        "time_minute: is not a key of the manifest; did you mean 'time_minutes'",
    ),
    ("memory_mb = 64", "memory = 64", "limits.memory: is not a key of the manifest; did you mean 'memory_mb'"),
    ("memory_mb = 64", "memory_mb = 0", "limits.memory_mb: "),
    ("memory_mb = 64", 'memory_mb = "64"', "limits.memory_mb: "),
    ("points = 2", "points = -2", "checks.0.points: "),
    ('id = "echoes"', 'id = "answers-many"', "'answers-many' stands 2 times"),
    ('skill = "operations"', 'skill = "opertions"', "is for the skill 'opertions'"),
    (
        'skills = ["correctness", "operations"]',
        'skills = ["correctness", "operations", "wit"]',
        "no check is for 'wit'",
    ),
    ('visibility = "after"', 'visibility = "later"', "checks.1.visibility: "),
    ('lock = "environment/requirements.lock"', 'lock = "/etc/passwd"', "environment.lock: must be a relative path"),
    ('lock = "environment/requirements.lock"', 'lock = "../x"', "environment.lock: must be a relative path"),
    ('lock = "environment/requirements.lock"', 'lock = "no.lock"', "no.lock: environment.lock is missing"),
    ('folder = "data/words"', 'folder = "data/none"', "data/none: assets: 'words' is missing"),
    ('mount = "words"\nhidden', 'mount = "nowhere"\nhidden', "has the mount 'nowhere', where no shown asset stands"),
    ("title =", "title", "is not TOML"),
    ('kind = "service"', 'kind = "daemon"', "entry.kind: "),
]


@pytest.mark.parametrize(("old", "new", "expected"), EDITS, ids=[row[2][:40] for row in EDITS])
def test_a_wrong_field_is_named(folder: Path, old: str, new: str, expected: str) -> None:
    manifest = folder / "challenge.toml"
    text = manifest.read_text()
    assert old in text
    manifest.write_text(text.replace(old, new, 1))
    assert expected in problems(folder)


TIMED_EDITS = [
    (
        'plan = "steady-load"\nmetric = "p95"',
        'plan = "other"\nmetric = "p95"',
        "names the plan 'other', which plans does not",
    ),
    ('metric = "p95"', 'metric = "throughput"', "the plan 'steady-load' cannot measure throughput, but: cpu, longest"),
    ('metric = "p95"', 'metric = "p96"', "checks.1.budget.metric: "),
    ('metric = "p95"', 'metric = "p95"\nlimit = 1.0', "checks.1.budget.limit: "),
    ('metric = "p95"', 'metric = "p95"\ngone_at = 1.2', "gone_at must be above limit"),
    ('metric = "p95"', 'metric = "p95"\nlimt = 2.0', "limt: is not a key of the manifest"),
    ("rate_per_s = 110", "rate_per_s = 2000\npairs_max = 400", "could keep more than 400,000 requests"),
    ("rate_per_s = 110", "rate_per_s = 110\npairs_min = 20\npairs_max = 10", "pairs_max is below pairs_min"),
    (
        'id = "steady-load"',
        'id = "idle"\nscenario = "start-up"\n[[plans]]\nid = "steady-load"',
        "no check is about 'idle'",
    ),
    ('kind = "service"', 'kind = "job"', "plans: 'steady-load': open is for a service, and this entry is none"),
    ('scenario = "open"', 'scenario = "batch"', "plans: 'steady-load': batch is for a job, and this entry is none"),
]


@pytest.mark.parametrize(("old", "new", "expected"), TIMED_EDITS, ids=[row[2][:40] for row in TIMED_EDITS])
def test_a_wrong_budget_or_plan_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    folder = Path(shutil.copytree(TIMED, tmp_path / TIMED.name))
    test_a_wrong_field_is_named(folder, old, new, expected)


SERVED = 'port = 9100\n[[companions]]\nid = "broker"\nport = {}\ncommand = ["x"]\nserves = true'
PLANNED = '\n[[plans]]\nid = "load"\nscenario = "open"'
COMPANION_EDITS = [
    ("port = 9100", "port = 8000", "port 8000 is taken 2 times, the entry's counted"),
    (
        "port = 9100",
        'port = 9100\npackages = ["curl"]',
        "is answered by the hidden tests: packages are",
    ),
    ("port = 9100", 'port = 9100\ncommand = ["x"]\npackages = ["a; rm"]', "companions.0.packages.0: "),
    ("port = 9100", 'port = 9100\n[[companions]]\nid = "neighbour"\nport = 9101', "'neighbour' stands 2 times"),
    ('kind = "service"', 'kind = "job"', "a job has neither companions nor a state"),
    ("port = 9100", "port = 9100\nserves = true", "serves is for a program"),
    ("port = 9100", 'port = 9100\nscheme = "no scheme"', "companions.0.scheme: "),
    ("port = 9100", SERVED.format(8000), "port 8000 is taken 2 times"),
    ("port = 9100", SERVED.format(9101) + PLANNED, "'broker' serves, and would be measured with the submission"),
]


@pytest.mark.parametrize(("old", "new", "expected"), COMPANION_EDITS, ids=[row[2][:40] for row in COMPANION_EDITS])
def test_a_wrong_companion_is_named(tmp_path: Path, old: str, new: str, expected: str) -> None:
    folder = Path(shutil.copytree(TIMED.parent / "ask-neighbour", tmp_path / "ask-neighbour"))
    test_a_wrong_field_is_named(folder, old, new, expected)


def test_answered_companions_need_somebody_to_answer(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TIMED.parent / "ask-neighbour", tmp_path / "ask-neighbour"))
    (folder / "hidden_tests/companions.py").unlink()
    assert "hidden_tests/companions.py: what answers for its companions is missing" in problems(folder)


def test_budgets_need_a_reference_to_be_measured_against(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(TIMED, tmp_path / TIMED.name))
    shutil.rmtree(folder / "solutions/accepted/reference")
    assert "the reference solution, which budgets are measured against is missing" in problems(folder)


def test_a_budgets_check_has_time_for_its_whole_plan() -> None:
    challenge = read_challenge(TIMED)
    (plan,) = challenge.plans
    limits = {check.time_limit_s for check in challenge.checks if check.budget}
    assert min(limits) > plan.most_s(challenge.entry.start_timeout_s)
    starts = replace(plan, scenario=Scenario.START_UP)
    assert starts.most_s(20.0) > 2 * 2 * plan.pairs_max * 20.0, "however slowly a submission starts"


def test_every_problem_is_named_at_once(folder: Path) -> None:
    manifest = folder / "challenge.toml"
    manifest.write_text(manifest.read_text().replace("memory_mb", "memory_gb").replace("points = 2", "points = 0"))
    found = problems(folder)
    assert "memory_gb" in found
    assert "checks.0.points" in found


def test_a_folder_without_a_manifest_says_so(tmp_path: Path) -> None:
    assert "there is no such file" in problems(tmp_path)
