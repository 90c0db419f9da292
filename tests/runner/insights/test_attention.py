"""What is worth a look, in the order of how much it matters."""

from collections.abc import Callable

from assessments.cohort import AttemptState, Candidate
from assessments.scorecard_summary import ScorecardSummary
from runner.insights.attention import Concern, ConcernKind, concerns
from runner.insights.similarity import Pair

Make = Callable[..., Candidate]
MakeCard = Callable[..., ScorecardSummary]


def kinds(found: tuple[Concern, ...]) -> list[tuple[ConcernKind, str]]:
    return [(each.kind, each.candidate) for each in found]


def test_a_cohort_in_which_all_went_well_has_nothing_to_look_at(candidate: Make, card: MakeCard) -> None:
    made = [candidate(name, 0.9, cards={"serve": card("p", tree=name)}) for name in "abc"]
    assert concerns(made, {}) == ()


def test_what_stops_the_cohort_comes_before_what_only_takes_time(candidate: Make, card: MakeCard) -> None:
    made = [
        candidate("a", cards={"serve": None}, state=AttemptState.WAITING),
        candidate("b", 0.9, cards={"serve": card("p", tree="b", unenforced=("network",))}),
        candidate("c", 0.9, cards={"serve": card("pi", tree="c")}),
        candidate("d", 0.7, cards={"serve": card("p", tree="d")}),
        candidate("e", 0.9, cards={"serve": card("p", tree="1")}),
        candidate("f", 0.9, cards={"serve": card("p", tree="1")}),
        candidate("g", 0.9, cards={"serve": card("pe", tree="2")}),
        candidate("h", cards={"serve": None}, state=AttemptState.HELD),
    ]
    assert kinds(concerns(made, {"serve": [Pair("b", "d", 0.8, 80)]})) == [
        (ConcernKind.HELD, "h"),
        (ConcernKind.ERRORED, "g"),
        (ConcernKind.IDENTICAL, "e"),
        (ConcernKind.SIMILAR, "b"),
        (ConcernKind.TOO_CLOSE, "d"),
        (ConcernKind.UNDECIDED, "c"),
        (ConcernKind.UNENFORCED, "b"),
        (ConcernKind.NOT_GRADED, "a"),
    ]


def test_several_with_the_same_bytes_are_one_concern_that_names_some_and_counts_the_rest(
    candidate: Make, card: MakeCard
) -> None:
    made = [candidate(name, 0.9, cards={"serve": card("p", tree="1")}) for name in "fedcba"]
    (found,) = concerns(made, {})
    assert (found.candidate, found.challenge) == ("a", "serve")
    assert found.sentence == "The same bytes as those of b, c, d and 2 more."


def test_an_archive_that_is_not_graded_yet_is_known_by_one_that_is(candidate: Make, card: MakeCard) -> None:
    made = [
        candidate("a", 0.9, cards={"serve": card("p", tree="1")}, digests={"serve": "x"}),
        candidate("b", 0.9, cards={"serve": card("p", tree="1")}, digests={"serve": "y"}),
        candidate("c", cards={"serve": None}, digests={"serve": "y"}, state=AttemptState.RUNNING),
    ]
    identical = concerns(made, {})[0]
    assert (identical.kind, identical.sentence) == (ConcernKind.IDENTICAL, "The same bytes as those of b and c.")


def test_the_same_bytes_are_not_told_a_second_time_as_similar(candidate: Make, card: MakeCard) -> None:
    made = [candidate(name, 0.9, cards={"serve": card("p", tree=tree)}) for name, tree in ("a1", "b1", "c2")]
    pairs = {"serve": [Pair("a", "b", 1.0, 90), Pair("a", "c", 0.7, 70)]}
    assert kinds(concerns(made, pairs)) == [(ConcernKind.IDENTICAL, "a"), (ConcernKind.SIMILAR, "a")]


def test_the_most_similar_come_first_whatever_their_names_and_challenges(candidate: Make) -> None:
    pairs = {"serve": [Pair("a", "b", 0.6, 60)], "watch": [Pair("y", "z", 0.95, 95)]}
    found = concerns([], pairs)
    assert [each.sentence for each in found] == [
        "95% of the smaller one's code is like that of z.",
        "60% of the smaller one's code is like that of b.",
    ]


def test_the_same_bytes_for_two_challenges_are_not_the_same_work(candidate: Make, card: MakeCard) -> None:
    made = [
        candidate("a", 0.9, cards={"serve": card("p", tree="1")}),
        candidate("b", 0.9, cards={"watch": card("p", tree="1", challenge="watch")}),
    ]
    assert concerns(made, {}) == ()


def test_one_who_is_not_graded_is_not_called_too_close(candidate: Make) -> None:
    waiting = candidate("a", cards={"serve": None}, state=AttemptState.WAITING)
    assert kinds(concerns([waiting], {})) == [(ConcernKind.NOT_GRADED, "a")]


def test_a_regrade_that_is_held_is_told_beside_the_scorecard_that_counts(candidate: Make, card: MakeCard) -> None:
    held = candidate("a", 0.72, 0.78, cards={"serve": card("eie")}, state=AttemptState.HELD)
    assert [each.sentence for each in concerns([held], {})] == [
        "Grading again waits for the operator, after faults of ours.",
        "2 checks have no verdict, by a fault of ours: grade it again once that is mended.",
        "Between 72% and 78% of the points it is open whether they passed: what is undecided, or a person, decides.",
        "1 check has no verdict: budgets that were not measured, or on too noisy a machine. Grade it in quiet.",
    ]
