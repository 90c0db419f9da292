"""A challenge's own files: read for sandboxes and kits, and digested for scorecards and certificates."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assessments.errors import InvalidChallenge, InvalidSubmission
from assessments.manifest.read import REFERENCE
from assessments.submission import Digest
from runner.intake import IntakeLimits, receive

CERTIFICATE = "certificate.json"
"""Written beside the manifest by `assay challenge verify`; whatever starts with this name is no part of a digest."""

_LIMITS = IntakeLimits(archive_bytes=4 * 1024**3, total_bytes=4 * 1024**3)
_SOLUTIONS, _JUDGE_DATA = "solutions", "judge_data"
_DROPPINGS = {"__pycache__", ".pytest_cache"}


@dataclass(frozen=True, slots=True)
class ChallengeDigests:
    """SHA-256 of a challenge's parts; a certificate holds for exactly these."""

    challenge: Digest
    """All that can change a grading (see `challenge_digest`)."""
    solutions: Digest
    judge_data: Digest


def challenge_digest(folder: Path) -> Digest:
    """SHA-256 over the sorted relative paths and contents of all that can change a grading.

    Of the solutions only the reference counts: budgets are measured against it, and failures have it for a control. A
    certificate does not count.
    """
    return _digest(
        folder,
        (
            path
            for path in folder.rglob("*")
            if (inside := path.relative_to(folder)).is_relative_to(REFERENCE) or _SOLUTIONS not in inside.parts
            if not inside.as_posix().startswith(CERTIFICATE)
        ),
    )


def challenge_digests(folder: Path) -> ChallengeDigests:
    """The challenge's digest, and those of what proves it."""
    parts = (_digest(folder, (folder / part).rglob("*")) for part in (_SOLUTIONS, _JUDGE_DATA))
    return ChallengeDigests(challenge_digest(folder), *parts)


def _digest(folder: Path, paths: Iterable[Path]) -> Digest:
    whole = hashlib.sha256()
    for path in sorted(paths):
        relative = path.relative_to(folder)
        if _DROPPINGS.isdisjoint(relative.parts) and path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(f"{content}  {relative.as_posix()}\n".encode())
    return Digest(whole.hexdigest())


def author_files(folder: Path) -> Mapping[str, bytes]:
    """The files of one of a challenge's folders by path, without what tools drop.

    Raises InvalidChallenge for what could not be in a submission either: a link, a device, an unreadable name.
    """
    try:
        return receive(folder, limits=_LIMITS).contents
    except InvalidSubmission as error:
        raise InvalidChallenge(f"{folder}: {problem}" for problem in error.problems) from error
