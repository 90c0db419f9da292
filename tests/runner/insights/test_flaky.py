"""A check is flaky when it says different things of the same bytes under the same conditions."""

from dataclasses import replace

import pytest

from assessments.outcome import Outcome
from assessments.scorecard import ChallengeRef, Points, Status
from assessments.scorecard_summary import CheckFigure, ScorecardSummary
from assessments.submission import Digest
from runner.insights.flaky import flaky_checks

NONE = Digest("0" * 64)


def card(outcome: Outcome, **changed: object) -> ScorecardSummary:
    figure = CheckFigure("steady", "speed", 1.0, 1.0, Outcome.PASSED, None, 0.1)  # type: ignore[arg-type]
    other = replace(figure, check="moody", outcome=outcome)  # type: ignore[arg-type]
    made = ScorecardSummary(
        "card", "", "ann", ChallengeRef("serve", "1", "Serve", NONE, 0.6), NONE, NONE, NONE, "bubblewrap", (), NONE, 7,
        Status.COMPLETE, Points(1, 0, 2), (), (figure, other), 1.0,
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def test_it_passed_and_failed_the_same_bytes() -> None:
    assert flaky_checks([card(Outcome.PASSED), card(Outcome.FAILED)]) == {"moody"}


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 8},
        {"submission": Digest("1" * 64)},
        {"environment": Digest("1" * 64)},
        {"challenge": ChallengeRef("serve", "2", "Serve", Digest("1" * 64), 0.6)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_verdict_under_other_conditions_is_no_flakiness(changed: dict[str, object]) -> None:
    assert flaky_checks([card(Outcome.PASSED), card(Outcome.FAILED, **changed)]) == frozenset()


def test_what_is_undecided_at_times_is_not_flaky() -> None:
    assert flaky_checks([card(Outcome.PASSED), card(Outcome.INCONCLUSIVE)]) == frozenset()
