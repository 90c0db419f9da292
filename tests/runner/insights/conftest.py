"""What the tests of insights share: an assessment, scorecards' figures and candidates, each small and to order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import fsum
from pathlib import Path

import pytest

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.assessment_result import AssessmentResult, ShareRange, standing
from assessments.check import CheckId
from assessments.cohort import AttemptState, Candidate, CohortSubmission, candidates
from assessments.outcome import Outcome
from assessments.scorecard import ChallengeRef, Points, SkillScore, Status
from assessments.scorecard_summary import CheckFigure, ScorecardSummary
from assessments.submission import Digest

NONE = Digest("0" * 64)
OUTCOMES = {"p": Outcome.PASSED, "f": Outcome.FAILED, "i": Outcome.INCONCLUSIVE, "e": Outcome.ERRORED}


@pytest.fixture
def assessment() -> Assessment:
    parts = (Part("serve", 1.0), Part("watch", 1.0))
    mark = PassMark(0.7, 0.05)
    return Assessment(Path("r.toml"), "role", "1.0.0", "A role", "Does.", 48, 1, mark, Feedback.STANDING, parts, {})


@pytest.fixture
def figure() -> Callable[..., CheckFigure]:
    def make(check: str, outcome: str, *, points: float = 1.0, earned: float | None = None) -> CheckFigure:
        got = earned if earned is not None else points * (outcome == "p")
        return CheckFigure(CheckId(check), "serving", points, got, OUTCOMES[outcome], None, 0.5)

    return make


@pytest.fixture
def card(figure: Callable[..., CheckFigure]) -> Callable[..., ScorecardSummary]:
    """A scorecard from a letter a check: "pfie" is one of each outcome, and the checks are c0 to c3."""

    def make(
        outcomes: str | Sequence[CheckFigure] = "p", *, challenge: str = "serve", tree: str = "0", **others: object
    ) -> ScorecardSummary:
        checks = tuple(
            figure(f"c{place}", each) if isinstance(each, str) else each for place, each in enumerate(outcomes)
        )
        undecided = [each for each in checks if each.outcome in (Outcome.INCONCLUSIVE, Outcome.ERRORED)]
        points = Points(
            fsum(each.earned for each in checks),
            fsum(each.points for each in undecided),
            fsum(each.points for each in checks),
        )
        made = ScorecardSummary(
            id="card",
            graded_at="2026-01-01T00:00:00+00:00",
            candidate="someone",
            challenge=ChallengeRef(challenge, "1.0.0", "Serve a model", NONE, 0.6),
            submission=NONE,
            tree=Digest(tree * 64),
            environment=NONE,
            engine="bubblewrap",
            unenforced=(),
            host=NONE,
            seed=1,
            status=Status.INCOMPLETE if undecided else Status.COMPLETE,
            points=points,
            skills=(SkillScore("serving", points, 0, len(checks)),),
            checks=checks,
            seconds=60.0,
        )
        return replace(made, **others)  # type: ignore[arg-type]

    return make


@pytest.fixture
def candidate(assessment: Assessment) -> Callable[..., Candidate]:
    """A candidate who stands where one likes, or by the scorecards that are given."""

    def make(
        name: str,
        low: float | None = None,
        high: float | None = None,
        cards: Mapping[str, ScorecardSummary | None] | None = None,
        state: AttemptState = AttemptState.ENDED,
        digests: Mapping[str, str] | None = None,
    ) -> Candidate:
        handed_in = [
            CohortSubmission(
                place,
                name,
                challenge,
                Digest((digests or {}).get(challenge, name)),
                "2026-01-01T00:00:00+00:00",
                "work.zip",
                state,
                "",
                one,
            )
            for place, (challenge, one) in enumerate((cards or {"serve": None}).items())
        ]
        (made,) = candidates(assessment, handed_in)
        if low is None:
            return made
        share = ShareRange(low, low if high is None else high)
        result = AssessmentResult("role", "1.0.0", standing(share, assessment.pass_mark), share, ())
        return replace(made, result=result)

    return make
