"""From what was measured to what it says of a budget, and to what should be measured next. Pure.

    student.py       quantiles of Student's t
    binomial.py      the least share of wrong answers that a sample proves
    gates.py         pairs of blocks, and which of them do not count
    figures.py       one figure of a block for each metric, and the ratio of a pair
    health.py        whether the reference ran as it does on a quiet host
    session.py       what one session by itself says of one budget
    words.py         the same for people
    tries.py         which budgets may be measured again
    ruling.py        all sessions together: the ruling
    steps.py         what to measure next
    calibration.py   what a quiet session teaches about this host

The method, its rates of error and its limits are on the page `docs/measuring.md`.
"""

from graders.budgets.calibration import better, calibrated
from graders.budgets.gates import Void, voids
from graders.budgets.ruling import rule
from graders.budgets.steps import Step, next_step

__all__ = ["Step", "Void", "better", "calibrated", "next_step", "rule", "voids"]
