"""What the challenge's files say about each other holds."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from assessments.manifest import read_challenge
from runner.certify.kit import kit_contents

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
        assert f"| {skill} | {points} |" in brief


def test_the_brief_does_not_name_the_checks(challenge: Path, manifest: dict[str, Any]) -> None:
    brief = (challenge / "brief.md").read_text(encoding="utf-8")
    assert not [check["id"] for check in manifest["checks"] if f"`{check['id']}`" in brief]


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
        changed = [path for path in marker.parent.iterdir() if path.name != "BASE"]
        assert changed
        texts = [path.read_text(encoding="utf-8") for path in changed]
        originals = [(base / path.name).read_text(encoding="utf-8") for path in changed]
        assert not set(originals) & set(texts)
        assert any("# Fault:" in text for text in texts), marker.parent.name


def test_the_starter_has_the_references_own_way_to_embed(challenge: Path) -> None:
    """The package's own loader wants a network: a candidate must not lose an hour to that."""
    given = (challenge / "starter" / "embedding.py").read_bytes()
    assert given == (challenge / "solutions" / "accepted" / "reference" / "embedding.py").read_bytes()


def test_the_sample_is_what_its_script_makes(challenge: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(challenge / "data" / "build_sample.py"), str(tmp_path)], check=True, timeout=60)
    for name in ("sample/corpus.jsonl", "sample/questions.json", "oracle/facts.toml"):
        assert (tmp_path / name).read_bytes() == (challenge / "data" / name).read_bytes()


def test_the_sample_corpus_states_what_the_grader_takes_it_to(challenge: Path, oracle: Any) -> None:
    lines = (challenge / "data" / "sample" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert len(oracle.sample) >= len(texts) > 15
    for fact in oracle.sample:
        assert sum(fact.statement in text for text in texts) == 1


def test_the_kit_shows_no_hidden_topic(challenge: Path, oracle: Any) -> None:
    shown = [path for folder in ("data/sample", "public_tests", "starter") for path in (challenge / folder).iterdir()]
    kit = "\n".join(path.read_text(encoding="utf-8") for path in [*shown, challenge / "brief.md"] if path.is_file())
    assert len(oracle.topics) > 40
    assert not [topic.id for topic in oracle.topics if topic.title in kit.splitlines() or topic.direct in kit]


def test_no_line_of_the_hidden_tests_is_in_the_kit(challenge: Path) -> None:
    """Lines long enough to tell; topics are another test's matter."""
    kit = kit_contents(read_challenge(challenge))
    shown = {line.strip() for content in kit.values() for line in content.decode().splitlines()}
    sources = [path.read_text(encoding="utf-8") for path in (challenge / "hidden_tests").glob("*.py")]
    hidden = {line.strip() for source in sources for line in source.splitlines()}
    assert not {line for line in hidden & shown if len(line) > 40 and not line.startswith(("from ", "import "))}


def test_the_lock_has_hashes_and_no_addresses(challenge: Path) -> None:
    lock = (challenge / "environment" / "requirements.lock").read_text(encoding="utf-8")
    pins = re.findall(r"^[a-z0-9-]+==", lock, re.MULTILINE)
    assert len(pins) > 20
    assert len(re.findall(r"^[a-z0-9-]+==.*\\\n    --hash=sha256:", lock, re.MULTILINE)) == len(pins)
    assert "://" not in lock
