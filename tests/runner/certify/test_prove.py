"""The whole proof, with real gradings: what is found before and after them keeps a certificate from being issued."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.errors import UsageError
from assessments.manifest import read_challenge
from runner.certify.prove import Proof, prove
from runner.certify.solutions import read_solutions
from runner.certify.verify import Row
from runner.engines.choose import EngineName, Wish

Prove = Callable[..., Proof]
Done = Callable[[Row, bool], None]


@pytest.fixture
def proved(folder: Path, built_state: Path) -> Prove:
    def run(done: Done = lambda row, kept: None, *, repeat: int = 2, engines: int = 1, fresh: bool = False) -> Proof:
        challenge = read_challenge(folder)
        return prove(
            challenge,
            read_solutions(challenge),
            [Wish(EngineName.BUBBLEWRAP)] * engines,
            state=built_state,
            fresh=fresh,
            say=lambda line: None,
            repeat=repeat,
            lanes=2,
            done=done,
        )

    return run


def test_a_sound_challenge_gets_a_certificate_with_its_whole_matrix(proved: Prove, folder: Path) -> None:
    proof = proved(fresh=True)
    assert proof.problems == ()
    assert proof.certificate is not None
    matrix = proof.certificate.engines["bubblewrap"].solutions
    assert {label: one.gradings for label, one in matrix.items()} == {
        "accepted/reference": 2,
        "broken/subtracts": 2,
        "cheat/claims-success": 2,
        "baseline/starter": 2,
        "baseline/empty": 2,
    }
    assert matrix["broken/subtracts"].failed == {"sum-is-right": 2}
    assert not (folder / "certificate.json").exists(), "to write it is the command's part"


def test_the_same_engine_twice_is_no_two_engines(proved: Prove) -> None:
    with pytest.raises(UsageError, match="the same engine was asked for twice"):
        proved(engines=2)


def test_a_challenge_that_changes_meanwhile_gets_none(proved: Prove, folder: Path) -> None:
    def change(row: Row, kept: bool) -> None:
        (folder / "brief.md").write_text((folder / "brief.md").read_text() + "\n")

    proof = proved(change)
    assert proof.certificate is None
    assert any("was changed while it was being proved" in problem for problem in proof.problems)


def test_one_that_was_ended_goes_on_where_it_was(proved: Prove) -> None:
    """What was graded counts, and only the rest is graded; a greater repeat adds to it, and `fresh` forgets it."""

    class EndedError(Exception):
        pass

    first: list[Row] = []

    def end_after_three(row: Row, kept: bool) -> None:
        first.append(row)
        if len(first) == 3:
            raise EndedError

    with pytest.raises(EndedError):
        proved(end_after_three, fresh=True)
    for repeat, fresh, again in ((2, False, 10 - len(first)), (3, False, 1), (3, False, 0), (3, True, 11)):
        seen: list[bool] = []
        proof = proved(lambda row, kept, seen=seen: seen.append(kept), repeat=repeat, fresh=fresh)
        assert proof.problems == ()
        assert seen.count(False) == again
        assert proof.certificate
        assert proof.certificate.engines["bubblewrap"].solutions["accepted/reference"].gradings == repeat


def test_what_came_out_wrong_stays_wrong_until_something_is_mended(proved: Prove, folder: Path) -> None:
    wrong = folder / "solutions/broken/subtracts/main.py"
    right, wrongly = (folder / "solutions/accepted/reference/main.py").read_text(), wrong.read_text()
    wrong.write_text(right)
    for _ in range(2):
        assert any("broken/subtracts: must fail" in problem for problem in proved().problems)
    wrong.write_text(wrongly)
    assert proved().problems == ()
