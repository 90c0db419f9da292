"""Outcomes that change over the repeats, or from one engine to the next, are found and counted."""

from collections.abc import Callable

import pytest

from runner.certify.agreement import Flakiness, changed_cells, engine_differences, flakiness
from runner.certify.verify import Row

MakeRow = Callable[..., Row]


def test_outcomes_that_are_always_the_same_change_never(row: MakeRow) -> None:
    assert flakiness([row("ppf"), row("ppf"), row("ppf")]) == Flakiness(0, 9)
    assert changed_cells([row("ppf"), row("ppf")]) == ()


def test_each_outcome_unlike_the_commonest_of_its_cell_counts(row: MakeRow) -> None:
    rows = [row("pp"), row("pf"), row("pp"), row("ff", solution="other"), row("ff", solution="other")]
    assert flakiness(rows) == Flakiness(1, 10)
    assert changed_cells(rows) == (
        "accepted/reference: 'check-1' was passed 2 of 3 times and failed 1 of 3 times on bubblewrap",
    )


def test_what_was_seen_once_or_not_measured_says_nothing_of_change(row: MakeRow) -> None:
    assert flakiness([row("pp"), row("ff", solution="other")]) == Flakiness(0, 0)
    assert flakiness([row("p-"), row("p-"), row("pi")]) == Flakiness(0, 3)


def test_a_share_over_the_bound_is_a_problem(row: MakeRow) -> None:
    assert Flakiness(1, 100).problems == ()
    (problem,) = Flakiness(2, 100).problems
    assert "2 of 100 repeated outcomes changed, which is 2%; 1% is the most allowed" in problem


@pytest.mark.parametrize(
    ("changed", "outcomes", "at_most"),
    [(0, 59, 0.0495), (0, 299, 0.00997), (1, 100, 0.0466), (5, 100, 0.1023), (6, 3796, 0.00312), (0, 0, 1.0)],
)
def test_what_the_repeats_rule_out_is_clopper_and_pearsons_bound(changed: int, outcomes: int, at_most: float) -> None:
    """For none in n this is 1 - 0.05 ** (1 / n); the others are from tables of the binomial distribution."""
    assert Flakiness(changed, outcomes).share_at_most == pytest.approx(at_most, abs=2e-4)


def test_engines_that_disagree_are_named_with_what_each_said(row: MakeRow) -> None:
    rows = [row("pp"), row("pp"), row("pf", engine="docker"), row("pf", engine="docker")]
    assert engine_differences(rows) == (
        "accepted/reference: 'check-1' differs between engines: passed on bubblewrap, failed on docker",
    )


def test_what_each_engine_saw_once_changes_rather_than_differs(row: MakeRow) -> None:
    rows = [row("pp"), row("pf", engine="docker")]
    assert engine_differences(rows) == ()
    assert flakiness(rows) == Flakiness(1, 4)
    assert changed_cells(rows) == ("accepted/reference: 'check-1' was passed on bubblewrap, failed on docker",)


def test_an_outcome_that_both_engines_saw_is_no_difference_between_them(row: MakeRow) -> None:
    """It changes, and counts as that."""
    rows = [row("p"), row("f"), row("f", engine="docker"), row("f", engine="docker")]
    assert engine_differences(rows) == ()
    assert flakiness(rows) == Flakiness(1, 4)
