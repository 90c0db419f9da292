"""A challenge's sample solutions and what each must do, read from the folder they stand in.

solutions/
  accepted/<name>/   full marks
  broken/<fault>/    fails exactly the checks it names
  slow/<cause>/      right, but too slow for the checks it names
  cheat/<trick>/     passes no check but those it names
  expected.toml      what broken, slow and cheat solutions must and may fail or pass

A folder may hold a file `BASE` that names another solution (such as accepted/reference): it is then that one with
the folder's own files laid over it, so that a fault can be seen at a glance.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from assessments.challenge import Challenge
from assessments.check import CheckId
from assessments.errors import InvalidChallenge
from runner.challenge_files import author_files

EXPECTED = "expected.toml"
_BASE = "BASE"


class Kind(StrEnum):
    """What a solution is there to show."""

    ACCEPTED = "accepted"
    BROKEN = "broken"
    SLOW = "slow"
    CHEAT = "cheat"
    BASELINE = "baseline"
    """The starter and an empty submission: made here, not written by the author."""


@dataclass(frozen=True, slots=True)
class Solution:
    """One sample solution with its files, the checks it must fail, and those that may go either way."""

    kind: Kind
    name: str
    contents: Mapping[str, bytes]
    must_fail: frozenset[CheckId]
    may_fail: frozenset[CheckId]
    share_max: float = 1.0
    """The most it may earn, as a share of all points."""

    @property
    def label(self) -> str:
        return f"{self.kind}/{self.name}"


class _Fails(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    must_fail: list[str]
    may_fail: list[str] = []


class _Cheat(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    may_pass: list[str] = []


class _Expected(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    broken: dict[str, _Fails] = {}
    slow: dict[str, _Fails] = {}
    cheat: dict[str, _Cheat] = {}


def read_solutions(challenge: Challenge) -> tuple[Solution, ...]:
    """All sample solutions, baselines last. Raises InvalidChallenge with every problem of the folder and the table."""
    folder = challenge.folder / "solutions"
    expected = _read_expected(folder / EXPECTED)
    named: dict[Kind, set[str]] = {
        Kind.BROKEN: set(expected.broken),
        Kind.SLOW: set(expected.slow),
        Kind.CHEAT: set(expected.cheat),
    }
    problems = [*_mismatches(folder, named), *_unknown_checks(challenge, expected, folder / EXPECTED)]
    if not (folder / "accepted" / "reference").is_dir():
        problems.append(f"{folder / 'accepted/reference'}: is missing; every challenge has a reference solution")
    if problems:
        raise InvalidChallenge(problems)
    every = frozenset(check.id for check in challenge.checks)
    solutions = [
        Solution(kind, path.name, _contents(folder, path), *_bounds(kind, path.name, expected, every))
        for kind in (Kind.ACCEPTED, Kind.BROKEN, Kind.SLOW, Kind.CHEAT)
        for path in _folders(folder / kind)
    ]
    return (*solutions, *_baselines(challenge, every))


def _bounds(
    kind: Kind, name: str, expected: _Expected, every: frozenset[CheckId]
) -> tuple[frozenset[CheckId], frozenset[CheckId]]:
    """What a solution must fail, and what it may fail besides."""
    if kind is Kind.CHEAT:
        may_pass = frozenset(map(CheckId, expected.cheat[name].may_pass))
        return every - may_pass, may_pass
    if kind in (Kind.BROKEN, Kind.SLOW):
        row = (expected.broken if kind is Kind.BROKEN else expected.slow)[name]
        return frozenset(map(CheckId, row.must_fail)), frozenset(map(CheckId, row.may_fail))
    return frozenset(), frozenset()


def _baselines(challenge: Challenge, every: frozenset[CheckId]) -> tuple[Solution, ...]:
    """The starter, and files with nothing in them: they earn what the manifest allows, and where that is nothing,
    they must fail every check.
    """
    allowed = challenge.baseline
    contents = {
        "starter": (author_files(challenge.folder / "starter"), allowed.starter_share_max),
        "empty": (dict.fromkeys(challenge.entry.required_files, b""), allowed.empty_share_max),
    }
    return tuple(
        Solution(
            Kind.BASELINE,
            name,
            files,
            must_fail=frozenset() if share_max else every,
            may_fail=every if share_max else frozenset(),
            share_max=share_max,
        )
        for name, (files, share_max) in contents.items()
    )


def _read_expected(path: Path) -> _Expected:
    try:
        return _Expected.model_validate(tomllib.loads(path.read_text("utf-8")))
    except FileNotFoundError as error:
        raise InvalidChallenge(f"{path}: is missing; it says what each sample solution must fail") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidChallenge(f"{path}: cannot be read: {error}") from error
    except ValidationError as error:
        problems = error.errors(include_url=False)
        raise InvalidChallenge(
            f"{path}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems
        ) from error


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _mismatches(folder: Path, named: Mapping[Kind, set[str]]) -> Iterable[str]:
    for kind, names in named.items():
        there = {path.name for path in _folders(folder / kind)}
        for name in sorted(there - names):
            yield f"{folder / EXPECTED}: {kind}.{name}: is missing; say what this solution must do"
        for name in sorted(names - there):
            yield f"{folder / EXPECTED}: {kind}.{name}: there is no folder {kind}/{name}; add it, or take the row out"


def _unknown_checks(challenge: Challenge, expected: _Expected, path: Path) -> Iterable[str]:
    known = {str(check.id) for check in challenge.checks}
    rows = [
        *((f"broken.{name}", [*row.must_fail, *row.may_fail]) for name, row in expected.broken.items()),
        *((f"slow.{name}", [*row.must_fail, *row.may_fail]) for name, row in expected.slow.items()),
        *((f"cheat.{name}", row.may_pass) for name, row in expected.cheat.items()),
    ]
    for field, ids in rows:
        for unknown in sorted(set(ids) - known):
            yield f"{path}: {field}: '{unknown}' is no check of the manifest"
    for field, row in [*expected.broken.items(), *expected.slow.items()]:
        if not row.must_fail:
            yield f"{path}: {field}: must_fail is empty; a solution that need not fail shows nothing"


def _contents(solutions: Path, folder: Path) -> Mapping[str, bytes]:
    own = dict(author_files(folder))
    base = own.pop(_BASE, None)
    if base is None:
        return own
    below = solutions / base.decode("utf-8", "replace").strip()
    if not below.is_dir() or below.resolve() == folder.resolve():
        raise InvalidChallenge(f"{folder / _BASE}: names {below.name!r}, which is no other solution here")
    return {**_contents(solutions, below), **own}
