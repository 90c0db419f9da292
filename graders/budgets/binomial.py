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
    # From the side of the mode on which terms only fall: on the other the first may be too small to be a number.
    if wrong <= requests * share:
        return max(1.0 - _sum(range(wrong - 1, -1, -1), requests, share), 0.0)
    return min(_sum(range(wrong, requests + 1), requests, share), 1.0)


def _sum(numbers: range, requests: int, share: float) -> float:
    """The probabilities of these numbers of wrong answers, which lie one by one away from the mode."""
    first, odds = numbers[0], share / (1 - share)
    term, total = math.exp(_log_probability(first, requests, share)), 0.0
    for k in numbers:
        total += term
        term *= odds * (requests - k) / (k + 1) if numbers.step > 0 else k / (odds * (requests - k + 1))
        if term < total * 1e-15:
            break
    return total


def _log_probability(wrong: int, requests: int, share: float) -> float:
    return (
        math.lgamma(requests + 1)
        - math.lgamma(wrong + 1)
        - math.lgamma(requests - wrong + 1)
        + wrong * math.log(share)
        + (requests - wrong) * math.log1p(-share)
    )


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
