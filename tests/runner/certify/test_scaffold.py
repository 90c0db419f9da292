"""A new challenge is sound before anything was changed in it, so that its author changes what works."""

import subprocess
import sys
from pathlib import Path

import pytest

from assessments.challenge import EntryKind
from assessments.errors import UsageError
from assessments.manifest import read_challenge
from runner.bench import Bench
from runner.certify.judged import judged
from runner.certify.kit import write_kit
from runner.certify.lint import lint
from runner.certify.scaffold import new_challenge
from runner.certify.solutions import Kind, read_solutions
from runner.certify.verify import verify

KINDS = list(EntryKind)


@pytest.mark.parametrize("kind", KINDS)
def test_it_has_every_part_and_nothing_to_mend(kind: EntryKind, tmp_path: Path, bench: Bench) -> None:
    challenge = read_challenge(new_challenge("rank-the-leads", kind, tmp_path))
    assert (challenge.id, challenge.title, challenge.entry.kind) == ("rank-the-leads", "Rank the leads", kind)
    assert {one.kind for one in read_solutions(challenge)} == set(Kind) - {Kind.SLOW}
    assert sum(check.visibility == "hidden" for check in challenge.checks) == 2
    assert lint(challenge, bench.nursery) == ()
    assert judged(challenge, bench.nursery).answers["totals"]["accept"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_sound(kind: EntryKind, tmp_path: Path, bench: Bench) -> None:
    challenge = read_challenge(new_challenge("sound-at-once", kind, tmp_path))
    proved = verify(challenge, read_solutions(challenge), bench, times=1, lanes=2, done=lambda row: None)
    assert proved.problems == ()


@pytest.mark.parametrize("kind", KINDS)
def test_its_public_tests_fail_on_the_starter_and_pass_on_the_reference(kind: EntryKind, tmp_path: Path) -> None:
    challenge = read_challenge(new_challenge("for-candidates", kind, tmp_path))
    kit = tmp_path / "kit"
    write_kit(challenge, kit)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "public_tests"]
    tried = subprocess.run(command, cwd=kit, capture_output=True, text=True, timeout=60, check=False)
    assert "1 failed" in tried.stdout, tried.stdout
    reference = challenge.folder / "solutions/accepted/reference/main.py"
    (kit / "starter/main.py").write_bytes(reference.read_bytes())
    tried = subprocess.run(command, cwd=kit, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in tried.stdout, tried.stdout


@pytest.mark.parametrize("name", ["Upper", "two words", "../out", "a--b", "", "x" * 61])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="lower-case words"):
        new_challenge(name, EntryKind.JOB, tmp_path)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder = new_challenge("mine", EntryKind.JOB, tmp_path)
    (folder / "brief.md").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        new_challenge("mine", EntryKind.JOB, tmp_path)
    assert (folder / "brief.md").read_text() == "mine"
