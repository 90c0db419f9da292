"""The gradings of a proof, on disk as they end: one that is ended before its end goes on where it was.

<state>/proofs/<challenge>-<digest, first 16>.jsonl

The digest is over all that a grading can depend on: the challenge with its solutions and judge_data, Assay's own code,
and this host. When any of them changes, nothing of what was kept counts. What is kept is what came out, wrong or not,
so that nobody gets a certificate by starting again until the dice fall well; `fresh` throws everything away at once.
Only a grading that decided nothing of something (a budget in noise, a fault of this host) is counted and made again.
"""

import contextlib
import dataclasses
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

import assessments
import graders
import runner
from assessments.challenge import Challenge
from assessments.check import CheckId
from assessments.errors import InfrastructureError, UsageError
from assessments.outcome import Outcome
from assessments.scorecard import EngineRef, EnvironmentRef
from assessments.submission import Digest
from runner.certify.solutions import Solution
from runner.certify.verify import Grading, Row
from runner.challenge_files import ChallengeDigests
from runner.host import this_host

_FOLDER: Final = "proofs"


@validated(frozen=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class _Line:
    """A `Row` by its solution's label."""

    solution: str
    engine: EngineRef
    environment: EnvironmentRef
    time: int
    outcomes: Mapping[CheckId, Outcome]
    unmeasured: tuple[CheckId, ...]
    undecided: bool
    share: float
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was graded so far. Not for two processes at once: `open_kept` sees to that."""

    path: Path
    _descriptor: int
    _lines: list[_Line]

    def rows(
        self, gradings: Sequence[tuple[Solution, int]], engine: EngineRef, environment: EnvironmentRef
    ) -> Mapping[Grading, Row]:
        """What is known of these solutions on this engine, in this environment: those that need no grading.

        What was wrong is known even where fewer gradings are asked for than there were.
        """
        wanted = {(solution.label, time) for solution, time in gradings}
        solutions = {solution.label: solution for solution, _ in gradings}
        return {
            grading: _row(line, solutions[line.solution])
            for line in self._lines
            if line.solution in solutions and (line.engine, line.environment) == (engine, environment)
            if not line.undecided and ((grading := (line.solution, line.time)) in wanted or line.problems)
        }

    def add(self, row: Row) -> None:
        """On disk when this returns, from any thread. Raises InfrastructureError where that cannot be."""
        line = _line(row)
        data = _adapter().dump_json(line) + b"\n"
        try:
            if os.write(self._descriptor, data) != len(data):  # the half that is there is cut off by the next proof
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(self._descriptor)
        except OSError as error:
            raise InfrastructureError(f"{self.path}: could not be written: {error.strerror}") from error
        self._lines.append(line)

    @property
    def graded_again(self) -> int:
        """Gradings so far that left something undecided, and do not count."""
        return sum(line.undecided for line in self._lines)


@contextlib.contextmanager
def open_kept(state: Path, challenge: Challenge, digests: ChallengeDigests, *, fresh: bool = False) -> Iterator[Kept]:
    """What is kept of exactly this challenge, for this process alone; `fresh`: nothing, from now on.

    Raises UsageError while another process proves it, and for a file that nobody could have left by dying.
    """
    folder = state / _FOLDER
    path = folder / f"{challenge.id}-{_depends_on(digests)[:16]}.jsonl"
    with contextlib.ExitStack() as held:
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            held.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"{challenge.id} is being proved by another process; wait for it, or end it") from error
        except OSError as error:
            raise InfrastructureError(f"{path}: cannot be opened: {error.strerror}") from error
        if fresh:
            os.ftruncate(descriptor, 0)
        yield Kept(path, descriptor, _read(path, descriptor))


def _read(path: Path, descriptor: int) -> list[_Line]:
    """All whole lines; half a line at the end was never kept, and is cut off."""
    data = path.read_bytes()
    whole = data.rfind(b"\n") + 1
    os.ftruncate(descriptor, whole)
    lines = []
    for number, text in enumerate(data[:whole].splitlines(), start=1):
        try:
            lines.append(_adapter().validate_json(text))
        except ValidationError as error:
            msg = f"{path}, line {number}: is no grading; was it changed by hand? Throw it all away with --fresh"
            raise UsageError(msg) from error
    return lines


def _line(row: Row) -> _Line:
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return _Line(**fields | {"solution": row.solution.label, "unmeasured": tuple(sorted(row.unmeasured))})


def _row(line: _Line, solution: Solution) -> Row:
    fields = {field.name: getattr(line, field.name) for field in dataclasses.fields(line)}
    return Row(**fields | {"solution": solution, "unmeasured": frozenset(line.unmeasured)})


@cache
def _adapter() -> TypeAdapter[_Line]:
    return TypeAdapter(_Line)


def _depends_on(digests: ChallengeDigests) -> Digest:
    parts = (digests.challenge, digests.solutions, digests.judge_data, _code_digest(), this_host().fingerprint)
    return Digest(hashlib.sha256(json.dumps(parts).encode()).hexdigest())


@cache
def _code_digest() -> Digest:
    """Over every source file of Assay's own packages."""
    whole = hashlib.sha256()
    for package in (assessments, graders, runner):
        root = Path(str(package.__file__)).parent
        for path in sorted(root.rglob("*.py")):
            whole.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root.parent)}\n".encode())
    return Digest(whole.hexdigest())
