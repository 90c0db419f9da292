"""The certificate: a sound challenge gets one, and each way of being unsound is found."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InvalidChallenge, UsageError
from assessments.manifest import read_challenge
from runner.bench import Bench
from runner.certify.kit import kit_contents, write_kit
from runner.certify.lint import lint
from runner.certify.solutions import read_solutions
from runner.certify.verify import Verified, verify

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"
Verify = Callable[[Path], Verified]


@pytest.fixture
def verified(bench: Bench) -> Verify:
    def run(folder: Path) -> Verified:
        challenge = read_challenge(folder)
        return verify(challenge, read_solutions(challenge), bench, times=1, lanes=2, done=lambda row: None)

    return run


def test_accepted_solutions_are_graded_as_often_as_was_asked_and_the_others_twice(bench: Bench, folder: Path) -> None:
    challenge = read_challenge(folder)
    solutions = read_solutions(challenge)
    proved = verify(challenge, solutions, bench, times=3, lanes=2, done=lambda row: None)
    assert proved.problems == ()
    assert Counter(row.solution.label for row in proved.rows) == {
        "accepted/reference": 3,
        "broken/subtracts": 2,
        "cheat/claims-success": 2,
        "baseline/starter": 2,
        "baseline/empty": 2,
    }
    assert {row.engine.name for row in proved.rows} == {"bubblewrap"}


def solution(folder: Path, label: str, code: str) -> None:
    (folder / "solutions" / label).mkdir(parents=True, exist_ok=True)
    (folder / "solutions" / label / "main.py").write_text(code)


ADDS = "print(sum(map(int, input().split())))\n"
UNSOUND = {
    "a reference that fails": ("accepted/reference", "print(1)\n", "accepted/reference: must pass 'sum-is-right'"),
    "a broken solution that works": (
        "broken/subtracts",
        ADDS,
        "broken/subtracts: must fail 'sum-is-right', but passed",
    ),
    "a cheat that gains": ("cheat/claims-success", ADDS, "cheat/claims-success: must fail 'sum-is-right', but passed"),
}


@pytest.mark.parametrize(("label", "code", "words"), UNSOUND.values(), ids=UNSOUND.keys())
def test_a_solution_that_does_not_do_what_it_shows_is_named(
    verified: Verify, folder: Path, label: str, code: str, words: str
) -> None:
    solution(folder, label, code)
    assert any(words in problem for problem in verified(folder).problems)


def test_a_starter_that_passes_or_earns_more_than_the_manifest_says_is_named(verified: Verify, folder: Path) -> None:
    (folder / "starter/main.py").write_text(ADDS)
    found = "\n".join(verified(folder).problems)
    assert "the starter must stay below the pass mark" in found
    assert "baseline/starter: earns 100% of the points; the manifest's [baseline] allows 20%" in found


def test_a_starter_may_be_held_to_nothing_at_all(folder: Path) -> None:
    with (folder / "challenge.toml").open("a") as manifest:
        manifest.write("\n[baseline]\nstarter_share_max = 0.0\n")
    starter = next(one for one in read_solutions(read_challenge(folder)) if one.label == "baseline/starter")
    assert starter.must_fail == {"sum-is-right"}


def test_a_check_that_nothing_fails_is_named(verified: Verify, folder: Path) -> None:
    shutil.rmtree(folder / "solutions/broken")
    (folder / "solutions/expected.toml").write_text("[cheat.claims-success]\n")
    assert any("no broken or slow solution must fail it" in problem for problem in verified(folder).problems)


def test_a_check_that_crashes_is_named(verified: Verify, folder: Path) -> None:
    test = folder / "hidden_tests/test_sum.py"
    test.write_text(test.read_text().replace("    printed =", "    [][0]\n    printed ="))
    assert any("is errored: IndexError" in problem for problem in verified(folder).problems)


def test_a_base_is_laid_under_a_solutions_own_files(folder: Path) -> None:
    layered = folder / "solutions/broken/layered"
    layered.mkdir()
    (layered / "BASE").write_text("broken/subtracts\n")
    (layered / "extra.txt").write_text("x")
    with (folder / "solutions/expected.toml").open("a") as table:
        table.write('\n[broken.layered]\nmust_fail = ["sum-is-right"]\n')
    found = next(one for one in read_solutions(read_challenge(folder)) if one.name == "layered")
    assert set(found.contents) == {"main.py", "extra.txt"}
    assert b"first - second" in found.contents["main.py"]


TABLES = [
    ('[broken.subtracts]\nmust_fail = ["sum-is-wrong"]\n[cheat.claims-success]', "'sum-is-wrong' is no check"),
    ("[broken.subtracts]\nmust_fail = []\n[cheat.claims-success]", "must_fail is empty"),
    ('[broken.subtracts]\nmust_fail = ["sum-is-right"]', "cheat.claims-success: is missing"),
    (
        '[broken.subtracts]\nmust_fail = ["sum-is-right"]\n[cheat.claims-success]\n[cheat.ghost]',
        "cheat.ghost: there is no folder",
    ),
    ('[broken.subtracts]\nmust_fial = ["sum-is-right"]\n[cheat.claims-success]', "broken.subtracts.must_fial"),
    ("[broken", "cannot be read"),
]


@pytest.mark.parametrize(("table", "words"), TABLES, ids=[row[1] for row in TABLES])
def test_a_wrong_table_of_solutions_is_refused(folder: Path, table: str, words: str) -> None:
    (folder / "solutions/expected.toml").write_text(table)
    with pytest.raises(InvalidChallenge) as caught:
        read_solutions(read_challenge(folder))
    assert any(words in problem and "expected.toml" in problem for problem in caught.value.problems)


# Lint


def test_lint_finds_nothing_to_mend_in_a_sound_challenge(bench: Bench, folder: Path) -> None:
    assert lint(read_challenge(folder), bench.nursery) == ()


def test_lint_finds_what_needs_no_grading_to_be_seen(bench: Bench, folder: Path) -> None:
    (folder / "brief.md").write_text("Add.")
    (folder / "starter/main.py").rename(folder / "starter/other.py")
    test = folder / "hidden_tests/test_sum.py"
    test.write_text(test.read_text().replace("points=1", "points=2"))
    found = "\n".join(lint(read_challenge(folder), bench.nursery))
    for words in ("is shorter than", "skill 'correctness'", "has no main.py", "points 2.0 (manifest: 1.0)"):
        assert words in found


# Kit


@pytest.mark.parametrize("name", ["add-numbers", "echo-service"])
def test_no_hidden_byte_is_in_a_kit(name: str) -> None:
    challenge = read_challenge(SAMPLES / name)
    assert_nothing_hidden(challenge)
    everything = b"\n".join(kit_contents(challenge).values())
    assert b"CANARY" not in everything


def test_a_kit_says_what_stands_beside_the_submission() -> None:
    kit = kit_contents(read_challenge(SAMPLES / "ask-neighbour"))
    readme = kit["README.md"].decode()
    assert "- `NEIGHBOUR_URL` holds the address of its companion `neighbour`: http://127.0.0.1:9100\n" in readme
    assert "- `STATE_DIR` names a folder" in readme
    assert "environment has these variables" in readme
    assert not [path for path in kit if "companions.py" in path]
    assert b"environment has these" not in kit_contents(read_challenge(SAMPLES / "add-numbers"))["README.md"]


def test_a_kit_is_not_written_over_something(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is there already"):
        write_kit(read_challenge(folder), folder)
    write_kit(read_challenge(folder), tmp_path / "kit")
    assert sorted(path.name for path in (tmp_path / "kit").iterdir()) == [
        "README.md",
        "brief.md",
        "public_tests",
        "requirements.lock",
        "starter",
    ]


def assert_nothing_hidden(challenge: Challenge) -> None:
    """No file of the hidden parts is in the kit, whole or by any line long enough to tell."""
    kit = kit_contents(challenge)
    assert all(path.split("/")[0] not in ("hidden_tests", "solutions", "judge_data", "data") for path in kit)
    shown = {line.strip() for content in kit.values() for line in content.splitlines()}
    hidden = [challenge.folder / "hidden_tests"]
    hidden += [challenge.folder / asset.folder for asset in challenge.assets if asset.hidden]
    for source in hidden:
        for path in (path for path in source.rglob("*") if path.is_file()):
            assert path.read_bytes() not in kit.values(), path
            told = [line.strip() for line in path.read_bytes().splitlines() if b"CANARY" in line]
            assert not shown & set(told), path


def test_lint_finds_hidden_tests_that_cannot_be_collected(bench: Bench, folder: Path) -> None:
    (folder / "hidden_tests/conftest.py").write_text("raise RuntimeError\n")
    assert any("could not be collected" in problem for problem in lint(read_challenge(folder), bench.nursery))
