"""docs/challenges.md says of every challenge what its manifest says."""

from importlib import resources
from pathlib import Path

from assessments.manifest import read_challenge
from runner.reports.skills_table import skills_page

REPOSITORY = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_manifests_say() -> None:
    folders = sorted(path.parent for path in Path(str(resources.files("challenges"))).glob("*/challenge.toml"))
    made = skills_page([read_challenge(folder) for folder in folders])
    assert (REPOSITORY / "docs/challenges.md").read_text("utf-8") == made, "make challenge-table writes it anew"


def test_every_check_and_every_skill_is_on_it() -> None:
    challenge = read_challenge(REPOSITORY / "tests/sample_challenges/echo-service")
    page = skills_page([challenge, read_challenge(REPOSITORY / "tests/sample_challenges/add-numbers")])
    assert "| correctness | 1 (1 check) | 4 (3 checks) |" in page
    assert "| operations |  | 2 (2 checks) |" in page
    assert "| operations | 2 | ends-when-told (1), answers-many (1) |" in page
    assert all(check.id in page for check in challenge.checks)
