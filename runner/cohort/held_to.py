"""The challenges that a cohort is graded with: the files that are here must be those it was made for."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from assessments.challenge import Challenge
from assessments.cohort import PinnedChallenge
from assessments.errors import InvalidChallenge
from runner import catalogue
from runner.challenge_files import challenge_digest


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
