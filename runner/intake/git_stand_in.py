"""The stand-in for a candidate's git repository: an empty one of ours with a copy of its refs.

Git reads the stand-in together with the candidate's folder of objects, and nothing else of the repository:
no configuration, hooks, attributes, grafts, alternates or includes.
"""

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from assessments.errors import UsageError
from runner.intake.folder import read_capped
from runner.intake.problems import shown
from runner.intake.tree import Tree

_CONFIG_BYTES: Final = 1024 * 1024
_PACKED_REFS_BYTES: Final = 16 * 1024 * 1024
_REF_BYTES: Final = 4096
_REF_DEPTH: Final = 12
_OBJECT_DEPTH: Final = 4
_REPOSITORY_FILES: Final = 100_000
_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OPEN_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_CONFIG: Final = "[core]\n\trepositoryFormatVersion = 0\n\tbare = true\n"
_SHA256_CONFIG: Final = _CONFIG.replace("= 0", "= 1") + "[extensions]\n\tobjectFormat = sha256\n"
_SHA256_REPOSITORY: Final = re.compile(rb"(?im)^[ \t]*objectformat[ \t]*=[ \t]*sha256[ \t\r]*$")

CLONE: Final = "Clone it afresh with `git clone --no-local` and hand in the clone."


def find_repository(folder: Path) -> Path:
    """The repository's own folder, absolute: `.git`, or `folder` itself when it is bare."""
    for candidate in (folder.resolve() / ".git", folder.resolve()):
        needed = (candidate / "objects", candidate / "refs")
        if not candidate.is_symlink() and all(part.is_dir() for part in needed) and (candidate / "HEAD").exists():
            return candidate
    raise UsageError(
        f"{shown(str(folder))} is not a git repository of its own."
        " Give the top folder of one (not a linked worktree), or leave out the revision."
    )


def make_stand_in(repository: Path, scratch: Path, tree: Tree) -> Path:
    """An empty bare repository in `scratch` with a copy of the refs, after a look at the objects."""
    _look_at_objects(repository, tree)
    with _opened(repository, tree) as descriptor:
        for name, limit_bytes in (("HEAD", _REF_BYTES), ("packed-refs", _PACKED_REFS_BYTES)):
            _copy(descriptor, name, scratch / name, limit_bytes, tree)
        config = _read(descriptor, "config", _CONFIG_BYTES) or b""
    (scratch / "config").write_text(_SHA256_CONFIG if _SHA256_REPOSITORY.search(config) else _CONFIG)
    (scratch / "refs").mkdir()
    for path, parent, name in _files(repository / "refs", _REF_DEPTH, tree):
        target = scratch / "refs" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(parent, name, target, _REF_BYTES, tree)
    return scratch


def _look_at_objects(repository: Path, tree: Tree) -> None:
    """Refuse objects that are not the repository's own: links, alternates, or a folder shared with another one."""
    for path, _, _ in _files(repository / "objects", _OBJECT_DEPTH, tree):
        if path in {"info/alternates", "info/http-alternates"}:
            tree.stop(f"borrows objects from another repository. {CLONE}", entry=f"objects/{path}")


def _files(folder: Path, depth: int, tree: Tree) -> Iterator[tuple[str, int, str]]:
    """Each regular file below: its path, the descriptor of its folder, its name. Anything else stops the intake."""
    with _opened(folder, tree) as descriptor:
        for found, item in enumerate(_walk(descriptor, "", depth, tree)):
            if found >= _REPOSITORY_FILES:
                tree.stop(f"has more than {_REPOSITORY_FILES} files in its repository. Run `git gc` in it.")
            yield item


def _walk(descriptor: int, prefix: str, depth: int, tree: Tree) -> Iterator[tuple[str, int, str]]:
    with os.scandir(descriptor) as entries:
        for entry in entries:
            path = prefix + entry.name
            mode = entry.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                yield path, descriptor, entry.name
            elif stat.S_ISDIR(mode) and depth > 1:
                inner = os.open(entry.name, _OPEN_FOLDER, dir_fd=descriptor)
                try:
                    yield from _walk(inner, path + "/", depth - 1, tree)
                finally:
                    os.close(inner)
            else:
                tree.stop(f"in its repository is a link, a device or too deep. {CLONE}", entry=path)


@contextmanager
def _opened(folder: Path, tree: Tree) -> Iterator[int]:
    try:
        descriptor = os.open(folder, _OPEN_FOLDER)
    except OSError as error:
        tree.stop(f"in its repository cannot be read ({error.strerror}). {CLONE}", entry=folder.name)
    try:
        yield descriptor
    except OSError as error:
        tree.stop(f"in its repository cannot be read ({error.strerror}). {CLONE}", entry=folder.name)
    finally:
        os.close(descriptor)


def _copy(parent: int, name: str, target: Path, limit_bytes: int, tree: Tree) -> None:
    content = _read(parent, name, limit_bytes)
    if content is None:
        return
    if len(content) > limit_bytes:
        tree.stop(f"in its repository is larger than any ref. {CLONE}", entry=name)
    target.write_bytes(content)


def _read(parent: int, name: str, limit_bytes: int) -> bytes | None:
    """A regular file of the repository, up to one byte beyond the limit; None if there is none."""
    try:
        descriptor = os.open(name, _OPEN_FILE, dir_fd=parent)
    except FileNotFoundError:
        return None
    try:
        return read_capped(descriptor, limit_bytes) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    finally:
        os.close(descriptor)
