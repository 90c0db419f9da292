"""`assay assessment` as an operator meets it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"
Assay = Callable[..., "subprocess.CompletedProcess[str]"]
ROLE = """\
format = 1
id = "tester"
version = "1.0.0"
title = "Tester"
summary = "Echoes."
window_hours = 2

[pass_mark]
share = 0.5
doubt = 0.2

[[challenges]]
id = "echo-service"

[skills]
operations = 2
"""


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    folder = tmp_path / "roles"
    folder.mkdir()
    (folder / "tester.toml").write_text(ROLE)
    return folder


def test_own_and_shipped_assessments_are_listed(assay: Assay, roles: Path) -> None:
    listed = assay("assessment", "list", "--assessments", roles, "--json")
    names = [one["id"] for one in json.loads(listed.stdout)]
    assert names[0] == "tester"
    assert {"ai-engineer", "machine-learning-engineer", "mlops-engineer", "data-engineer"} <= set(names)


def test_one_is_shown_with_how_it_is_weighed(assay: Assay, roles: Path) -> None:
    shown = assay("assessment", "show", "tester", "--assessments", roles, "--challenges", SAMPLES)
    assert shown.returncode == 0, shown.stderr
    assert "passed from 70%, not passed below 30%, too close to call in between" in shown.stdout
    assert "correctness 1, operations 2" in shown.stdout


def test_lint_finds_nothing_or_names_file_and_field(assay: Assay, roles: Path) -> None:
    call = ("assessment", "lint", "tester", "--assessments", roles, "--challenges", SAMPLES)
    fine = assay(*call)
    assert (fine.returncode, "nothing to mend" in fine.stderr) == (0, True), fine.stderr
    (roles / "tester.toml").write_text(ROLE.replace("operations = 2", "operation = 2"))
    wrong = assay(*call)
    assert wrong.returncode == 3
    assert f"{roles / 'tester.toml'}: skills.operation: no challenge of this assessment has it" in wrong.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "ai-enginer"), "did you mean ai-engineer?"),
        (("list", "--assessments", "nowhere"), "nowhere: is no folder of assessments"),
    ],
)
def test_a_wrong_call_says_what_is_wrong(assay: Assay, arguments: tuple[str, ...], words: str) -> None:
    done = assay("assessment", *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_the_schema_is_json(assay: Assay) -> None:
    assert set(json.loads(assay("assessment", "schema").stdout)["properties"]) >= {"challenges", "pass_mark", "skills"}
