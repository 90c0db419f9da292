"""The whole proof, with real gradings: what is found before and after them keeps a certificate from being issued."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.manifest import read_challenge
from runner.certify.prove import Proof, prove
from runner.certify.solutions import read_solutions
from runner.certify.verify import Row
from runner.engines.choose import EngineName, Wish

Prove = Callable[..., Proof]


@pytest.fixture
def proved(folder: Path, built_state: Path) -> Prove:
    def run(done: Callable[[Row], None] = lambda row: None, *, repeat: int = 2, engines: int = 1) -> Proof:
        challenge = read_challenge(folder)
        return prove(
            challenge,
            read_solutions(challenge),
            [Wish(EngineName.BUBBLEWRAP)] * engines,
            state=built_state,
            say=lambda line: None,
            repeat=repeat,
            lanes=2,
            done=done,
        )

    return run


def test_a_sound_challenge_gets_a_certificate_with_its_whole_matrix(proved: Prove, folder: Path) -> None:
    """The same engine twice is one engine."""
    proof = proved(engines=2)
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


def test_a_challenge_that_changes_meanwhile_gets_none(proved: Prove, folder: Path) -> None:
    proof = proved(lambda row: (folder / "brief.md").write_text((folder / "brief.md").read_text() + "\n") and None)
    assert proof.certificate is None
    assert any("was changed while it was being proved" in problem for problem in proof.problems)
