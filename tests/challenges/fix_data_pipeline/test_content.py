"""What the challenge's files say about each other holds."""

import ast
import filecmp
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

FAULTY = ("broken", "slow")


def marked_checks(challenge: Path) -> dict[str, dict[str, Any]]:
    """The check markers of the hidden tests, read from their source: id -> points, skill, visibility."""
    found = {}
    for path in sorted((challenge / "hidden_tests").glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.check":
                identifier = ast.literal_eval(node.args[0])
                found[identifier] = {word.arg: ast.literal_eval(word.value) for word in node.keywords if word.arg}
    return found


def test_the_manifest_lists_exactly_the_checks_that_are_written(challenge: Path, manifest: dict[str, Any]) -> None:
    listed = {
        check["id"]: {key: check[key] for key in ("points", "skill", "visibility")} for check in manifest["checks"]
    }
    assert listed == marked_checks(challenge)


def test_points_add_up_and_the_brief_says_how(challenge: Path, manifest: dict[str, Any]) -> None:
    brief = (challenge / "brief.md").read_text(encoding="utf-8")
    assert sum(check["points"] for check in manifest["checks"]) == 100
    assert f"There are {len(manifest['checks'])}, worth 100 points" in brief
    for skill in manifest["skills"]:
        points = sum(check["points"] for check in manifest["checks"] if check["skill"] == skill)
        assert f"| {skill.replace('-', ' ')} | {points} |" in brief


def test_the_brief_does_not_name_the_checks(challenge: Path, manifest: dict[str, Any]) -> None:
    brief = (challenge / "brief.md").read_text(encoding="utf-8")
    assert not [check["id"] for check in manifest["checks"] if check["id"] in brief]


def test_the_brief_states_the_limits_of_the_manifest(challenge: Path, manifest: dict[str, Any]) -> None:
    brief = (challenge / "brief.md").read_text(encoding="utf-8")
    limits = manifest["limits"]
    assert f"{limits['memory_mb'] / 1024:.1f} GB of memory or {limits['processes']} processes" in brief
    assert f"after {limits['job_s']} seconds" in brief
    assert f"({limits['scratch_mb']} MB, which count as memory)" in brief
    budgets = {check["budget"]["metric"]: check["budget"] for check in manifest["checks"] if "budget" in check}
    words = {2.0: "twice", 3.0: "three times", 5.0: "five times"}
    for metric, name in (("wall", "as long as ours"), ("cpu", "the CPU time"), ("memory", "the memory")):
        assert f"{words[budgets[metric]['limit']]} {name}" in " ".join(brief.split())


def test_the_brief_says_what_the_oracle_knows(challenge: Path, hidden: Any) -> None:
    brief = (challenge / "brief.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z_0-9]+)` \|", brief, re.MULTILINE)
    assert set(hidden.oracle.FEATURES) <= set(named)
    source = (challenge / "hidden_tests" / "oracle.py").read_text(encoding="utf-8")
    reasons = set(re.findall(r'BadRow\("([a-z_0-9]+)"\)', source))
    assert reasons <= set(named)


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


def test_an_overlay_has_its_base_but_for_the_fault(challenge: Path) -> None:
    """So that a change of the reference that did not reach its faulty copies is noticed."""
    solutions = challenge / "solutions"
    for marker in (solutions / "broken").glob("*/BASE"):
        base = solutions / marker.read_text(encoding="utf-8").strip()
        for path in marker.parent.glob("*.py"):
            ours = (base / path.name).read_text(encoding="utf-8").splitlines()
            theirs = path.read_text(encoding="utf-8").splitlines()
            assert len(set(theirs) - set(ours)) <= 6, path
            assert len(set(ours) - set(theirs)) <= 6, path


def test_the_data_of_the_public_tests_is_what_the_script_makes(challenge: Path, tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-B", str(challenge / "data" / "build_sample.py"), "--into", str(tmp_path)],
        check=True,
        timeout=60,
    )
    made = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    public = challenge / "public_tests"
    kept = [path for path in public.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert made == sorted(path.relative_to(public).as_posix() for path in kept)
    assert filecmp.cmpfiles(tmp_path, public, made, shallow=False)[0] == made


def test_the_cheat_knows_the_true_sample(challenge: Path, tmp_path: Path) -> None:
    cheat = challenge / "solutions" / "cheat" / "sample-by-heart" / "main.py"
    subprocess.run([sys.executable, "-B", str(cheat), "--out", str(tmp_path)], check=True, timeout=30)
    sample = challenge / "public_tests" / "everyday" / "expected" / "features.csv"
    assert (tmp_path / "features.csv").read_bytes() == sample.read_bytes()


def test_the_lock_has_hashes_and_no_addresses(challenge: Path) -> None:
    lock = (challenge / "environment" / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE)
    assert len(pins) >= 10
    assert len(re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(pins)
    assert "://" not in lock
