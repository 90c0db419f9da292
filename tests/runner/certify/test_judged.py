"""A check's own tests: its judge accepts and refuses what judge_data says, and whatever else it does is named."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.manifest import read_challenge
from runner.bench import Bench
from runner.certify.judged import Judged, judged

JUDGES = """
def make_judges(challenge_folder):
    def sum_is_right(answer):
        assert answer["printed"] == answer["first"] + answer["second"], "not the sum"

    return {"sum-is-right": sum_is_right}
"""
Judge = Callable[[], Judged]


@pytest.fixture
def answers(folder: Path) -> Callable[[str, str], Path]:
    def write(name: str, content: str) -> Path:
        path = folder / "judge_data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    (folder / "hidden_tests/judges.py").write_text(JUDGES)
    write("sum-is-right/accept/small.json", '{"first": 1, "second": 2, "printed": 3}')
    write("sum-is-right/refuse/off-by-one.json", '{"first": 1, "second": 2, "printed": 4}')
    return write


@pytest.fixture
def judge(folder: Path, bench: Bench) -> Judge:
    return lambda: judged(read_challenge(folder), bench.nursery)


def test_a_challenge_without_judges_is_fine(judge: Judge) -> None:
    assert judge() == Judged({}, ())


def test_right_verdicts_are_counted(judge: Judge, answers: Callable[[str, str], Path]) -> None:
    assert judge() == Judged({"sum-is-right": {"accept": 1, "refuse": 1}}, ())


def test_a_wrong_verdict_names_the_file(judge: Judge, answers: Callable[[str, str], Path]) -> None:
    lenient = answers("sum-is-right/refuse/right.json", '{"first": 1, "second": 2, "printed": 3}')
    strict = answers("sum-is-right/accept/wrong.json", '{"first": 1, "second": 2, "printed": 5}')
    assert judge().problems == (
        f"{strict}: is refused, and must be accepted: not the sum",
        f"{lenient}: is accepted, and must be refused",
    )


def test_a_judge_that_breaks_has_refused_nothing(judge: Judge, answers: Callable[[str, str], Path]) -> None:
    path = answers("sum-is-right/refuse/odd.json", '{"first": 1}')
    (problem,) = judge().problems
    assert problem.startswith(f"{path}: the judge broke on it: KeyError: 'printed' at judges.py:4")


def test_what_nobody_judges_and_what_nobody_tries_is_named(
    judge: Judge, folder: Path, answers: Callable[[str, str], Path]
) -> None:
    answers("no-such-check/accept/one.json", "{}")
    (folder / "judge_data/sum-is-right/refuse/off-by-one.json").unlink()
    found = "\n".join(judge().problems)
    assert "'no-such-check' is no check of the manifest" in found
    assert f"{folder}/judge_data/sum-is-right/refuse: holds no answer (*.json) to refuse" in found


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("", "make_judges"),
        ("def make_judges(folder):\n    return {}\n", "has no judge for it"),
    ],
)
def test_judges_that_cannot_be_had_are_named(
    judge: Judge, folder: Path, answers: Callable[[str, str], Path], code: str, words: str
) -> None:
    (folder / "hidden_tests/judges.py").write_text(code)
    assert any(words in problem for problem in judge().problems)


def test_answers_without_any_judge_are_named(judge: Judge, folder: Path, answers: Callable[[str, str], Path]) -> None:
    (folder / "hidden_tests/judges.py").unlink()
    assert any("make_judges is to stand in it" in problem for problem in judge().problems)
