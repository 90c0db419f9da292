"""What the challenge's files say about each other holds."""

import filecmp
import re
import subprocess
import sys
from pathlib import Path
from typing import Any


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
