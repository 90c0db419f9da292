"""What counts of a cohort's submissions, and what each candidate comes to."""

from collections.abc import Callable

from assessments.assessment import Assessment
from assessments.assessment_result import ShareRange, Standing
from assessments.cohort import AttemptState, CohortSubmission, Mark, candidates
from assessments.scorecard_summary import ScorecardSummary
from assessments.submission import Digest

MakeAssessment = Callable[..., Assessment]
MakeCard = Callable[..., ScorecardSummary]


def submission(number: int, who: str, challenge: str, card: ScorecardSummary | None = None) -> CohortSubmission:
    state = AttemptState.ENDED if card else AttemptState.WAITING
    return CohortSubmission(number, who, challenge, Digest("0" * 64), "2026-01-01T00:00:00+00:00", "a", state, "", card)


def test_the_last_submission_of_a_challenge_counts_and_earlier_ones_are_told(
    assessment: MakeAssessment, scorecard: MakeCard
) -> None:
    first, last = scorecard("serve", a=(9, 0, 10)), scorecard("serve", a=(5, 0, 10))
    (ann,) = candidates(assessment(), [submission(2, "ann", "serve", last), submission(1, "ann", "serve", first)])
    assert ann.submissions["serve"].id == 2
    assert ann.result.share == ShareRange(0.5, 0.5)
    assert ann.superseded == 1


def test_a_challenge_nothing_was_handed_in_for_earns_nothing_and_one_not_graded_is_open(
    assessment: MakeAssessment, scorecard: MakeCard
) -> None:
    made = assessment({"serve": 1, "watch": 1})
    card = scorecard("serve", a=(10, 0, 10))
    ann, bob = candidates(
        made, [submission(1, "ann", "serve", card), submission(2, "bob", "serve", card), submission(3, "bob", "watch")]
    )
    assert ann.result.share == ShareRange(0.5, 0.5)
    assert bob.result.share == ShareRange(0.5, 1.0)
    assert ann.graded
    assert not bob.graded


def test_a_persons_marks_stand_beside_the_score_and_do_not_change_it(
    assessment: MakeAssessment, scorecard: MakeCard
) -> None:
    mark = Mark("ann", "clarity", 5, 5, "reads well", "eve", "2026-01-01T00:00:00+00:00")
    card = scorecard("serve", a=(1, 0, 10))
    ann, bob = candidates(
        assessment(), [submission(1, "ann", "serve", card), submission(2, "bob", "serve", card)], [mark]
    )
    assert ann.marks == (mark,)
    assert bob.marks == ()
    assert ann.result == bob.result
    assert ann.result.standing is Standing.NOT_PASSED
