"""What commands print with: data on stdout, progress on stderr, styled on a terminal and plain elsewhere."""

import sys
from collections.abc import Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.markup import escape

from assessments.errors import ExitCode
from assessments.outcome import Outcome
from runner.reports.text import visible

OUTCOME_STYLES: Final = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.ERRORED: "magenta",
}


_WIDE = 400


def data_console() -> Console:
    """For results. Off a terminal it is wide, so that no line is broken for the reader's width."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)


def print_problems(problems: Iterable[str]) -> None:
    """One line on stderr for each, with nothing in it that a terminal would obey."""
    for problem in problems:
        print(f"assay: {visible(problem)}", file=sys.stderr)


def end_with(problems: Sequence[str]) -> None:
    """Leave with the exit code for an invalid challenge, if there are problems."""
    print_problems(problems)
    if problems:
        sys.exit(ExitCode.INVALID)


def say(line: str) -> None:
    """One line of progress, for people."""
    Console(stderr=True, highlight=False, soft_wrap=True).print(escape(line), style="dim")
