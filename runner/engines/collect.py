"""Reads the files that a sandbox left, as data from a stranger: after its end, and through one descriptor.

Only plain files that are exactly what they seem count. A link is never followed, a pipe never waited for, nothing
is opened by its path, and every figure has a bound. What is refused is named with the reason.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY
_BLOCK_BYTES = 512


@dataclass(frozen=True, slots=True)
class CollectLimits:
    """Bounds of what is read; `entries` counts files and folders together."""

    entries: int = 500
    levels: int = 8
    name_bytes: int = 120
    total_bytes: int = 8 * 1024 * 1024
    holes: bool = False
    """Whether files may have holes, as those of a database do; they are read as zeros and counted whole."""


@dataclass(frozen=True, slots=True)
class Collected:
    """The files by relative path, and a sentence for each thing that was left out."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class _Refused(Exception):
    """An entry that is no honest output."""


def collect(folder_fd: int, limits: CollectLimits | None = None) -> Collected:
    """Everything below an open folder. Never raises for what lies there; call it when no writer lives any more."""
    walk = _Walk(limits or CollectLimits())
    walk.folder(folder_fd, "", 1)
    return Collected(walk.files, tuple(walk.problems))


class _Walk:
    """One pass over a tree, with what is left of each bound."""

    def __init__(self, limits: CollectLimits) -> None:
        self._limits = limits
        self._entries = 0
        self._bytes_left = limits.total_bytes
        self.files: dict[str, bytes] = {}
        self.problems: list[str] = []

    def folder(self, folder_fd: int, prefix: str, level: int) -> None:
        for name in sorted(self._names(folder_fd, prefix)):
            path = prefix + name
            try:
                self._entry(folder_fd, name, path, level)
            except _Refused as refusal:
                self.problems.append(f"{path}: {refusal}")
            except OSError as error:
                self.problems.append(f"{path}: cannot be read: {error.strerror}")

    def _names(self, folder_fd: int, prefix: str) -> Iterator[str]:
        with os.scandir(folder_fd) as entries:
            for entry in entries:
                self._entries += 1
                if self._entries > self._limits.entries:
                    self.problems.append(f"{prefix or './'}: more than {self._limits.entries} entries in all")
                    return
                if entry.name.isprintable() and len(os.fsencode(entry.name)) <= self._limits.name_bytes:
                    yield entry.name
                else:
                    self.problems.append(f"{prefix}{entry.name!a:.80}: no name for a file that is handed over")

    def _entry(self, folder_fd: int, name: str, path: str, level: int) -> None:
        status = os.stat(name, dir_fd=folder_fd, follow_symlinks=False)
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode)):
            raise _Refused("neither a file nor a folder")  # some devices act when they are opened
        descriptor = os.open(name, _FLAGS, dir_fd=folder_fd)
        try:
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                if level >= self._limits.levels:
                    raise _Refused(f"deeper than {self._limits.levels} levels")
                self.folder(descriptor, f"{path}/", level + 1)
            else:
                self.files[path] = self._file(descriptor, status)
        finally:
            os.close(descriptor)

    def _file(self, descriptor: int, status: os.stat_result) -> bytes:
        if not stat.S_ISREG(status.st_mode):
            raise _Refused("neither a file nor a folder")
        if status.st_nlink != 1:
            raise _Refused("has more than one name")
        if status.st_size > self._bytes_left:
            raise _Refused(f"over the {self._limits.total_bytes} bytes that all files may have")
        if not self._limits.holes and status.st_blocks * _BLOCK_BYTES < status.st_size:
            raise _Refused("has holes in it")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(status.st_size)
        self._bytes_left -= len(content)
        return content
