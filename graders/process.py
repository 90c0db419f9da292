"""The grader process: one submission's judge, forked from a parent that has its hidden tests collected already.

It gets an assignment over its wire, runs the hidden tests against sandboxes that the runner starts for it, and says
what came of each check. It is trusted code that reads hostile bytes: it holds no privilege it does not need, may not
grow without bound, and its word counts only if it comes to its end.
"""

import os
import resource
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from graders import wire
from graders.checks.plugin import HiddenTests
from graders.checks.runner_link import RunnerLink
from graders.http.client import Witness

_MEMORY_BYTES = 2 * 1024**3


def teach(challenge_folder: Path, next_grader: Callable[[], Connection]) -> None:
    """Collect a challenge's hidden tests, then judge one submission in each process that `next_grader` returns in.

    It is to return once in every child, with the child's wire, and not in the process that called it. Raises
    wire.WireError if the runner went away.
    """
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    tests = HiddenTests(lambda: _link(next_grader()))
    _silence()
    ended = pytest.main(_arguments(challenge_folder), plugins=[tests])
    # Without a link they were not even collected: still the parent, which has this to say to whoever asks.
    link = tests.link or _link(next_grader())
    link.tell(wire.Finished(problem=tests.internal_error or _problem(ended)))


def _link(connection: Connection) -> RunnerLink:
    return RunnerLink(connection, wire.receive_assignment(connection), Witness())


def _problem(ended: int | pytest.ExitCode) -> str:
    """What is wrong with how pytest ended: it must come to its end by itself, whatever became of the checks."""
    if ended in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        return ""
    name = pytest.ExitCode(ended).name if ended in list(pytest.ExitCode) else str(ended)
    return f"it ended with {name}; see what python -m pytest --collect-only says of the hidden tests"


_WITHOUT = (
    *("cacheprovider", "doctest", "faulthandler", "junitxml", "pastebin", "setuponly", "setupplan", "stepwise"),
    *("threadexception", "unittest", "unraisableexception", "debugging", "legacypath", "logging", "recwarn"),
    *("freeze_support", "pytester_assertions", "python_path", "subtests"),
)
"""Built-in plugins that no hidden test needs; some cost as much time as a trivial check."""


def _arguments(challenge_folder: Path) -> list[str]:
    """Nothing of the surroundings counts: no configuration file, no plugin that happens to be installed, no cache."""
    tests = challenge_folder / "hidden_tests"
    off = (f"no:{name}" for name in _WITHOUT)
    return [
        str(tests),
        f"--rootdir={tests}",
        f"--confcutdir={tests}",
        f"--config-file={os.devnull}",
        "--quiet",
        "--tb=no",
        "--assert=plain",  # explaining a comparison costs time in the hands of whoever made the values
        "--strict-markers",
        *(part for name in off for part in ("-p", name)),
    ]


def _silence() -> None:
    """Checks may print; nobody reads it, and it must not mix with the runner's own output."""
    sys.dont_write_bytecode = True
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
