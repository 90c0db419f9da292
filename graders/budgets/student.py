"""Student's t distribution for whole degrees of freedom, without a statistics library.

Source: M. Abramowitz and I. A. Stegun, Handbook of Mathematical Functions (1964), 26.7.3 and 26.7.4: with
theta = atan(t / sqrt(df)) the probability of |T| <= t is a finite series in sin(theta) and cos(theta). It is exact,
and it is inverted by bisection over theta, which unlike t lies between fixed ends.
"""

import functools
import math
from typing import Final

BISECTIONS: Final = 80
"""Halvings of an interval of length pi / 2: more than a double can tell apart."""


def within(theta: float, df: int) -> float:
    """The probability of |T| <= sqrt(df) * tan(theta), for theta from 0 to pi / 2 and df >= 1."""
    sine, cosine = math.sin(theta), math.cos(theta)
    if df % 2 == 0:
        return sine * _series(1.0, cosine, first=1, steps=df // 2)
    if df == 1:
        return 2 * theta / math.pi
    return 2 / math.pi * (theta + sine * _series(cosine, cosine, first=2, steps=df // 2))


def _series(term: float, cosine: float, first: int, steps: int) -> float:
    """`steps` terms; each is the last one times cosine^2 * k / (k + 1), where k is `first`, `first` + 2, and so on."""
    total = 0.0
    for step in range(steps):
        total += term
        k = first + 2 * step
        term *= cosine * cosine * k / (k + 1)
    return total


@functools.cache
def quantile(probability: float, df: int) -> float:
    """The t that Student's distribution with `df` degrees of freedom stays under with this probability.

    For probabilities from 1e-9 to 1 - 1e-9 it is right to at least six digits. Raises ValueError for a probability
    that is not between 0 and 1 and for df < 1.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability lies between 0 and 1, and {probability} does not")
    if df < 1:
        raise ValueError(f"there is at least one degree of freedom, not {df}")
    if probability < 0.5:
        return -quantile(1 - probability, df)
    wanted = 2 * probability - 1
    low, high = 0.0, math.pi / 2
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if within(middle, df) < wanted:
            low = middle
        else:
            high = middle
    return math.sqrt(df) * math.tan((low + high) / 2)
