"""Receiving a submission: from what a candidate handed in to exact bytes, checked files and digests.

    path -> archive bytes -> tree (rules of names, counts, bytes) -> contents -> submission

Nothing is written to disk here, nothing of the submission is run, and no more is read than the limits allow.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from assessments.errors import InvalidSubmission, UsageError
from assessments.submission import Submission
from runner.intake.folder import gather_folder, read_capped
from runner.intake.git_revision import gather_revision
from runner.intake.limits import DEFAULT_LIMITS, IntakeLimits, size_text
from runner.intake.problems import shown
from runner.intake.tar_archive import gather_tar, gather_tar_gz
from runner.intake.tree import Tree, file_entries, pack, sha256, tree_digest
from runner.intake.zip_archive import gather_zip

_SUFFIXES: Final[Mapping[str, str]] = {".zip": "zip", ".tar.gz": "tar.gz", ".tgz": "tar.gz", ".tar": "tar"}
_READERS: Final[Mapping[str, Callable[[bytes, Tree], None]]] = {
    "zip": gather_zip,
    "tar": gather_tar,
    "tar.gz": gather_tar_gz,
    "folder": gather_tar,
    "git": gather_tar,
}
"""How to read the archive of each format; for a folder and a git revision it is the tar that intake made."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A submission's bytes as they were received once before, and how to read them."""

    content: bytes
    format: str
    origin: str


@dataclass(frozen=True, slots=True)
class Received:
    """A submission with its bytes.

    `archive` is what `submission.digest` is over; `contents` holds each file's bytes by path, sorted.
    `left_out` names the tool droppings (topmost only) that are in the archive or folder but not in `contents`.
    """

    submission: Submission
    archive: bytes
    contents: Mapping[str, bytes]
    left_out: tuple[str, ...]


def receive(
    path: Path,
    *,
    revision: str | None = None,
    required_files: tuple[str, ...] = (),
    limits: IntakeLimits = DEFAULT_LIMITS,
) -> Received:
    """Take in the folder or archive at `path`, or the local git repository there at `revision`.

    When `required_files` are not at the top but below one folder that everything lies in (as in a hosted zip
    download), that folder is taken off; otherwise they are not checked here.

    Raises UsageError when there is nothing readable at `path` or its format is not supported, InvalidSubmission
    with every problem found when what it holds cannot be accepted, InfrastructureError when git is missing.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise UsageError(f"{shown(str(path))} cannot be found: {_reason(error)}. Check the path.") from error
    if revision is not None:
        if not stat.S_ISDIR(mode):
            raise UsageError(f"{shown(str(path))} is not a folder: a revision is only known to a git repository.")
        tree = Tree(_origin(path), limits)
        commit = gather_revision(path, revision, tree)
        return _packed(tree, f"{_origin(path)} at {revision} ({commit[:12]})", "git", required_files)
    if stat.S_ISDIR(mode):
        tree = Tree(_origin(path), limits)
        try:
            gather_folder(path, tree)
        except OSError as error:
            raise UsageError(f"{shown(str(path))} cannot be read: {_reason(error)}.") from error
        return _packed(tree, _origin(path), "folder", required_files)
    archive_format = _format(path)
    archive = _read_archive(path, limits)
    return unpack(archive, archive_format, _origin(path), required_files=required_files, limits=limits)


def unpack(
    archive: bytes,
    archive_format: str,
    origin: str,
    *,
    required_files: tuple[str, ...] = (),
    limits: IntakeLimits = DEFAULT_LIMITS,
) -> Received:
    """Read archive bytes of a known format again, such as those of a submission that was stored.

    Gives the same submission as `receive` did. Raises InvalidSubmission; KeyError for an unknown format.
    """
    tree = Tree(origin, limits)
    _READERS[archive_format](archive, tree)
    return _received(tree, archive, origin, archive_format, required_files)


def _packed(tree: Tree, origin: str, archive_format: str, required_files: tuple[str, ...]) -> Received:
    """A submission that came as no archive: one is made of it."""
    return _received(tree, pack(tree.finish()), origin, archive_format, required_files)


def _received(
    tree: Tree, archive: bytes, origin: str, archive_format: str, required_files: tuple[str, ...]
) -> Received:
    contents = _without_wrapper(tree.finish(), required_files)
    files = file_entries(contents)
    submission = Submission(
        digest=sha256(archive),
        tree_digest=tree_digest(files),
        origin=origin,
        format=archive_format,
        files=files,
    )
    return Received(submission, archive, MappingProxyType(contents), tree.left_out)


def _without_wrapper(contents: dict[str, bytes], required_files: tuple[str, ...]) -> dict[str, bytes]:
    """The contents without the one folder around everything, if the required files are in there and not at the top."""
    if all(name in contents for name in required_files):
        return contents
    wrapper, slash, _ = next(iter(contents)).partition("/")
    prefix = wrapper + slash
    wrapped = slash and all(path.startswith(prefix) for path in contents)
    if not wrapped or not all(prefix + name in contents for name in required_files):
        return contents
    return {path.removeprefix(prefix): data for path, data in contents.items()}


def _origin(path: Path) -> str:
    return path.name if path.name not in {"", ".."} else path.resolve().name or "/"


def _format(path: Path) -> str:
    lowered = path.name.lower()
    for suffix, archive_format in _SUFFIXES.items():
        if lowered.endswith(suffix):
            return archive_format
    raise UsageError(
        f"{shown(path.name)} is in no format that is read here."
        " Give a folder, a .zip, .tar.gz, .tgz or .tar file, or a git repository with a revision."
    )


def _read_archive(path: Path, limits: IntakeLimits) -> bytes:
    """The whole file, which must be a regular one; it may be reached through a link, since the operator named it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UsageError(f"{shown(str(path))} is neither a file nor a folder.")
            archive = read_capped(descriptor, limits.archive_bytes)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UsageError(f"{shown(str(path))} cannot be read: {_reason(error)}.") from error
    if len(archive) > limits.archive_bytes:
        raise InvalidSubmission(
            f"{shown(path.name)}: is larger than {size_text(limits.archive_bytes)}."
            " Leave out data, models and environments."
        )
    return archive


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or "not a path"
