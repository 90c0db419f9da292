"""What is hidden is found in a kit, whole or in part, and what both sides have for a good reason is not."""

from pathlib import Path

import pytest

from assessments.manifest import read_challenge
from runner.certify.leaks import leaks

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"


@pytest.mark.parametrize("name", ["add-numbers", "echo-service"])
def test_nothing_hidden_is_in_the_kits_of_the_samples(name: str) -> None:
    assert leaks(read_challenge(SAMPLES / name)) == ()


def test_a_hidden_test_in_the_kit_is_found_whole_and_in_part(folder: Path) -> None:
    hidden = (folder / "hidden_tests/test_sum.py").read_text()
    (folder / "public_tests/copy.py").write_text(hidden)
    (folder / "public_tests/part.py").write_text(
        "import pytest\n\n" + "\n".join(hidden.splitlines()[8:]).replace("    ", "  ")
    )
    found = leaks(read_challenge(folder))
    assert any("the kit's public_tests/copy.py is hidden_tests/test_sum.py" in leak for leak in found)
    assert any("the kit's public_tests/part.py has lines of hidden_tests/test_sum.py" in leak for leak in found)


def test_a_solution_in_the_brief_is_found(folder: Path) -> None:
    lines = [f"numbers_{count} = list(map(int, input().split()))" for count in range(5)]
    (folder / "solutions/accepted/reference/main.py").write_text("\n".join(lines))
    (folder / "brief.md").write_text("Like so:\n\n    " + "\n    ".join(lines))
    assert any(
        "brief.md has lines of solutions/accepted/reference/main.py" in leak for leak in leaks(read_challenge(folder))
    )


def test_a_solution_may_hold_what_the_starter_has(folder: Path) -> None:
    lines = "\n".join(f"def part_{count}(numbers): return numbers" for count in range(9))
    (folder / "starter/parts.py").write_text(lines)
    (folder / "solutions/accepted/reference/parts.py").write_text(lines)
    assert leaks(read_challenge(folder)) == ()


def test_a_shown_asset_may_not_hold_a_hidden_folder(folder: Path) -> None:
    (folder / "data/next").mkdir(parents=True)
    (folder / "data/next/word.txt").write_text("word")
    with (folder / "challenge.toml").open("a") as manifest:
        for name, place, hidden in (
            ("all", "data", "false"),
            ("next", "data/next", "true"),
            ("more", "hidden_tests", "false"),
        ):
            mount = "more" if name == "more" else "all"
            manifest.write(f'[[assets]]\nname = "{name}"\nfolder = "{place}"\nmount = "{mount}"\nhidden = {hidden}\n')
    found = leaks(read_challenge(folder))
    assert any("'all' shows data, and data/next is hidden" in leak for leak in found)
    assert any("'more' shows hidden_tests, and hidden_tests is hidden" in leak for leak in found)
