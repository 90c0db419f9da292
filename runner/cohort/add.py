"""Submissions are handed in: received, their bytes kept, recorded, and only then receipted.

All are looked at before any is kept, so that an operator sees every problem at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from assessments.challenge import Challenge
from assessments.errors import AssayError, InvalidSubmission, UsageError
from runner.cohort.files import files_of_starter
from runner.grade import take_in
from runner.insights.similarity import fingerprint
from runner.store import cohorts, fingerprints, submissions
from runner.store.audit import Doing
from runner.store.cohorts import Kept
from runner.store.store import Store
from runner.submissions_file import Listed


@dataclass(frozen=True, slots=True)
class Refused:
    """One that cannot be taken, and why."""

    listed: Listed
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Added:
    """One that was."""

    listed: Listed
    receipt: str
    again: bool
    """Whether the same bytes were there already."""


def look_at(listed: Iterable[Listed], challenges: Mapping[str, Challenge]) -> tuple[Refused, ...]:
    """Which of these would be refused. Nothing is kept."""
    refused = []
    for one in listed:
        try:
            take_in(one.path, challenges[one.challenge], one.revision)
        except AssayError as error:
            refused.append(Refused(one, error.problems))
    return tuple(refused)


def require_all(refused: Sequence[Refused]) -> None:
    """Raises InvalidSubmission with every problem of every one that is refused."""
    if refused:
        raise InvalidSubmission(
            f"{one.listed.where}: {one.listed.candidate}, {one.listed.challenge}: {problem}"
            for one in refused
            for problem in one.problems
        )


def require_open(kept: Kept) -> None:
    """Raises UsageError where nothing is handed in any more."""
    if kept.cohort.closed_at:
        raise UsageError(f"cohort {kept.cohort.name} is closed; nothing is handed in any more")


def add(store: Store, kept: Kept, listed: Listed, challenge: Challenge, doing: Doing) -> Added:
    """Keep one submission: its bytes first, then its record, in one transaction with its place in the queue.

    Raises InvalidSubmission, UsageError (the cohort is closed, or all attempts are used up) and InfrastructureError.
    """
    received = take_in(listed.path, challenge, listed.revision)
    store.artefacts.put(received.archive)
    starter = kept.starters[listed.challenge]
    # Now, and not when the page is made: of a thousand submissions this takes a minute, and of one nobody notices it.
    found = fingerprint(received.contents, files_of_starter(store, kept, listed.challenge))
    with store.database.writing() as connection:
        require_open(cohorts.hold(connection, kept.cohort.name))
        recorded = submissions.record(
            connection, kept, listed.candidate, listed.challenge, received.submission, doing, store.signer
        )
        fingerprints.keep(connection, received.submission.digest, starter, found)
        # A purge of another cohort may have removed the same bytes since they were put: from here on it cannot.
        store.artefacts.put(received.archive)
    return Added(listed, recorded.receipt, recorded.again)
