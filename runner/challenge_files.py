"""A challenge's own files: read for sandboxes and kits, and digested for scorecards."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from assessments.errors import InvalidChallenge, InvalidSubmission
from assessments.manifest.read import REFERENCE
from assessments.submission import Digest
from runner.intake import IntakeLimits, receive

_LIMITS = IntakeLimits(archive_bytes=4 * 1024**3, total_bytes=4 * 1024**3)
_SOLUTIONS = "solutions"
_DROPPINGS = {"__pycache__", ".pytest_cache"}


def challenge_digest(folder: Path) -> Digest:
    """SHA-256 over the sorted relative paths and contents of all that can change a grading.

    Of the solutions only the reference counts: budgets are measured against it.
    """
    whole = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        graded_by = relative.is_relative_to(REFERENCE) or _SOLUTIONS not in relative.parts
        if graded_by and _DROPPINGS.isdisjoint(relative.parts) and path.is_file():
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
