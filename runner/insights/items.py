"""How the checks of a challenge do with real submissions: for the challenge's owner.

The terms are those of test theory: a check is an item, difficulty the share that passes it, discrimination how far it
agrees with the other checks, alpha how far all of them do. Reference: L. Crocker and J. Algina, Introduction to
Classical and Modern Test Theory (1986), chapters 7 and 14.

What is undecided (inconclusive or errored) is no answer of a candidate's and must not count as a wrong one:

- difficulty counts decided outcomes alone;
- the mean share is of the points that were decided;
- discrimination and alpha leave out the submissions with something undecided. So that one noisy budget does not leave
  out everybody, a check that is undecided more often than `MOST_UNDECIDED` is first left out as an item; it still gets
  a discrimination of its own, against the others.
"""

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median
from typing import Final

from assessments.check import CheckId
from assessments.outcome import Outcome
from assessments.scorecard_summary import CheckFigure, ScorecardSummary
from runner.insights.estimates import Estimate, correlation, cronbach_alpha, share_of

LEAST_SUBMISSIONS: Final = 20
"""From how many submissions on there is a discrimination, an alpha or a concern.

With 20 a correlation of 0 has an interval of plus or minus 0.44, the most that is of any use. And what was so 20 times
out of 20 is otherwise less than one time in seven (the rule of three: 3 / 20).
"""
LEAST_ON_EACH_SIDE: Final = 5
"""How many must have passed and how many failed before a check has a discrimination: with fewer, it is the portrait of
one or two candidates, whatever the number of all."""
MOST_UNDECIDED: Final = 0.1
"""The share of undecided outcomes beyond which a check is left out of the sums that others are held against."""
OFTEN_UNDECIDED: Final = 0.05
"""A check concerns us if it is certainly undecided more often than that: one person to look in twenty submissions."""
TELLS_ENOUGH: Final = 0.3
"""The discrimination that a good item has (R. L. Ebel, Essentials of Educational Measurement, 1972)."""

_DECIDED: Final = (Outcome.PASSED, Outcome.FAILED)


class CheckConcern(StrEnum):
    """What an owner should look into, most telling first."""

    TELLS_THE_WRONG_WAY = "tells-the-wrong-way"
    """Those who do well elsewhere certainly fail it more often: the check or the brief may be wrong."""
    NEVER_PASSED = "never-passed"
    FLAKY = "flaky"
    """The same bytes did not always come to the same outcome."""
    OFTEN_UNDECIDED = "often-undecided"
    ALWAYS_PASSED = "always-passed"
    TELLS_LITTLE = "tells-little"
    """Its discrimination is certainly below `TELLS_ENOUGH`."""


@dataclass(frozen=True, slots=True)
class CheckStatistics:
    """One check over all submissions. None says that there are too few of them to say."""

    check: CheckId
    skill: str
    points: float
    is_budget: bool
    n: int
    """Submissions that were graded with this check; passed + failed + inconclusive + errored."""
    passed: int
    failed: int
    inconclusive: int
    errored: int
    difficulty: Estimate | None
    """The share that passed of those decided, 0 to 1: the higher, the easier. None where nothing was decided."""
    discrimination: float | None
    """The correlation of the points earned here with those of the other checks together, -1 to 1."""
    duration_median_s: float
    duration_max_s: float
    concerns: tuple[CheckConcern, ...]


@dataclass(frozen=True, slots=True)
class ChallengeStatistics:
    """One challenge over all submissions."""

    challenge: str
    title: str
    n: int
    """Submissions."""
    checks: tuple[CheckStatistics, ...]
    """In the order of the manifest; then those that only earlier gradings had."""
    alpha: Estimate | None
    """Cronbach's alpha of the points earned. None where there are too few submissions to say."""
    mean_share: float
    """Of the points decided, the mean over submissions, 0 to 1; 0 where nothing was."""
    seconds_median: float
    """Of a whole grading."""
    seconds_p95: float
    alpha_n: int = 0
    """The submissions that alpha and the discriminations rest on: those with every item decided."""


Figures = Mapping[CheckId, CheckFigure]


