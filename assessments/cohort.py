"""A cohort: the submissions of one assessment run graded together, and how its candidates stand. Pure.

A candidate may hand in a challenge several times; the last one counts. Of each submission one scorecard counts: that
of its first whole grading, until a regrade is accepted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from assessments.assessment import Assessment
from assessments.assessment_result import AssessmentResult, assess
from assessments.scorecard_summary import ScorecardSummary
from assessments.submission import Digest


class AttemptState(StrEnum):
    """Where one grading of a submission stands."""

    WAITING = "waiting"
    RUNNING = "running"
    HELD = "held"
    """Our fault, more often than is tried by itself: an operator looks, and resumes."""
    ENDED = "ended"
    """It has its scorecard."""
    VOID = "void"
    """It has one that does not count: the reference solution failed when it was graded after it."""


@dataclass(frozen=True, slots=True)
class PinnedChallenge:
    """A challenge as it was when the cohort was made; it is graded with these files and no others."""

    id: str
    version: str
    digest: Digest


@dataclass(frozen=True, slots=True)
class Cohort:
    """One run of an assessment."""

    name: str
    assessment: Assessment
    challenges: tuple[PinnedChallenge, ...]
    created_at: str
    """RFC 3339, UTC."""
    closed_at: str | None
    """From then on nothing is handed in any more."""
    certified: bool
    """Whether every challenge had a current certificate when the cohort was made."""


@dataclass(frozen=True, slots=True)
class CohortSubmission:
    """One submission of a cohort, and how its grading stands."""

    id: int
    """Counts up in the order of arrival."""
    candidate: str
    """The label the operator gave; untrusted text."""
    challenge: str
    digest: Digest
    received_at: str
    """RFC 3339, UTC."""
    origin: str
    """The name it came under; untrusted text."""
    state: AttemptState
    """Of its last attempt."""
    problem: str
    """Why it is held; else empty."""
    scorecard: ScorecardSummary | None
    """The one that counts; None while there is none."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A person's mark by a rubric. It stands beside the automatic score and is no part of it."""

    candidate: str
    criterion: str
    value: float | None
    """None for a note without a mark."""
    out_of: float | None
    note: str
    """Untrusted text."""
    by: str
    at: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One candidate: what counts of each challenge, and what it comes to."""

    name: str
    submissions: Mapping[str, CohortSubmission]
    """The last submission of each challenge that something was handed in for."""
    result: AssessmentResult
    superseded: int
    """How many earlier submissions there are."""
    marks: tuple[Mark, ...] = ()

    @property
    def graded(self) -> bool:
        """Whether all that counts has a scorecard."""
        return all(one.scorecard is not None for one in self.submissions.values())


def candidates(
    assessment: Assessment, submissions: Iterable[CohortSubmission], marks: Sequence[Mark] = ()
) -> tuple[Candidate, ...]:
    """Every candidate of a cohort, by name. A challenge that nothing was handed in for earns nothing."""
    by_name = sorted(submissions, key=lambda one: (one.candidate, one.id))
    return tuple(
        _candidate(assessment, name, tuple(mine), tuple(mark for mark in marks if mark.candidate == name))
        for name, mine in groupby(by_name, key=lambda one: one.candidate)
    )


def _candidate(
    assessment: Assessment, name: str, submissions: tuple[CohortSubmission, ...], marks: tuple[Mark, ...]
) -> Candidate:
    last = {one.challenge: one for one in submissions}
    nothing = {part.challenge: None for part in assessment.parts if part.challenge not in last}
    graded = {challenge: one.scorecard for challenge, one in last.items() if one.scorecard}
    return Candidate(name, last, assess(assessment, {**nothing, **graded}), len(submissions) - len(last), marks)
