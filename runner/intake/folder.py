"""Reading a submission from a folder: by descriptors, never through a link, nothing opened but regular files."""

import os
import stat
from pathlib import Path
from typing import Final

from runner.intake.tree import Tree

_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_OPEN_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CHUNK_BYTES: Final = 1024 * 1024
_LEFT_OUT_SLACK: Final = 256
"""Names in one folder that may be tool droppings, beyond the entries allowed."""


def gather_folder(folder: Path, tree: Tree) -> None:
    """Read every file below `folder` into `tree`. The folder itself may be reached through a link, nothing below may.

    Raises OSError if `folder` cannot be opened, InvalidSubmission when a limit is passed.
    """
    descriptor = os.open(folder, _OPEN_FOLDER)
    try:
        _gather(descriptor, "", tree)
    finally:
        os.close(descriptor)


def _gather(descriptor: int, prefix: str, tree: Tree) -> None:
    for name in _names(descriptor, tree):
        path = prefix + name
        try:
            mode = os.stat(name, dir_fd=descriptor, follow_symlinks=False).st_mode
            allowed = tree.enter(path, folder=stat.S_ISDIR(mode))
            if allowed is None:
                continue
            if stat.S_ISDIR(mode):
                _gather_below(descriptor, name, path, tree)
            elif stat.S_ISREG(mode):
                _gather_file(descriptor, name, path, tree)
            else:
                tree.refuse(path, refusal(mode))
        except OSError as error:
            tree.refuse(path, f"cannot be read ({error.strerror}). Mend its permissions, or leave it out.")


def _names(descriptor: int, tree: Tree) -> list[str]:
    """The names in a folder, sorted, so that problems come in the same order on every file system."""
    found = []
    with os.scandir(descriptor) as entries:
        for entry in entries:
            found.append(entry.name)
            if len(found) > tree.limits.entries + _LEFT_OUT_SLACK:
                tree.stop(f"has a folder with more than {tree.limits.entries} files. Leave out data and caches.")
    return sorted(found)


def _gather_below(descriptor: int, name: str, path: str, tree: Tree) -> None:
    inner = os.open(name, _OPEN_FOLDER | os.O_NOFOLLOW, dir_fd=descriptor)
    try:
        _gather(inner, path + "/", tree)
    finally:
        os.close(inner)


def _gather_file(descriptor: int, name: str, path: str, tree: Tree) -> None:
    opened = os.open(name, _OPEN_FILE, dir_fd=descriptor)
    try:
        status = os.fstat(opened)
        if not stat.S_ISREG(status.st_mode):
            tree.refuse(path, "was replaced while it was read. Hand the folder in when nothing writes to it.")
            return
        tree.reserve(path, status.st_size)
        contents = read_capped(opened, status.st_size)
    finally:
        os.close(opened)
    if len(contents) != status.st_size:
        tree.refuse(path, "changed while it was read. Hand the folder in when nothing writes to it.")
        return
    tree.keep(path, contents)


def read_capped(descriptor: int, limit_bytes: int) -> bytes:
    """What a file holds, but never more than `limit_bytes` + 1: a longer answer tells that there was more."""
    chunks = []
    left = limit_bytes + 1
    while left > 0 and (chunk := os.read(descriptor, min(left, _CHUNK_BYTES))):
        chunks.append(chunk)
        left -= len(chunk)
    return b"".join(chunks)


def refusal(mode: int) -> str:
    """Why an entry of this file mode, which is neither a regular file nor a folder, cannot be taken in."""
    match stat.S_IFMT(mode):
        case stat.S_IFLNK:
            return "is a symbolic link. Put the file itself in its place."
        case stat.S_IFIFO:
            return "is a named pipe (FIFO). Leave it out."
        case stat.S_IFSOCK:
            return "is a socket. Leave it out."
        case stat.S_IFCHR | stat.S_IFBLK:
            return "is a device. Leave it out."
        case _:
            return "is neither a file nor a folder. Leave it out."
