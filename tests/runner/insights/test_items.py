"""Checks as items: what is said of them, and what is not said for lack of submissions."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from assessments.check import CheckId
from assessments.scorecard_summary import CheckFigure, ScorecardSummary
from runner.insights.items import ChallengeStatistics, CheckConcern, CheckStatistics, challenge_statistics

Make = Callable[..., ScorecardSummary]


def check(statistics: ChallengeStatistics, name: str) -> CheckStatistics:
    return next(each for each in statistics.checks if each.check == name)


def test_outcomes_are_counted_and_difficulty_is_of_those_decided(card: Make) -> None:
    found = challenge_statistics([card("p"), card("p"), card("p"), card("f"), card("i"), card("e")])
    (one,) = found.checks
    assert (one.n, one.passed, one.failed, one.inconclusive, one.errored) == (6, 3, 1, 1, 1)
    assert one.difficulty is not None
    assert one.difficulty.value == 0.75
    assert found.mean_share == 0.75, "what is undecided is no part of the mean share"


def test_nothing_is_said_of_few_submissions(card: Make) -> None:
    found = challenge_statistics([card("pf"), card("fp")] * 9)
    assert found.alpha is None
    assert [each.discrimination for each in found.checks] == [None, None]
    assert not any(each.concerns for each in found.checks)


def test_discrimination_leaves_the_check_itself_out_of_the_sum(card: Make) -> None:
    """By hand: c1 and c2 are the same, c0 is independent of them, so c0 with the rest is 0, though not with the sum."""
    found = challenge_statistics([card(each) for each in ("ppp", "pff", "fpp", "fff")] * 6)
    assert check(found, "c0").discrimination == pytest.approx(0)
    # c1 with c0 + c2: covariance 1/4, variances 1/4 and 1/2, so 1 / sqrt(2).
    assert check(found, "c1").discrimination == pytest.approx(0.5**0.5)


def test_alpha_is_of_the_points_earned(card: Make, figure: Callable[..., CheckFigure]) -> None:
    """By hand: two that agree, of 1 and 3 points: variances v and 9v, of the sum 16v, alpha 2 * (1 - 10 / 16)."""
    passed, failed = ([figure("a", each), figure("b", each, points=3)] for each in "pf")
    found = challenge_statistics([card(passed), card(failed)] * 10)
    assert found.alpha is not None
    assert found.alpha.value == pytest.approx(0.75)
    assert found.alpha_n == 20


def test_submissions_with_something_undecided_change_neither_alpha_nor_discrimination(card: Make) -> None:
    decided = [card(each) for each in ("ppp", "pff", "fpp", "fff", "ppf")] * 6
    clean, mixed = challenge_statistics(decided), challenge_statistics([*decided, card("ipp"), card("ppe")])
    assert mixed.alpha == clean.alpha
    assert [each.discrimination for each in mixed.checks] == [each.discrimination for each in clean.checks]
    assert (mixed.n, mixed.alpha_n) == (32, 30)


def test_one_noisy_budget_does_not_silence_the_others(card: Make) -> None:
    """c2 is undecided in half of all: it is no part of the sums, and yet it is held against them."""
    cards = [card(each) for each in ("ppp", "ppi", "ffi", "fff")] * 12
    found = challenge_statistics(cards)
    assert found.alpha_n == 48
    assert check(found, "c0").discrimination == pytest.approx(1)
    assert check(found, "c2").discrimination == pytest.approx(1)
    assert CheckConcern.OFTEN_UNDECIDED in check(found, "c2").concerns


def test_a_check_that_stronger_candidates_fail_tells_the_wrong_way(card: Make) -> None:
    found = challenge_statistics([card("ppf"), card("ffp"), card("ppf"), card("ffp"), card("pfp")] * 6)
    assert CheckConcern.TELLS_THE_WRONG_WAY in check(found, "c2").concerns
    assert check(found, "c0").concerns == ()


def test_a_check_that_chance_could_decide_tells_little_once_enough_is_known(card: Make) -> None:
    rows = [card(each) for each in ("ppp", "ppf", "ffp", "fff")]
    assert check(challenge_statistics(rows * 5), "c2").concerns == ()
    assert check(challenge_statistics(rows * 20), "c2").concerns == (CheckConcern.TELLS_LITTLE,)


def test_always_and_never_are_said_from_twenty_on(card: Make) -> None:
    few, enough = challenge_statistics([card("pf")] * 19), challenge_statistics([card("pf")] * 20)
    assert [each.concerns for each in few.checks] == [(), ()]
    assert [each.concerns for each in enough.checks] == [(CheckConcern.ALWAYS_PASSED,), (CheckConcern.NEVER_PASSED,)]
    assert [each.discrimination for each in enough.checks] == [None, None]


def test_a_flaky_check_is_a_concern_however_few_submissions_there_are(card: Make) -> None:
    found = challenge_statistics([card("pp")], flaky=[CheckId("c1")])
    assert [each.concerns for each in found.checks] == [(), (CheckConcern.FLAKY,)]


def test_a_check_that_was_added_later_counts_those_who_had_it(card: Make) -> None:
    later = replace(card("pf"), graded_at="2026-02-01T00:00:00+00:00")
    found = challenge_statistics([card("p"), later])
    assert [(each.check, each.n) for each in found.checks] == [("c0", 2), ("c1", 1)]


def test_durations_and_the_time_of_grading(card: Make) -> None:
    found = challenge_statistics([replace(card("p"), seconds=float(each)) for each in range(1, 101)])
    assert (found.seconds_median, found.seconds_p95) == (50.5, 95)
    assert (found.checks[0].duration_median_s, found.checks[0].duration_max_s) == (0.5, 0.5)


def test_statistics_are_of_one_challenge(card: Make) -> None:
    for cards in ([], [card("p"), card("p", challenge="watch")]):
        with pytest.raises(ValueError, match="one challenge"):
            challenge_statistics(cards)
