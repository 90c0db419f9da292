"""Gradings that are kept are those of exactly this challenge, whole, and for one process at a time."""

import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError, UsageError
from assessments.manifest import read_challenge
from assessments.submission import Digest
from runner.certify.kept import open_kept
from runner.certify.verify import Row
from runner.challenge_files import challenge_digests

MakeRow = Callable[..., Row]


@pytest.fixture
def challenge(folder: Path) -> Challenge:
    return read_challenge(folder)


def keep(state: Path, challenge: Challenge, *rows: Row) -> Path:
    with open_kept(state, challenge, challenge_digests(challenge.folder)) as kept:
        for row in rows:
            kept.add(row)
        return kept.path


def test_they_are_read_back_as_they_were(tmp_path: Path, challenge: Challenge, row: MakeRow) -> None:
    one, other = row("pf-"), row("ppf", time=2)
    keep(tmp_path, challenge, one)
    keep(tmp_path, challenge, other)
    with open_kept(tmp_path, challenge, challenge_digests(challenge.folder)) as kept:
        wanted = [(one.solution, 1), (other.solution, 2), (other.solution, 3)]
        found = kept.rows(wanted, one.engine, one.environment)
        assert found == {("accepted/reference", 1): one, ("accepted/reference", 2): other}
        assert kept.rows(wanted[:1], one.engine, one.environment).keys() == {("accepted/reference", 1)}
        assert kept.rows(wanted, replace(one.engine, version="2"), one.environment) == {}
        assert kept.rows(wanted, one.engine, replace(one.environment, digest=Digest("1" * 64))) == {}


def test_one_that_decided_nothing_is_counted_and_made_again(tmp_path: Path, challenge: Challenge, row: MakeRow) -> None:
    undecided, decided = row("pi"), row("pp")
    keep(tmp_path, challenge, undecided)
    with open_kept(tmp_path, challenge, challenge_digests(challenge.folder)) as kept:
        wanted = [(undecided.solution, 1)]
        assert kept.rows(wanted, undecided.engine, undecided.environment) == {}
        kept.add(decided)
        assert kept.rows(wanted, decided.engine, decided.environment) == {("accepted/reference", 1): decided}
        assert kept.graded_again == 1


@pytest.mark.parametrize("part", ["challenge", "solutions", "judge_data"])
def test_another_challenge_has_none_of_them(tmp_path: Path, challenge: Challenge, row: MakeRow, part: str) -> None:
    one = row("pp")
    keep(tmp_path, challenge, one)
    digests = replace(challenge_digests(challenge.folder), **{part: Digest("2" * 64)})
    with open_kept(tmp_path, challenge, digests) as kept:
        assert kept.rows([(one.solution, 1)], one.engine, one.environment) == {}


def test_half_a_line_is_what_a_death_leaves_and_is_cut_off(tmp_path: Path, challenge: Challenge, row: MakeRow) -> None:
    one, other = row("pp"), row("pf", time=2)
    path = keep(tmp_path, challenge, one, other)
    path.write_bytes(path.read_bytes()[:-9])
    keep(tmp_path, challenge, other)
    with open_kept(tmp_path, challenge, challenge_digests(challenge.folder)) as kept:
        found = kept.rows([(one.solution, 1), (other.solution, 2)], one.engine, one.environment)
        assert list(found.values()) == [one, other]


def test_a_disk_that_takes_half_a_line_is_told_of_and_the_lines_before_stay(
    tmp_path: Path, challenge: Challenge, row: MakeRow
) -> None:
    one, other = row("pf"), row("pf", time=2)
    path = keep(tmp_path, challenge, one)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    whole = path.stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (whole + 10, hard))
    try:
        with pytest.raises(InfrastructureError, match="could not be written: No space left on device"):
            keep(tmp_path, challenge, other)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.stat().st_size == whole + 10
    with open_kept(tmp_path, challenge, challenge_digests(challenge.folder)) as kept:
        wanted = [(one.solution, 1), (other.solution, 2)]
        assert kept.rows(wanted, one.engine, one.environment) == {("accepted/reference", 1): one}


def test_what_is_no_grading_is_named_and_nothing_is_thrown_away_unasked(
    tmp_path: Path, challenge: Challenge, row: MakeRow
) -> None:
    path = keep(tmp_path, challenge, row("pp"))
    path.write_text("{}\n" + path.read_text())
    with pytest.raises(UsageError, match=r"jsonl, line 1: is no grading; .* --fresh"):
        keep(tmp_path, challenge)
    with open_kept(tmp_path, challenge, challenge_digests(challenge.folder), fresh=True):
        assert path.read_text() == ""


def test_two_processes_do_not_prove_the_same_at_once(tmp_path: Path, challenge: Challenge) -> None:
    digests = challenge_digests(challenge.folder)
    with (
        open_kept(tmp_path, challenge, digests),
        pytest.raises(UsageError, match="proved by another process"),
        open_kept(tmp_path, challenge, digests),
    ):
        pass
