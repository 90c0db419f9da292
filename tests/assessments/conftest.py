"""What the tests of assessments share: small ones, challenges to hold them against, and scorecards."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.challenge import Baseline, Challenge, Entry, EntryKind, Limits
from assessments.check import Check, CheckId, Visibility
from assessments.scorecard import (
    ChallengeRef,
    EngineRef,
    EnvironmentRef,
    Host,
    Points,
    Scorecard,
    SkillScore,
    Status,
)
from assessments.scorecard_summary import ScorecardSummary, summary_of
from assessments.submission import Digest, Submission

NONE = Digest("0" * 64)


@pytest.fixture
def assessment() -> Callable[..., Assessment]:
    def make(
        weights: Mapping[str, float] | None = None,
        *,
        skills: Mapping[str, float] | None = None,
        mark: tuple[float, float] = (0.7, 0.05),
        window_hours: float = 48,
    ) -> Assessment:
        parts = tuple(Part(name, weight) for name, weight in (weights or {"serve": 1}).items())
        return Assessment(
            path=Path("role.toml"),
            id="role",
            version="1.0.0",
            title="A role",
            summary="Does things.",
            window_hours=window_hours,
            attempts=1,
            pass_mark=PassMark(*mark),
            feedback=Feedback.STANDING,
            parts=parts,
            skill_weights=skills or {},
        )

    return make


@pytest.fixture
def challenge() -> Callable[..., Challenge]:
    def make(
        name: str, checks: Mapping[str, tuple[str, float]], *, minutes: int = 60, starter: float = 0.0
    ) -> Challenge:
        return Challenge(
            folder=Path(name),
            id=name,
            version="1.0.0",
            title=name,
            summary=name,
            roles=(),
            skills=tuple(dict.fromkeys(skill for skill, _ in checks.values())),
            time_minutes=minutes,
            pass_mark=0.6,
            lock_file="requirements.lock",
            entry=Entry(EntryKind.JOB, ("python",), ("main.py",), 8000, "/ready", 20),
            limits=Limits(1, 1, 1, 1, 1, 1, 1),
            assets=(),
            checks=tuple(
                Check(CheckId(each), points, skill, Visibility.HIDDEN, 20) for each, (skill, points) in checks.items()
            ),
            baseline=Baseline(starter_share_max=starter),
        )

    return make


@pytest.fixture
def scorecard() -> Callable[..., ScorecardSummary]:
    """A scorecard's figures from (earned, undecided, possible) of each skill."""

    def make(name: str, **skills: tuple[float, float, float]) -> ScorecardSummary:
        points = [Points(*figures) for figures in skills.values()]
        card = Scorecard(
            id=f"card-of-{name}",
            graded_at="2026-01-01T00:00:00+00:00",
            candidate="someone",
            challenge=ChallengeRef(name, "1.0.0", name, NONE, 0.6),
            submission=Submission(NONE, NONE, "work.zip", "zip", ()),
            environment=EnvironmentRef(NONE, "3.11.7"),
            engine=EngineRef("bubblewrap", "1.0", (), unenforced_allowed=False),
            host=Host(NONE, "", "", "", 1, 1, ""),
            seed=1,
            status=Status.COMPLETE,
            points=Points(*(sum(column) for column in zip(*skills.values(), strict=True))),
            skills=tuple(
                SkillScore(skill.replace("_", "-"), each, 0, 1) for skill, each in zip(skills, points, strict=True)
            ),
            results=(),
            runs=(),
            phases=(),
        )
        return summary_of(card)

    return make
