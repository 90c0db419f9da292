"""Tries a challenge's judges on answers whose verdict is known: the checks' own tests.

<challenge>/
  hidden_tests/judges.py   make_judges(challenge_folder) -> {check id: judge}; a judge raises for a wrong answer
  judge_data/<check id>/
    accept/*.json          answers the check must accept, each handed to its judge as parsed JSON
    refuse/*.json          answers it must refuse, by AssertionError or BadAnswer

Runs in a grader, as hidden tests do, and never in the runner.
"""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from assessments.outcome import Outcome
from graders import wire
from graders.checks.authored import JUDGES, load_judges
from graders.checks.verdict import CheckStalled, decide

JUDGE_DATA = "judge_data"
ACCEPT, REFUSE = "accept", "refuse"

_TIME_LIMIT_S = 20.0
_MAX_FILES = 2000

Judge = Callable[[Any], object]


def judge_files(challenge_folder: Path) -> tuple[Path, ...]:
    """Every answer there is, in a fixed order."""
    folder = challenge_folder / JUDGE_DATA
    return tuple(sorted(path for kind in (ACCEPT, REFUSE) for path in folder.glob(f"*/{kind}/*.json")))


def try_judges(challenge_folder: Path) -> wire.Judged:
    """What each judge said of each of its answers. Whatever is wrong is in the message, and raises nothing."""
    files = judge_files(challenge_folder)
    if not files and not (challenge_folder / JUDGES).is_file():
        return wire.Judged(judges=(), verdicts=(), problem="")
    if len(files) > _MAX_FILES:
        return wire.Judged(judges=(), verdicts=(), problem=f"there are more than {_MAX_FILES} answers")
    try:
        judges = load_judges(challenge_folder)
    except Exception as error:  # noqa: BLE001 - an author's module may raise anything, and it is said
        return wire.Judged(judges=(), verdicts=(), problem=f"{type(error).__name__}: {error}")
    verdicts = tuple(
        _verdict(judges[check], path, path.relative_to(challenge_folder).as_posix())
        for path in files
        if (check := path.parent.parent.name) in judges
    )
    return wire.Judged(judges=tuple(judges), verdicts=verdicts, problem="")


def _verdict(judge: Judge, path: Path, name: str) -> wire.JudgeVerdict:
    before = signal.signal(signal.SIGALRM, _stall)
    signal.setitimer(signal.ITIMER_REAL, _TIME_LIMIT_S)
    try:
        judge(json.loads(path.read_bytes()))
    except (Exception, CheckStalled) as error:  # noqa: BLE001 - what it means is decided as a check's is
        signal.setitimer(signal.ITIMER_REAL, 0)
        place = error.__traceback__
        while place is not None and place.tb_next is not None:
            place = place.tb_next
        at = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else name
        said = decide(error, at, None)
        return wire.JudgeVerdict(
            file=name, accepts=False, broke=said.outcome is not Outcome.FAILED, message=said.message
        )
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    return wire.JudgeVerdict(file=name, accepts=True, broke=False, message="")


def _stall(_number: int, _frame: FrameType | None) -> None:
    raise CheckStalled
