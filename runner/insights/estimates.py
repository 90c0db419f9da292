"""Figures with their 95% intervals, by hand: no statistics library is needed to read a cohort."""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Z: Final = 1.959963984540054
"""The standard normal quantile of 0.975."""
BISECTIONS: Final = 80
"""Halvings of an interval of length 1: more than a double can tell apart."""
_TINY: Final = 1e-300
_TERMS: Final = 500
"""The continued fraction needs some sqrt(max(a, b)) terms, which is under 400 for 1,000 candidates and 200 checks."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and the interval that holds the true one with a confidence of 95%."""

    value: float
    low: float
    high: float


def share_of(hits: int, n: int) -> Estimate:
    """The share of `hits` in `n` independent trials, 0 to 1.

    Source: E. B. Wilson, J. Am. Stat. Assoc. 22 (1927), the score interval without correction for continuity. Raises
    ValueError where there are no trials, or more hits than trials.
    """
    if not 0 <= hits <= n or not n:
        raise ValueError(f"{hits} of {n} is no share")
    share = hits / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    # At the ends the formula gives 0 and 1 exactly, and its floating point something next to them.
    return Estimate(share, 0.0 if hits == 0 else middle - half, 1.0 if hits == n else middle + half)


def correlation(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """Pearson's correlation of paired values. None for fewer than four pairs, and where a side does not vary.

    The interval is R. A. Fisher's (Metron 1, 1921): atanh(r) is about normal with a variance of 1 / (n - 3).
    """
    n = len(first)
    if n < 4:
        return None
    both = math.sqrt(_squares(first) * _squares(second))
    if both == 0:
        return None
    middles = math.fsum(first) / n, math.fsum(second) / n
    products = math.fsum((x - middles[0]) * (y - middles[1]) for x, y in zip(first, second, strict=True))
    value = max(-1.0, min(1.0, products / both))
    if abs(value) == 1.0:
        return Estimate(value, value, value)
    half = Z / math.sqrt(n - 3)
    return Estimate(value, math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half))


def cronbach_alpha(scores: Sequence[Sequence[float]]) -> Estimate | None:
    """How far the items agree: a lower bound of the sum's reliability. A row is a person, a column an item.

    Sources: L. J. Cronbach, Psychometrika 16 (1951), for alpha = k / (k - 1) * (1 - sum of the items' variances /
    variance of the sums); L. S. Feldt, Psychometrika 30 (1965), for the interval: with n persons and k items,
    (1 - alpha) / (1 - its estimate) has the F distribution with n - 1 and (n - 1) * (k - 1) degrees of freedom. That
    takes normal scores; for right and wrong ones it is an approximation, and known for a good one from some 50 persons.

    Items that do not vary tell nobody apart and are left out. None for fewer than two persons or two such items, and
    where the sums do not vary.
    """
    items = [item for item in zip(*scores, strict=True) if min(item) != max(item)]
    persons, k = len(scores), len(items)
    if k < 2:
        return None
    of_sums = _squares([math.fsum(person) for person in zip(*items, strict=True)])
    if of_sums == 0:
        return None
    # One factor, 1 / (n - 1), makes variances of all of these sums of squares; it cancels out.
    value = k / (k - 1) * (1 - math.fsum(map(_squares, items)) / of_sums)
    dfs = persons - 1, (persons - 1) * (k - 1)
    return Estimate(value, 1 - (1 - value) * f_quantile(0.975, *dfs), 1 - (1 - value) * f_quantile(0.025, *dfs))


@functools.lru_cache(maxsize=1024)
def f_quantile(probability: float, df_above: int, df_below: int) -> float:
    """What the F distribution with these degrees of freedom stays under with this probability.

    Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.6.2: with x = df_above * F /
    (df_above * F + df_below) the probability is the incomplete beta ratio of x, which is inverted by bisection over x.
    Right to at least six digits for probabilities from 0.001 to 0.999. Raises ValueError for a probability that is not
    between 0 and 1 and for less than one degree of freedom.
    """
    if not 0 < probability < 1:
        raise ValueError(f"a probability lies between 0 and 1, and {probability} does not")
    if min(df_above, df_below) < 1:
        raise ValueError(f"there is at least one degree of freedom, not {min(df_above, df_below)}")
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        if beta_ratio(middle, df_above / 2, df_below / 2) < probability:
            low = middle
        else:
            high = middle
    x = (low + high) / 2
    return df_below * x / (df_above * (1 - x)) if x < 1 else math.inf


def beta_ratio(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b), for x from 0 to 1 and positive a and b.

    Source: Abramowitz and Stegun, 26.5.8, a continued fraction that converges fast for x under (a + 1) / (a + b + 2),
    and 26.5.2, I_x(a, b) = 1 - I_(1 - x)(b, a), for the others.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_ratio(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1 / (1 + d2 / (1 + ...)) with the coefficients of 26.5.8.

    Evaluated from the front by W. J. Lentz's method (Applied Optics 15, 1976): a product of ratios of consecutive
    numerators and of consecutive denominators, kept from zero.
    """
    value = above = 1.0
    below = 0.0
    for term in range(1, _TERMS):
        m = term // 2
        if term % 2:
            d = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            d = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        below = 1 / (1 + d * below or _TINY)
        above = 1 + d / above or _TINY
        value *= above * below
        if abs(above * below - 1) < 1e-15:
            break
    return value


def _squares(values: Sequence[float]) -> float:
    """The sum of squared distances from the mean."""
    middle = math.fsum(values) / len(values)
    return math.fsum((value - middle) ** 2 for value in values)
