"""Places are ranges, as wide as the assessment is coarse."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assessments.assessment import Assessment
from assessments.cohort import Candidate
from runner.insights.ranking import rank, too_close

Make = Callable[..., Candidate]


def places(candidates: list[Candidate], assessment: Assessment) -> list[tuple[str, int, int]]:
    return [(one.candidate.name, one.place_best, one.place_worst) for one in rank(candidates, assessment)]


def test_candidates_further_apart_than_the_doubt_have_a_place_each(assessment: Assessment, candidate: Make) -> None:
    made = [candidate("ann", 0.5), candidate("bob", 0.9), candidate("eve", 0.7)]
    assert places(made, assessment) == [("bob", 1, 1), ("eve", 2, 2), ("ann", 3, 3)]


def test_neighbours_within_the_doubt_share_places_even_in_a_chain(assessment: Assessment, candidate: Make) -> None:
    made = [candidate("ann", 0.80), candidate("bob", 0.76), candidate("eve", 0.72)]
    assert places(made, assessment) == [("ann", 1, 2), ("bob", 1, 3), ("eve", 2, 3)]


def test_exactly_the_doubt_apart_is_not_certain(assessment: Assessment, candidate: Make) -> None:
    made = [candidate("ann", 0.1 + 0.2 + 0.05), candidate("bob", 0.3)]
    assert places(made, assessment) == [("ann", 1, 2), ("bob", 1, 2)]


def test_one_who_is_not_graded_yet_may_have_any_place(assessment: Assessment, candidate: Make) -> None:
    made = [candidate("ann", 0.0, 1.0), candidate("bob", 0.9), candidate("eve", 0.5)]
    assert places(made, assessment) == [("bob", 1, 2), ("eve", 2, 3), ("ann", 1, 3)]


def test_equal_shares_go_by_what_they_may_come_to_and_then_by_name(assessment: Assessment, candidate: Make) -> None:
    made = [candidate("eve", 0.1 + 0.2), candidate("bob", 0.3), candidate("ann", 0.3, 0.4)]
    assert [name for name, *_ in places(made, assessment)] == ["ann", "bob", "eve"]


def test_nobody_has_no_place(assessment: Assessment) -> None:
    assert rank([], assessment) == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(shares=st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=12))
def test_a_place_counts_those_who_are_certainly_better_and_worse(
    assessment: Assessment, candidate: Make, shares: list[tuple[int, int]]
) -> None:
    made = [candidate(f"n{place}", min(pair) / 100, max(pair) / 100) for place, pair in enumerate(shares)]
    for one in rank(made, assessment):
        apart = [each for each in made if not too_close(each, one.candidate, assessment)]
        better = sum(each.result.share.low > one.candidate.result.share.high for each in apart)
        assert (one.place_best, one.place_worst) == (1 + better, len(made) - len(apart) + better)
