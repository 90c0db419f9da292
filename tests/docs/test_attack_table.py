"""The page of attacks lists exactly what the suite tries, and nothing that was not contained but what is known."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "docs" / "attacks.md"
GROUPS = ["ESC", "RES", "HID", "FRG", "NET", "ARC", "OUT", "REP", "LAT", "CON"]
LEAST = 110

COLLECT = """
import json, os, sys
import pytest

class Listing:
    def pytest_collection_finish(self, session):
        attacks = [dict(item.user_properties)["attack"] for item in session.items]
        with open(sys.argv[1], "w") as file: json.dump(attacks, file)

sys.exit(pytest.main(["--collect-only", "-q", "-p", "no:cacheprovider", "tests/attacks"], plugins=[Listing()]))
"""
"""Asks pytest what it would run, in a process of its own."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], bool]:
    """Every attack that is collected now, by group and sentence, and whether it is a declared residual."""
    target = tmp_path_factory.mktemp("attacks") / "collected.json"
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ASSAY_ATTACK", "PYTEST"))}
    asked = subprocess.run(
        [sys.executable, "-P", "-c", COLLECT, target],
        cwd=REPOSITORY,
        env=env,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert asked.returncode == 0, asked.stdout[-2000:] + asked.stderr[-2000:]
    return {(group, sentence): residual for group, sentence, _, residual, _ in json.loads(target.read_text())}


@pytest.fixture(scope="module")
def listed() -> dict[tuple[str, str], list[str]]:
    """Every attack on the page, by group and sentence, and what came of it on each engine."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        group = section.split(":")[0]
        for line in section.splitlines():
            cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            if group in GROUPS and len(cells) == 3 and cells[0] not in ("attack", "---"):
                assert (group, cells[0]) not in found, f"{group} {cells[0]} is listed twice"
                found[group, cells[0]] = cells[1:]
    return found


def test_the_page_lists_exactly_the_attacks_of_the_suite(
    suite: dict[tuple[str, str], bool], listed: dict[tuple[str, str], list[str]]
) -> None:
    assert set(listed) == set(suite), "run `make attack-table`"


def test_there_are_many_and_some_of_every_group(listed: dict[tuple[str, str], list[str]]) -> None:
    assert len(listed) >= LEAST
    assert list(dict.fromkeys(group for group, _ in listed)) == GROUPS


def test_nothing_succeeds_but_what_is_known_to(
    suite: dict[tuple[str, str], bool], listed: dict[tuple[str, str], list[str]]
) -> None:
    for attack, results in listed.items():
        expected = "not contained (residual)" if suite.get(attack) else "contained"
        assert results == [expected] * 2, f"{' '.join(attack)}: {results}"


def test_the_short_table_counts_what_the_long_ones_list(listed: dict[tuple[str, str], list[str]]) -> None:
    counts = dict(re.findall(r"^\| (\w+) \| (\d+) \|", PAGE.read_text("utf-8"), re.MULTILINE))
    expected = {group: sum(of == group for of, _ in listed) for group in GROUPS} | {"all": len(listed)}
    assert counts == {name: str(number) for name, number in expected.items()}
