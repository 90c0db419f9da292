"""What a cohort is graded with: the challenges' files that it was made for, and one engine."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assessments.challenge import Challenge
from assessments.cohort import PinnedChallenge
from assessments.errors import InvalidChallenge, UsageError
from runner import catalogue
from runner.challenge_files import challenge_digest
from runner.store import submissions
from runner.store.cohorts import Kept
from runner.store.store import Store


def pin(challenge: Challenge) -> PinnedChallenge:
    """The challenge as it is now."""
    return PinnedChallenge(challenge.id, challenge.version, challenge_digest(challenge.folder))


def held_to(pins: Iterable[PinnedChallenge], cohort: str, challenges: Path | None) -> Mapping[str, Challenge]:
    """The challenges by id. Raises InvalidChallenge where one has changed since: scores would not compare."""
    found = {one.id: catalogue.find(one.id, challenges) for one in pins}
    changed = [one for one in pins if challenge_digest(found[one.id].folder) != one.digest]
    if changed:
        how = f'grade all of it again with: assay cohort regrade {cohort} --reason "..."; or put the old files back'
        raise InvalidChallenge(
            f"{found[one.id].folder}: is not what cohort {cohort} is held to "
            f"({one.id} {one.version}, {one.digest[:12]}); {how}"
            for one in changed
        )
    return found


def require_engine(store: Store, kept: Kept, engine: str) -> None:
    """Raises UsageError where what counts in the cohort was graded on another engine: times would not compare."""
    with store.database.reading() as connection:
        before = next((one.scorecard.engine for one in submissions.listed(connection, kept) if one.scorecard), engine)
    if before != engine:
        name = kept.cohort.name
        raise UsageError(
            f"cohort {name} was graded on {before} so far, and now it would be on {engine}: scores must compare; add "
            f'--engine {before}, or grade all of it again: assay cohort regrade {name} --engine {engine} --reason "..."'
        )
