"""One scorecard's grading once more: the same bytes, the same seed, compared check by check. Nothing is stored."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from assessments.challenge import Challenge
from assessments.errors import UsageError
from assessments.scorecard import Scorecard
from assessments.scorecard_summary import summary_of
from runner.bench import Bench
from runner.grade import Order, grade
from runner.insights.regrade import Difference, difference
from runner.intake import Archive
from runner.reports import document
from runner.results import SCORECARD, kept_archive
from runner.store import scorecards, submissions
from runner.store.store import Store


@dataclass(frozen=True, slots=True)
class Recorded:
    """A scorecard, and the bytes that it is about."""

    scorecard: Scorecard
    archive: Archive


def from_folder(path: Path) -> Recorded:
    """A grading's folder, or the scorecard in it. Raises UsageError."""
    file = path / SCORECARD if path.is_dir() else path
    try:
        scorecard = document.load(file.read_bytes(), str(file))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}; name a scorecard, its folder or its id") from error
    content = kept_archive(file)
    if content is None:
        raise UsageError(f"{file.parent}: the submission is not beside the scorecard; put it there, or name the id")
    return _recorded(scorecard, content, str(file))


def from_store(store: Store, scorecard_id: str) -> Recorded:
    """A scorecard of the store. Raises UsageError."""
    with store.database.reading() as connection:
        kept = scorecards.kept_scorecard(connection, scorecard_id)
        submission = submissions.stored(connection, kept.submission_id)
    scorecard = document.load(kept.document, f"scorecard {scorecard_id}")
    return _recorded(scorecard, store.artefacts.get(submission.digest), scorecard_id)


def replay(recorded: Recorded, challenge: Challenge, bench: Bench, *, unenforced_allowed: bool) -> Difference:
    """Grade it again, and compare."""
    before = recorded.scorecard
    order = Order(recorded.archive, before.candidate, seed=before.seed, unenforced_allowed=unenforced_allowed)
    after = grade(order, challenge, bench).scorecard
    return difference(before.candidate, summary_of(before), summary_of(after))


def _recorded(scorecard: Scorecard, content: bytes, where: str) -> Recorded:
    if hashlib.sha256(content).hexdigest() != scorecard.submission.digest:
        raise UsageError(f"{where}: the submission's bytes are not those that were graded")
    return Recorded(scorecard, Archive(content, scorecard.submission.format, scorecard.submission.origin))
