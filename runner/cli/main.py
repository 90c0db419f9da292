"""`assay`: the entry point, the list of commands, and the one place where errors become messages and exit codes.

Exit codes: 0 done (also when the candidate scored nothing), 1 a --fail-under gate failed, 2 usage, 3 invalid challenge
or submission, 4 infrastructure, 130 interrupted.
"""

import os
import signal
import sys
from types import FrameType

import rich_click as click
from click.exceptions import Exit

from assessments.errors import AssayError, ExitCode
from runner import __version__
from runner.cli.lazy import LazyGroup
from runner.cli.screen import print_problems

_COMMANDS = {
    "grade": ("runner.cli.grade", "command", "Grade submissions of a challenge."),
    "challenge": (
        "runner.cli.challenge",
        "command",
        "List, show, make, check, prove challenges; make kits.",
    ),
    "assessment": (
        "runner.cli.assessment",
        "command",
        "List, show, check assessments: what a role is asked.",
    ),
    "cohort": ("runner.cli.cohort", "command", "Grade a cohort: take in, run, resume, grade again, decide."),
    "demo": ("runner.cli.demo", "command", "Grade four sample submissions of a challenge."),
    "verify": ("runner.cli.verify", "command", "Check results and receipts: digests, signatures, evidence."),
    "replay": ("runner.cli.replay", "command", "Grade the same bytes again with the same seed, and compare."),
    "report": ("runner.cli.report", "command", "Build reports from scorecards."),
    "db": ("runner.cli.db", "command", "Look after the store: upgrade, check, back up."),
    "doctor": ("runner.cli.doctor", "command", "Say what this machine can and cannot do."),
    "images": ("runner.cli.images", "command", "List, make, publish and remove the Docker engine's images."),
    "gc": ("runner.cli.gc", "command", "Remove what dead runs left behind."),
    "completion": ("runner.cli.completion", "command", "Print the shell's completion script."),
}


@click.group(cls=LazyGroup, commands_in=_COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="assay")
def command() -> None:
    """Assay runs technical assessments for AI engineers: real challenges, graded in sandboxes."""


def main() -> None:
    """The process's entry point; never shows a traceback for what a person can mend."""
    signal.signal(signal.SIGTERM, _end_politely)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # nohup's wish for us, and no submission's to inherit
        signal.signal(signal.SIGINT, _go_on)
    try:
        code = command.main(standalone_mode=False)
    except Exit as ending:
        code = ending.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except AssayError as error:
        print_problems(error.problems)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        print("assay: interrupted", file=sys.stderr)
        code = ExitCode.INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; keep the interpreter from complaining about it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = ExitCode.INFRASTRUCTURE
    except OSError as error:
        print_problems([f"this machine did not do it: {error}"])
        code = ExitCode.INFRASTRUCTURE
    sys.exit(code if isinstance(code, int) else 0)


def _go_on(_number: int, _frame: FrameType | None) -> None:
    """Ignore a signal in a way that programs started from here do not inherit."""


def _end_politely(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
