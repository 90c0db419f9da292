"""The few errors that reach a person, typed by who answers for them and caught in one place.

Each carries every problem that was found, each problem worded with what is wrong, where, and how to mend it.
"""

from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """What the command line ends with."""

    DONE = 0
    GATE_FAILED = 1
    USAGE = 2
    INVALID = 3
    """An invalid challenge, assessment or submission."""
    INFRASTRUCTURE = 4
    INTERRUPTED = 130


class AssayError(Exception):
    """Something a person must mend. `problems` holds one sentence each; `exit_code` is the command line's."""

    exit_code = ExitCode.INFRASTRUCTURE

    def __init__(self, problems: str | Iterable[str]) -> None:
        self.problems: tuple[str, ...] = (problems,) if isinstance(problems, str) else tuple(problems)
        super().__init__("; ".join(self.problems))


class UsageError(AssayError):
    """The operator asked for something that does not exist or does not make sense."""

    exit_code = ExitCode.USAGE


class InvalidSubmission(AssayError):
    """The candidate's archive or folder cannot be accepted as a submission."""

    exit_code = ExitCode.INVALID


class InvalidChallenge(AssayError):
    """A challenge's manifest or its files are wrong: the author's to mend."""

    exit_code = ExitCode.INVALID


class InvalidAssessment(AssayError):
    """An assessment's file is wrong: the mending is for who wrote it."""

    exit_code = ExitCode.INVALID


class InfrastructureError(AssayError):
    """This machine, its engine or its disk failed; the submission is not to blame."""

    exit_code = ExitCode.INFRASTRUCTURE
