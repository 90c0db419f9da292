"""A certificate is about exact files: it is written whole, read back as it was, and out of date when they change."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError, InvalidChallenge
from assessments.manifest import read_challenge
from runner.certify import certificate
from runner.certify.agreement import flakiness
from runner.certify.certificate import Certificate, Current, Missing, Stale, certificate_of
from runner.certify.verify import Row
from runner.challenge_files import CERTIFICATE, challenge_digest, challenge_digests
from runner.host import this_host

MakeRow = Callable[..., Row]


@pytest.fixture
def challenge(folder: Path) -> Challenge:
    return read_challenge(folder)


@pytest.fixture
def issued(challenge: Challenge, row: MakeRow) -> Certificate:
    rows = [row("pp"), row("pp"), row("fp", solution="other"), row("f-", solution="other"), row("pp", engine="docker")]
    digests = challenge_digests(challenge.folder)
    return certificate.issue(
        challenge,
        digests,
        rows,
        host=this_host(),
        repeat=2,
        flakiness=flakiness(rows),
        graded_again=1,
        judge_data={"sum-is-right": {"accept": 1, "refuse": 2}},
    )


def test_it_is_read_back_as_it_was_written(issued: Certificate) -> None:
    data = certificate.dump(issued)
    assert certificate.load(data) == issued
    assert certificate.dump(certificate.load(data)) == data


def test_it_holds_the_matrix_for_each_engine(issued: Certificate) -> None:
    assert set(issued.engines) == {"bubblewrap", "docker"}
    other = issued.engines["bubblewrap"].solutions["accepted/other"]
    assert (other.gradings, other.failed, other.unmeasured) == (2, {"check-0": 2}, {"check-1": 1})
    assert (other.share_min, other.share_max) == (0, 0.5)


def test_it_names_no_host_and_no_path(issued: Certificate, challenge: Challenge) -> None:
    text = certificate.dump(issued).decode()
    assert str(challenge.folder.parent) not in text
    assert set(json.loads(text)["certificate"]["host"]) == {
        *("fingerprint", "system", "kernel", "machine", "cores", "memory_bytes", "assay"),
    }


def test_it_is_no_part_of_what_it_is_about(issued: Certificate, challenge: Challenge) -> None:
    before = challenge_digest(challenge.folder)
    certificate.write(issued, challenge)
    assert challenge_digest(challenge.folder) == before
    assert certificate_of(challenge) == Current(issued)
    assert [path.name for path in challenge.folder.glob(f"{CERTIFICATE}*")] == [CERTIFICATE]


def test_one_that_cannot_be_written_leaves_the_one_before(
    issued: Certificate, challenge: Challenge, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate.write(issued, challenge)
    before = (challenge.folder / CERTIFICATE).read_bytes()

    def full(_self: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InfrastructureError, match="No space left on device; nothing was changed"):
        certificate.write(dataclasses.replace(issued, repeat=9), challenge)
    assert (challenge.folder / CERTIFICATE).read_bytes() == before
    assert [path.name for path in challenge.folder.glob(f"{CERTIFICATE}*")] == [CERTIFICATE]


def test_what_a_killed_run_left_of_one_is_no_part_of_the_challenge_and_goes_with_the_next(
    issued: Certificate, challenge: Challenge
) -> None:
    before = challenge_digest(challenge.folder)
    (challenge.folder / f"{CERTIFICATE}.x1y2").write_text("half of")
    assert challenge_digest(challenge.folder) == before
    certificate.write(issued, challenge)
    assert [path.name for path in challenge.folder.glob(f"{CERTIFICATE}*")] == [CERTIFICATE]


CHANGES = {
    "challenge.toml": "the challenge has changed",
    "hidden_tests/test_sum.py": "the challenge has changed",
    "solutions/accepted/reference/main.py": "the challenge has changed",
    "solutions/broken/subtracts/main.py": "its solutions have changed",
    "solutions/expected.toml": "its solutions have changed",
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_change_of_any_file_it_rests_on_makes_it_stale(issued: Certificate, challenge: Challenge, path: str) -> None:
    certificate.write(issued, challenge)
    with (challenge.folder / path).open("a") as file:
        file.write("\n# changed\n")
    standing = certificate_of(challenge)
    assert isinstance(standing, Stale)
    assert standing.reason.startswith(CHANGES[path])


def test_new_judge_data_makes_it_stale(issued: Certificate, challenge: Challenge) -> None:
    certificate.write(issued, challenge)
    (challenge.folder / "judge_data/sum-is-right/accept").mkdir(parents=True)
    (challenge.folder / "judge_data/sum-is-right/accept/one.json").write_text("{}")
    assert isinstance(certificate_of(challenge), Stale)


def test_without_one_it_is_missing_and_the_command_is_named(challenge: Challenge) -> None:
    assert certificate_of(challenge) == Missing()
    assert f"run: assay challenge verify {challenge.folder}" in str(certificate.warning(challenge))


def test_it_holds_on_the_engines_it_was_made_on_only(issued: Certificate, challenge: Challenge) -> None:
    certificate.write(issued, challenge)
    assert certificate_of(challenge, "docker") == Current(issued)
    assert certificate_of(challenge, "podman") == Stale("it holds on bubblewrap, docker, and not on podman")


def test_one_changed_by_hand_is_not_believed(issued: Certificate, challenge: Challenge) -> None:
    certificate.write(issued, challenge)
    path = challenge.folder / CERTIFICATE
    for text in (path.read_text().replace('"repeat": 2', '"repeat": 9'), "{}", "nothing", '{"format": 2}'):
        path.write_text(text)
        standing = certificate_of(challenge)
        assert isinstance(standing, Stale), text
        assert "cannot be read" in standing.reason


def test_whoever_needs_one_is_refused_without(issued: Certificate, challenge: Challenge) -> None:
    with pytest.raises(InvalidChallenge, match="assay challenge verify"):
        certificate.require_certificate(challenge)
    certificate.write(issued, challenge)
    assert certificate.require_certificate(challenge, "bubblewrap") == issued
    with pytest.raises(InvalidChallenge, match="not on podman"):
        certificate.require_certificate(challenge, "podman")
