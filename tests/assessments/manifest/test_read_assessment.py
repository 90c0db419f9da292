"""An assessment's file is read whole, or refused with every problem, its field and a fix."""

from importlib import resources
from pathlib import Path

import pytest

from assessments.assessment import Feedback, Part, PassMark
from assessments.errors import InvalidAssessment
from assessments.manifest.read_assessment import read_assessment

ROLES = Path(str(resources.files("assessments") / "roles"))
WHOLE = """\
format = 1
id = "platform-engineer"
version = "1.0.0"
title = "Platform engineer"
summary = "Keeps it up."
window_hours = 48.5
attempts = 2
feedback = "skills"

[pass_mark]
share = 0.65
doubt = 0.05

[[challenges]]
id = "add-numbers"

[[challenges]]
id = "echo-service"
weight = 2.5

[skills]
operations = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "platform-engineer.toml"
    path.write_text(WHOLE)
    return path


def test_every_field_is_read(file: Path) -> None:
    read = read_assessment(file)
    assert (read.id, read.version, read.window_hours, read.attempts) == ("platform-engineer", "1.0.0", 48.5, 2)
    assert read.pass_mark == PassMark(0.65, 0.05)
    assert read.feedback is Feedback.SKILLS
    assert read.parts == (Part("add-numbers", 1), Part("echo-service", 2.5))
    assert (read.skill_weight("operations"), read.skill_weight("correctness")) == (2, 1)
    assert [read.part_share(part) for part in read.parts] == [1 / 3.5, 2.5 / 3.5]


PROBLEMS = [
    (("attempts = 2", "atempts = 2"), "atempts: is not a key of the manifest; did you mean 'attempts'?"),
    (("doubt = 0.05", "dout = 0.05"), "pass_mark.dout: is not a key of the manifest; did you mean 'doubt'?"),
    (("window_hours = 48.5", ""), "window_hours: is missing; add it (assay assessment schema describes it)"),
    (("share = 0.65", "share = 0.98"), "the band of doubt reaches nothing or everything"),
    (("share = 0.65", "share = 0.04"), "the band of doubt reaches nothing or everything"),
    (('"echo-service"', '"add-numbers"'), "add-numbers stands more than once"),
    (('"skills"', '"everything"'), "feedback: "),
    (("weight = 2.5", "weight = 0"), "challenges.1.weight: "),
    (("operations = 2", "operations = -1"), "skills.operations: "),
    (('"platform-engineer"', '"other"'), "id: is 'other', the file is 'platform-engineer.toml'"),
    (("[pass_mark]", "[pass_mark"), "is not TOML"),
]


@pytest.mark.parametrize(("change", "words"), PROBLEMS, ids=[row[1][:40] for row in PROBLEMS])
def test_a_problem_names_file_field_and_fix(file: Path, change: tuple[str, str], words: str) -> None:
    assert change[0] in WHOLE
    file.write_text(WHOLE.replace(*change))
    with pytest.raises(InvalidAssessment) as caught:
        read_assessment(file)
    assert any(problem.startswith(str(file)) and words in problem for problem in caught.value.problems)


@pytest.mark.parametrize("role", ["ai-engineer", "data-engineer", "machine-learning-engineer", "mlops-engineer"])
def test_the_roles_that_ship_can_be_read(role: str) -> None:
    read = read_assessment(ROLES / f"{role}.toml")
    assert read.feedback is Feedback.PAGE
    assert sum(read.part_share(part) for part in read.parts) == pytest.approx(1)