def challenge_statistics(summaries: Sequence[ScorecardSummary], flaky: Collection[CheckId] = ()) -> ChallengeStatistics:
    """The statistics of one challenge, from the scorecard that counts of each submission.

    `flaky` are the checks that are known from elsewhere to come out differently for the same bytes. Raises ValueError
    where there is no scorecard, or one of another challenge.
    """
    if len({each.challenge.id for each in summaries}) != 1:
        raise ValueError("statistics are of the scorecards of one challenge, and of at least one")
    # Newest first, so that a check's order, skill and points are those of today's manifest.
    summaries = sorted(summaries, key=lambda each: (each.graded_at, each.id), reverse=True)
    cards = [{figure.check: figure for figure in each.checks} for each in summaries]
    known = list(dict.fromkeys(check for card in cards for check in card))
    items = [
        check for check in known if sum(_decided(card, check) for card in cards) >= (1 - MOST_UNDECIDED) * len(cards)
    ]
    whole = [card for card in cards if all(_decided(card, item) for item in items)]
    shares = [share for each in summaries if (share := _decided_share(each)) is not None]
    seconds = sorted(each.seconds for each in summaries)
    return ChallengeStatistics(
        challenge=summaries[0].challenge.id,
        title=summaries[0].challenge.title,
        n=len(summaries),
        checks=tuple(_statistics(check, cards, whole, items, check in flaky) for check in known),
        alpha=_alpha(whole, items),
        mean_share=math.fsum(shares) / len(shares) if shares else 0.0,
        seconds_median=median(seconds),
        seconds_p95=seconds[math.ceil(0.95 * len(seconds)) - 1],
        alpha_n=len(whole),
    )


def _decided(card: Figures, check: CheckId) -> bool:
    return check in card and card[check].outcome in _DECIDED


def _decided_share(summary: ScorecardSummary) -> float | None:
    decided = summary.points.possible - summary.points.undecided
    return summary.points.earned / decided if decided > 0 else None


def _alpha(whole: Sequence[Figures], items: Sequence[CheckId]) -> Estimate | None:
    if len(whole) < LEAST_SUBMISSIONS:
        return None
    return cronbach_alpha([[card[item].earned for item in items] for card in whole])


def _statistics(
    check: CheckId, cards: Sequence[Figures], whole: Sequence[Figures], items: Sequence[CheckId], flaky: bool
) -> CheckStatistics:
    figures = [card[check] for card in cards if check in card]
    outcomes = Counter(figure.outcome for figure in figures)
    passed, failed = outcomes[Outcome.PASSED], outcomes[Outcome.FAILED]
    agreement = _item_rest(check, whole, items)
    durations = [figure.duration_s for figure in figures]
    return CheckStatistics(
        check=check,
        skill=figures[0].skill,
        points=figures[0].points,
        is_budget=figures[0].limit is not None,
        n=len(figures),
        passed=passed,
        failed=failed,
        inconclusive=outcomes[Outcome.INCONCLUSIVE],
        errored=outcomes[Outcome.ERRORED],
        difficulty=share_of(passed, passed + failed) if passed + failed else None,
        discrimination=agreement.value if agreement else None,
        duration_median_s=median(durations),
        duration_max_s=max(durations),
        concerns=_concerns(outcomes, agreement, flaky),
    )


def _item_rest(check: CheckId, whole: Sequence[Figures], items: Sequence[CheckId]) -> Estimate | None:
    """The corrected item-total correlation (S. Henrysson, Psychometrika 28, 1963): without the item itself in the sum.

    With it, a check would agree with itself, and a heavy one the most.
    """
    mine = [card for card in whole if _decided(card, check)]
    passed = sum(card[check].outcome is Outcome.PASSED for card in mine)
    if len(mine) < LEAST_SUBMISSIONS or min(passed, len(mine) - passed) < LEAST_ON_EACH_SIDE:
        return None
    others = [item for item in items if item != check]
    rest = [math.fsum(card[item].earned for item in others) for card in mine]
    return correlation([card[check].earned for card in mine], rest)


def _concerns(outcomes: Counter[Outcome], agreement: Estimate | None, flaky: bool) -> tuple[CheckConcern, ...]:
    n = outcomes.total()
    passed, failed = outcomes[Outcome.PASSED], outcomes[Outcome.FAILED]
    enough = passed + failed >= LEAST_SUBMISSIONS
    undecided = n - passed - failed
    so = {
        CheckConcern.TELLS_THE_WRONG_WAY: agreement is not None and agreement.high < 0,
        CheckConcern.NEVER_PASSED: enough and not passed,
        CheckConcern.FLAKY: flaky,
        CheckConcern.OFTEN_UNDECIDED: n >= LEAST_SUBMISSIONS and share_of(undecided, n).low > OFTEN_UNDECIDED,
        CheckConcern.ALWAYS_PASSED: enough and not failed,
        CheckConcern.TELLS_LITTLE: agreement is not None and 0 <= agreement.high < TELLS_ENOUGH,
    }
    return tuple(concern for concern in CheckConcern if so[concern])
