"""The files behind a cohort: what was handed in, and what candidates started from."""

from collections.abc import Mapping

from assessments.cohort import CohortSubmission
from runner.intake import unpack
from runner.store import submissions
from runner.store.cohorts import Kept
from runner.store.store import Store


def files_of(store: Store, submission: CohortSubmission) -> Mapping[str, bytes]:
    """The submission's files as they were handed in."""
    with store.database.reading() as connection:
        stored = submissions.stored(connection, submission.id)
    return unpack(store.artefacts.get(stored.digest), stored.format, stored.origin).contents


def files_of_starter(store: Store, kept: Kept, challenge: str) -> Mapping[str, bytes]:
    """What candidates started from."""
    return unpack(store.artefacts.get(kept.starters[challenge]), "tar", "starter").contents
