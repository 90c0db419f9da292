"""The least share of wrong answers that a sample proves.

Source: C. J. Clopper and E. S. Pearson, Biometrika 26 (1934): the exact one-sided bound. It takes requests to fail
independently of each other; what is done about failures that come in bursts is in `session`.
"""

import math
from typing import Final

BISECTIONS: Final = 60


def tail(wrong: int, requests: int, share: float) -> float:
    """The probability of at least `wrong` wrong answers among `requests`, where each is wrong with this share."""
    if wrong <= 0:
        return 1.0
    if share <= 0:
        return 0.0
    if share >= 1:
        return 1.0
    log_term = (
        math.lgamma(requests + 1)
        - math.lgamma(wrong + 1)
        - math.lgamma(requests - wrong + 1)
        + wrong * math.log(share)
        + (requests - wrong) * math.log1p(-share)
    )
    term, total = math.exp(log_term), 0.0
    odds = share / (1 - share)
    for k in range(wrong, requests + 1):
        total += term
        term *= odds * (requests - k) / (k + 1)
        # Past the mode terms only fall, and faster than by half from twice the mode on.
        if k > requests * share and term < total * 1e-15:
            break
    return min(total, 1.0)


def share_at_least(wrong: int, requests: int, alpha: float) -> float:
    """The share that the true one is under with a probability of at most `alpha`. 0 where nothing was wrong."""
    if wrong <= 0:
        return 0.0
    low, high = 0.0, wrong / requests
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if tail(wrong, requests, middle) < alpha:
            low = middle
        else:
            high = middle
    return low
