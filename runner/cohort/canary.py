"""The canary: a challenge's reference solution, graded as if a candidate had handed it in.

What is right must not fail. Where it does, this host cannot be trusted with a verdict just now, or the challenge never
could; either way no candidate may be judged by what was measured beside it.
"""

import tempfile
from pathlib import Path

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError
from assessments.manifest.read import REFERENCE
from assessments.outcome import FAULTS, Outcome
from assessments.scorecard import Scorecard
from runner.bench import Bench
from runner.challenge_files import author_files
from runner.grade import Order, grade
from runner.intake import write_tree
from runner.reports.text import shown

NAME = "canary"
EVERY = 20
"""So many measured gradings of a challenge, and a canary follows; one more follows the last of a run."""
_MESSAGE_BYTES = 200


def is_needed(challenge: Challenge) -> bool:
    """Whether anything of the challenge is measured, and so depends on what else this host does."""
    return any(check.budget is not None for check in challenge.checks)


def failed_by_canary(challenge: Challenge, bench: Bench, seed: int, *, unenforced_allowed: bool) -> tuple[str, ...]:
    """Grade one with what candidates are graded with, and give what it failed, in words: nothing, if all is well.

    Raises what grading raises, and InfrastructureError where a fault of ours kept it from being judged.
    """
    with tempfile.TemporaryDirectory(dir=bench.run.folder) as scratch:
        folder = Path(scratch) / NAME
        folder.mkdir()
        write_tree(author_files(challenge.folder / REFERENCE), folder)
        order = Order(folder, NAME, seed=seed, unenforced_allowed=unenforced_allowed, controlled=False)
        scorecard = grade(order, challenge, bench).scorecard
    require_judged(scorecard)
    return tuple(
        f"'{result.check.id}': {shown(result.message, _MESSAGE_BYTES).text}"
        for result in scorecard.results
        if result.outcome is Outcome.FAILED
    )


def require_judged(scorecard: Scorecard) -> None:
    """Raises InfrastructureError for one that a fault of ours left without an outcome, where another try may help."""
    ours = [one for one in scorecard.results if one.fault and FAULTS[one.fault].retry]
    if ours:
        raise InfrastructureError(f"{ours[0].check.id}: {ours[0].message or ours[0].fault}")
