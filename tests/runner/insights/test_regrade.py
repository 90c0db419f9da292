"""What a regrade changes, by what, and for whom."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from assessments.assessment import Assessment
from assessments.assessment_result import Standing
from assessments.cohort import Candidate
from assessments.outcome import Outcome
from assessments.scorecard_summary import CheckFigure, ScorecardSummary
from assessments.submission import Digest
from runner.insights.regrade import Cause, Change, difference, shifts

Make = Callable[..., Candidate]
MakeCard = Callable[..., ScorecardSummary]
OTHER = Digest("9" * 64)


def test_checks_that_came_out_or_earned_otherwise_are_the_changes(
    card: MakeCard, figure: Callable[..., CheckFigure]
) -> None:
    before = card([figure("a", "p"), figure("b", "p"), figure("c", "f", earned=0.3), figure("gone", "p")])
    after = card([figure("new", "p"), figure("a", "p"), figure("b", "e"), figure("c", "f", earned=0.5)])
    found = difference("ann", before, after)
    assert found.changes == (
        Change(found.changes[0].check, Outcome.PASSED, Outcome.ERRORED, 1.0, 0.0),
        Change(found.changes[1].check, Outcome.FAILED, Outcome.FAILED, 0.3, 0.5),
    )
    assert [change.check for change in found.changes] == ["b", "c"]
    assert (found.added, found.removed) == (("new",), ("gone",))
    assert (found.candidate, found.challenge) == ("ann", "serve")


def test_rounding_is_no_change(card: MakeCard, figure: Callable[..., CheckFigure]) -> None:
    before, after = card([figure("a", "f", earned=0.1 + 0.2)]), card([figure("a", "f", earned=0.3)])
    assert difference("ann", before, after).changes == ()


@pytest.mark.parametrize(
    ("otherwise", "cause"),
    [
        ({"environment": OTHER}, Cause.ENVIRONMENT),
        ({"engine": "docker"}, Cause.ENGINE),
        ({"unenforced": ("network",)}, Cause.ENGINE),
        ({"seed": 2}, Cause.SEED),
        ({"host": OTHER}, Cause.HOST),
        ({"id": "another", "graded_at": "2027-01-01T00:00:00+00:00", "seconds": 9.0}, Cause.NOTHING),
    ],
)
def test_a_cause_is_what_was_otherwise(card: MakeCard, otherwise: dict[str, object], cause: Cause) -> None:
    assert difference("ann", card("p"), card("f", **otherwise)).causes == (cause,)


def test_all_causes_are_told_the_likeliest_first(card: MakeCard) -> None:
    before = card("p")
    changed = replace(before.challenge, digest=OTHER)
    after = replace(before, challenge=changed, seed=7, host=OTHER)
    assert difference("ann", before, after).causes == (Cause.CHALLENGE, Cause.SEED, Cause.HOST)


def test_a_first_grading_is_compared_with_nothing(card: MakeCard) -> None:
    found = difference("ann", None, card("pf"))
    assert (found.before, found.changes, found.added, found.removed, found.causes) == (None, (), (), (), ())


def test_other_files_or_another_challenge_are_no_regrade(card: MakeCard) -> None:
    for after in (card("p", tree="1"), card("p", challenge="watch")):
        with pytest.raises(ValueError, match="same challenge and the same files"):
            difference("ann", card("p"), after)


def test_those_who_cross_the_mark_come_first_and_those_who_did_not_move_are_left_out(
    assessment: Assessment, candidate: Make
) -> None:
    before = [candidate("ann", 0.2), candidate("bob", 0.74), candidate("eve", 0.9), candidate("new", 0.1)]
    after = [candidate("ann", 0.4), candidate("bob", 0.76), candidate("eve", 0.9), candidate("old", 0.05)]
    found = shifts(before, after, assessment)
    assert [(shift.candidate, shift.crosses) for shift in found] == [("bob", True), ("ann", False)]
    assert (found[0].standing_before, found[0].standing_after) == (Standing.TOO_CLOSE, Standing.PASSED)
    assert (found[0].place_before, found[0].place_after) == ((2, 2), (2, 2))


def test_one_who_is_overtaken_moved_too(assessment: Assessment, candidate: Make) -> None:
    before = [candidate("ann", 0.5), candidate("bob", 0.3)]
    after = [candidate("ann", 0.5), candidate("bob", 0.6)]
    found = shifts(before, after, assessment)
    assert [(shift.candidate, shift.place_before, shift.place_after) for shift in found] == [
        ("bob", (2, 2), (1, 1)),
        ("ann", (1, 1), (2, 2)),
    ]


def test_a_regrade_that_changes_nothing_moves_nobody(assessment: Assessment, candidate: Make) -> None:
    made = [candidate("ann", 0.1 + 0.2), candidate("bob", 0.8)]
    assert shifts(made, [candidate("ann", 0.3), candidate("bob", 0.8)], assessment) == ()
