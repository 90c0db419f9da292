"""Grading again, beside the old: what is ordered, what came of it, and what accepting it would do.

Nothing takes effect until it is accepted. The same seed is used again unless a fresh one is asked for, so that a
difference is the challenge's or the machine's and not the hidden data's.
"""

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from assessments.challenge import Challenge
from assessments.cohort import Candidate, CohortSubmission, candidates
from assessments.errors import UsageError
from assessments.outcome import Outcome
from runner.cohort.held_to import pin
from runner.insights.regrade import Difference, Shift, difference, shifts
from runner.store import marks, regrades, submissions
from runner.store.audit import Doing
from runner.store.cohorts import Kept
from runner.store.regrades import Beside, Regrade
from runner.store.store import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which submissions are to be graded again. Empty fields leave nothing out."""

    challenges: Collection[str] = ()
    candidates: Collection[str] = ()
    checks: Collection[str] = ()
    """Only submissions of challenges that have one of these checks."""
    outcomes: Collection[Outcome] = ()
    """Only submissions with one of these outcomes, of any check or of those in `checks`."""
    fresh_seeds: bool = False

    def wants(self, submission: CohortSubmission) -> bool:
        card = submission.scorecard
        if card is None or (self.challenges and submission.challenge not in self.challenges):
            return False
        if self.candidates and submission.candidate not in self.candidates:
            return False
        figures = [one for one in card.checks if not self.checks or one.check in self.checks]
        if self.outcomes:
            return any(one.outcome in self.outcomes for one in figures)
        return bool(figures) or not self.checks


@dataclass(frozen=True, slots=True)
class Compared:
    """A regrade's results beside what counts now."""

    differences: tuple[Difference, ...]
    """Of every submission that is graded again; with no changes where all is the same."""
    shifts: tuple[Shift, ...]
    """Candidates whose share, place or standing would change."""
    missing: int
    """Gradings that have no scorecard yet."""


def order_regrade(
    store: Store, kept: Kept, wanted: Wanted, challenges: Mapping[str, Challenge], reason: str, doing: Doing
) -> Regrade:
    """Order it, with the challenges as they are now. Raises UsageError where nothing is to be graded again."""
    if not reason.strip():
        raise UsageError("--reason: say why it is graded again; the reason stays in the audit log")
    with store.database.writing() as connection:
        chosen = [one for one in _counting(submissions.listed(connection, kept)) if wanted.wants(one)]
        if not chosen:
            raise UsageError(f"no graded submission of {kept.cohort.name} is what you asked for")
        seeds = [(one.id, _seed(one, wanted)) for one in chosen]
        touched = {one.challenge for one in chosen}
        pins = [pin(challenges[old.id]) if old.id in touched else old for old in kept.cohort.challenges]
        return regrades.order(connection, kept, seeds, pins, reason.strip(), doing)


def compare(store: Store, kept: Kept, regrade: Regrade) -> Compared:
    """What came of it so far, or, once it is decided, what it came to: beside what counted when it was ordered."""
    with store.database.reading() as connection:
        beside = regrades.beside(connection, regrade)
        now_counting = tuple(submissions.listed(connection, kept))
        notes = marks.listed(connection, kept)
    old = {one.submission_id: one.before for one in beside}
    new = {one.submission_id: one.after or one.before for one in beside}
    before = tuple(replace(one, scorecard=old.get(one.id, one.scorecard)) for one in now_counting)
    after = tuple(replace(one, scorecard=new.get(one.id, one.scorecard)) for one in now_counting)
    assessment = kept.cohort.assessment
    return Compared(
        differences=tuple(_difference(one) for one in beside if one.after),
        shifts=shifts(candidates(assessment, before, notes), candidates(assessment, after, notes), assessment),
        missing=sum(one.after is None for one in beside),
    )


def accept(store: Store, kept: Kept, regrade: Regrade, doing: Doing) -> None:
    """Let its scorecards count from now on. Raises UsageError where it is decided, or not all graded."""
    with store.database.writing() as connection:
        regrades.accept(connection, kept, regrades.find(connection, kept, regrade.id), doing)


def drop(store: Store, kept: Kept, regrade: Regrade, doing: Doing) -> None:
    """Leave everything as it is. Raises UsageError where it is decided."""
    with store.database.writing() as connection:
        regrades.drop(connection, kept, regrades.find(connection, kept, regrade.id), doing)


def cohort_candidates(connection: Connection, kept: Kept) -> tuple[Candidate, ...]:
    """Every candidate of the cohort as it counts now."""
    return candidates(kept.cohort.assessment, submissions.listed(connection, kept), marks.listed(connection, kept))


def _counting(every: Iterable[CohortSubmission]) -> Sequence[CohortSubmission]:
    """The last submission of each candidate and challenge: earlier ones count for nothing."""
    return tuple({(one.candidate, one.challenge): one for one in every}.values())


def _seed(submission: CohortSubmission, wanted: Wanted) -> int:
    if wanted.fresh_seeds or submission.scorecard is None:
        return secrets.randbits(62)
    return submission.scorecard.seed


def _difference(one: Beside) -> Difference:
    if one.after is None:
        raise AssertionError("it is not graded yet")
    return difference(one.candidate, one.before, one.after)
