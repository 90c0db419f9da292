"""`assay challenge verify` as an author meets it: the matrix, the certificate, and the reasons there is none."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"
Assay = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(sum_copy: Path) -> Path:
    return sum_copy


def test_a_sound_challenge_gets_a_certificate_and_grading_no_longer_warns(assay: Assay, folder: Path) -> None:
    right = folder / "solutions/accepted/reference"
    grading = ("grade", right, "-c", folder, "--allow-unenforced", "--json")
    before = assay(*grading)
    assert before.stderr.count("has no current certificate (it has none)") == 1
    assert f"run: assay challenge verify {folder}" in before.stderr
    json.loads(before.stdout)

    proved = assay("challenge", "verify", folder, "--repeat", "2")
    assert proved.returncode == 0, proved.stderr
    assert "0 of 10 repeated outcomes changed" in proved.stdout
    assert "certificate" not in assay(*grading).stderr
    (line,) = [line for line in assay("challenge", "show", folder).stdout.splitlines() if "certificate" in line]
    assert re.fullmatch(r"certificate: \d{4}-\d\d-\d\d, bubblewrap", line.strip())
    written = json.loads((folder / "certificate.json").read_text())["certificate"]
    assert written["problems"] == []
    assert list(written["engines"]) == ["bubblewrap"]
    assert written["engines"]["bubblewrap"]["solutions"]["accepted/reference"]["gradings"] == 2


@pytest.mark.parametrize("less", [("--only", "broken/subtracts"), ("--no-budgets",), ("--repeat", "1")])
def test_less_than_everything_gives_no_certificate(assay: Assay, folder: Path, less: tuple[str, ...]) -> None:
    done = assay("challenge", "verify", folder, *less)
    assert done.returncode == 0, done.stderr
    assert "There is no certificate" in done.stderr
    assert not (folder / "certificate.json").exists()


def test_an_unsound_challenge_gets_the_matrix_the_reasons_and_keeps_its_old_certificate(
    assay: Assay, folder: Path
) -> None:
    (folder / "certificate.json").write_text("the old one")
    (folder / "brief.md").write_text("Add. " * 100)
    shutil.copy(folder / "hidden_tests/test_sum.py", folder / "public_tests/test_copy.py")
    (folder / "solutions/broken/subtracts/main.py").write_text("print(sum(map(int, input().split())))")
    done = assay("challenge", "verify", folder, "--repeat", "2")
    assert done.returncode == 3
    assert "broken/subtracts" in done.stdout
    for reason in (
        "does not mention the skill 'correctness'",
        "public_tests/test_copy.py is hidden_tests/test_sum.py",
        "broken/subtracts: must fail 'sum-is-right', but passed it",
    ):
        assert reason in done.stderr
    assert (folder / "certificate.json").read_text() == "the old one"


def test_a_new_challenge_lies_where_the_own_ones_are_and_is_linted_by_the_command_it_names(
    assay: Assay, tmp_path: Path
) -> None:
    (tmp_path / "ours").mkdir()
    made = assay("challenge", "new", "rank-the-leads", "--kind", "job", "--challenges", "ours")
    assert made.returncode == 0, made.stderr
    assert made.stdout == "ours/rank-the-leads\n"
    command = next(line.partition("assay ")[2] for line in made.stderr.splitlines() if line.startswith("next: "))
    assert command == "challenge lint ./ours/rank-the-leads"
    assert assay(*command.split()).returncode == 0
    assert "rank-the-leads" in assay("challenge", "list", "--challenges", "ours").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(("Bad Name",), "lower-case words"), (("fine", "--challenges", "nowhere"), "nowhere: is no folder")],
)
def test_a_new_challenge_that_cannot_be_made_says_why(assay: Assay, arguments: tuple[str, ...], words: str) -> None:
    done = assay("challenge", "new", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
