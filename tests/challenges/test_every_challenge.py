"""What the files of each challenge that ships say about each other holds."""

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from assessments.manifest import read_challenge
from runner.certify.certificate import Current, certificate_of

CHALLENGES = Path(__file__).resolve().parents[2] / "challenges"
FAULTY = ("broken", "slow")


@pytest.fixture(params=sorted(path.parent.name for path in CHALLENGES.glob("*/challenge.toml")))
def challenge(request: pytest.FixtureRequest) -> Path:
    return CHALLENGES / request.param


@pytest.fixture
def manifest(challenge: Path) -> dict[str, Any]:
    return tomllib.loads((challenge / "challenge.toml").read_text(encoding="utf-8"))


@pytest.fixture
def expected(challenge: Path) -> dict[str, Any]:
    return tomllib.loads((challenge / "solutions" / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture
def brief(challenge: Path) -> str:
    return " ".join((challenge / "brief.md").read_text(encoding="utf-8").split())


def marked_checks(challenge: Path) -> dict[str, dict[str, Any]]:
    """The check markers of the hidden tests, read from their source: id -> points, skill, visibility."""
    found = {}
    for path in sorted((challenge / "hidden_tests").glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.check":
                identifier = ast.literal_eval(node.args[0])
                found[identifier] = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    return found


def test_all_four_are_there() -> None:
    found = {path.parent.name for path in CHALLENGES.glob("*/challenge.toml")}
    assert found == {"fix-data-pipeline", "inference-api", "model-monitoring", "rag-service"}


def test_it_has_a_certificate_of_just_the_files_that_are_there(challenge: Path) -> None:
    """Who changes a challenge proves it again: nobody is judged by what is not proved."""
    found = certificate_of(read_challenge(challenge))
    assert isinstance(found, Current), found


def test_the_manifest_lists_exactly_the_checks_that_are_written(challenge: Path, manifest: dict[str, Any]) -> None:
    listed = {
        check["id"]: {key: check[key] for key in ("points", "skill", "visibility")} for check in manifest["checks"]
    }
    assert listed == marked_checks(challenge)


def test_points_add_up_and_the_brief_says_how(manifest: dict[str, Any], brief: str) -> None:
    assert sum(check["points"] for check in manifest["checks"]) == 100
    assert f"There are {len(manifest['checks'])}, worth 100 points" in brief
    for skill in manifest["skills"]:
        points = sum(check["points"] for check in manifest["checks"] if check["skill"] == skill)
        assert f"| {skill.replace('-', ' ')} | {points} |" in brief.replace("API", "api")


def test_the_brief_does_not_name_the_checks(manifest: dict[str, Any], brief: str) -> None:
    names = [check["id"] for check in manifest["checks"]]
    assert not [name for name in names if (name if "-" in name else f"`{name}`") in brief]


def test_there_is_as_much_to_prove_it_by_as_was_promised(challenge: Path, manifest: dict[str, Any]) -> None:
    solutions = challenge / "solutions"
    many = {
        kind: sum(path.is_dir() for path in (solutions / kind).iterdir()) for kind in ("accepted", *FAULTY, "cheat")
    }
    assert len(manifest["checks"]) >= 20
    assert many["accepted"] >= 2
    assert many["broken"] >= 8
    assert many["slow"] >= 1
    assert many["cheat"] >= 3


def test_every_faulty_solution_has_its_expectation_and_the_other_way_round(
    challenge: Path, expected: dict[str, Any]
) -> None:
    for kind in (*FAULTY, "cheat"):
        folders = {path.name for path in (challenge / "solutions" / kind).iterdir() if path.is_dir()}
        assert folders == set(expected[kind])


def test_every_check_is_failed_by_a_faulty_solution(manifest: dict[str, Any], expected: dict[str, Any]) -> None:
    failed = {check for kind in FAULTY for row in expected[kind].values() for check in row["must_fail"]}
    assert failed == {check["id"] for check in manifest["checks"]}


def test_an_overlay_changes_only_files_of_its_base_and_says_where_the_fault_is(challenge: Path) -> None:
    solutions = challenge / "solutions"
    for marker in solutions.glob("*/*/BASE"):
        base = solutions / marker.read_text(encoding="utf-8").strip()
        changed = [path for path in marker.parent.iterdir() if path.is_file() and path.name != "BASE"]
        assert changed
        assert all((base / path.name).is_file() for path in changed), marker.parent.name
        texts = [path.read_text(encoding="utf-8") for path in changed]
        originals = [(base / path.name).read_text(encoding="utf-8") for path in changed]
        assert not set(originals) & set(texts)
        assert any("# Fault:" in text for text in texts), marker.parent.name


def test_the_lock_has_hashes_and_no_addresses(challenge: Path) -> None:
    lock = (challenge / "environment" / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE)
    assert len(pins) >= 10
    assert len(re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(pins)
    assert "://" not in lock
