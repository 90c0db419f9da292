"""A regrade as a difference: what came out otherwise, what was otherwise in grading, and whom it moves. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assessments.assessment import Assessment
from assessments.assessment_result import ShareRange, Standing
from assessments.check import CheckId
from assessments.cohort import Candidate
from assessments.outcome import Outcome
from assessments.scorecard_summary import ScorecardSummary
from runner.insights.ranking import rank

_ROUNDING: Final = 1e-9
"""What binary fractions may be off by; far below any share that points can make."""


class Cause(StrEnum):
    """What was otherwise between two gradings, the likeliest reason for a change first."""

    CHALLENGE = "challenge"
    """Its files: checks, points, budgets or hidden data."""
    ENVIRONMENT = "environment"
    """The locked packages, Python or the platform."""
    ENGINE = "engine"
    """The engine, or which of its controls were enforced."""
    SEED = "seed"
    """So hidden data and the order of requests."""
    HOST = "host"
    """The machine, its kernel, or the version of Assay on it."""
    NOTHING = "nothing"
    """All of these are the same: a change is chance, in the submission, in a check or on the machine."""


@dataclass(frozen=True, slots=True)
class Change:
    """One check that came out otherwise, or earned otherwise."""

    check: CheckId
    before: Outcome
    after: Outcome
    points_before: float
    points_after: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Two gradings of one submission. `changes`, `added` and `removed` are in the order of the manifest."""

    candidate: str
    """Untrusted text."""
    challenge: str
    before: ScorecardSummary | None
    """None for a first grading: then there is nothing to compare, and the rest is empty."""
    after: ScorecardSummary
    changes: tuple[Change, ...]
    added: tuple[CheckId, ...]
    removed: tuple[CheckId, ...]
    causes: tuple[Cause, ...]
    """All that was otherwise, and NOTHING alone where all was the same."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A candidate whom a regrade moved."""

    candidate: str
    """Untrusted text."""
    share_before: ShareRange
    share_after: ShareRange
    standing_before: Standing
    standing_after: Standing
    place_before: tuple[int, int]
    """Best and worst place, from 1."""
    place_after: tuple[int, int]

    @property
    def crosses(self) -> bool:
        """Whether it changes the answer that the candidate gets."""
        return self.standing_before is not self.standing_after


def difference(candidate: str, before: ScorecardSummary | None, after: ScorecardSummary) -> Difference:
    """What came out otherwise. Raises ValueError for gradings of different challenges or different files."""
    if before is None:
        return Difference(candidate, after.challenge.id, None, after, (), (), (), ())
    if (before.challenge.id, before.tree) != (after.challenge.id, after.tree):
        raise ValueError("a regrade is of the same challenge and the same files; these two gradings are not")
    old, new = ({figure.check: figure for figure in each.checks} for each in (before, after))
    changes = [
        Change(check, old[check].outcome, figure.outcome, old[check].earned, figure.earned)
        for check, figure in new.items()
        if check in old and (old[check].outcome is not figure.outcome or _differ(old[check].earned, figure.earned))
    ]
    return Difference(
        candidate=candidate,
        challenge=after.challenge.id,
        before=before,
        after=after,
        changes=tuple(changes),
        added=tuple(check for check in new if check not in old),
        removed=tuple(check for check in old if check not in new),
        causes=_causes(before, after),
    )


def shifts(before: Sequence[Candidate], after: Sequence[Candidate], assessment: Assessment) -> tuple[Shift, ...]:
    """Those whose share, standing or place is another, by name of candidate on both sides.

    Those who cross the pass mark come first, then who moves the most, then by name. One who is on one side only was
    not regraded and is left out; they count for the places of the others.
    """
    old, new = ({one.candidate.name: one for one in rank(each, assessment)} for each in (before, after))
    moved = [
        Shift(
            candidate=name,
            share_before=old[name].candidate.result.share,
            share_after=one.candidate.result.share,
            standing_before=old[name].candidate.result.standing,
            standing_after=one.candidate.result.standing,
            place_before=(old[name].place_best, old[name].place_worst),
            place_after=(one.place_best, one.place_worst),
        )
        for name, one in new.items()
        if name in old
    ]
    return tuple(
        sorted(
            (shift for shift in moved if shift.crosses or _distance(shift) or shift.place_before != shift.place_after),
            key=lambda shift: (not shift.crosses, -_distance(shift), shift.candidate),
        )
    )


def _causes(before: ScorecardSummary, after: ScorecardSummary) -> tuple[Cause, ...]:
    otherwise = {
        Cause.CHALLENGE: before.challenge.digest != after.challenge.digest,
        Cause.ENVIRONMENT: before.environment != after.environment,
        Cause.ENGINE: (before.engine, set(before.unenforced)) != (after.engine, set(after.unenforced)),
        Cause.SEED: before.seed != after.seed,
        Cause.HOST: before.host != after.host,
    }
    return tuple(cause for cause, so in otherwise.items() if so) or (Cause.NOTHING,)


def _differ(one: float, other: float) -> bool:
    return not math.isclose(one, other, rel_tol=0, abs_tol=_ROUNDING)


def _distance(shift: Shift) -> float:
    """How far the share moved, at the end that moved further; 0 for no further than rounding."""
    low = abs(shift.share_after.low - shift.share_before.low)
    high = abs(shift.share_after.high - shift.share_before.high)
    return round(max(low, high), 9)
