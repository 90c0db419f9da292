"""Writing a submission's files to disk, for a sandbox to see read-only."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from assessments.errors import InfrastructureError
from runner.intake import names
from runner.intake.problems import shown

_FOLDER_MODE: Final = 0o755
_FILE_MODE: Final = 0o444
_OPEN_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

Level = dict[str, "Level | bytes"]
"""One folder: names to files' contents or to further folders."""


def write_tree(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write `contents` (path to bytes) below `folder`, which is made if missing and must be empty otherwise.

    Folders get mode 0755 and files 0444, whatever the umask; nothing existing is replaced and no link followed.
    Raises InfrastructureError when the folder is not empty, a path is not safe, or the disk fails.
    """
    levels = _levels(contents)
    try:
        folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(folder, _OPEN_FOLDER)
        try:
            with os.scandir(descriptor) as entries:
                occupied = any(entries)
            if occupied:
                raise InfrastructureError(f"{shown(str(folder))} is not empty: a submission needs a folder of its own.")
            _write_level(descriptor, levels)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise InfrastructureError(
            f"{shown(str(folder))}: cannot write a submission there: {error.strerror}."
        ) from error


def _levels(contents: Mapping[str, bytes]) -> Level:
    """Nest the paths. They were checked on the way in; one that is unsafe here is a fault of ours."""
    root: Level = {}
    for path, data in contents.items():
        if any(names.unsafe(path)):
            raise InfrastructureError(f"{shown(path)} is not a safe path to write. Take submissions in with `receive`.")
        *parents, name = path.split("/")
        level = root
        for parent in parents:
            below = level.setdefault(parent, {})
            if isinstance(below, bytes):
                raise InfrastructureError(f"{shown(path)} lies below a file. Take submissions in with `receive`.")
            level = below
        if name in level:
            raise InfrastructureError(f"{shown(path)} is both a file and a folder. Take it in with `receive`.")
        level[name] = data
    return root


def _write_level(descriptor: int, level: Level) -> None:
    os.fchmod(descriptor, _FOLDER_MODE)
    for name, below in level.items():
        if isinstance(below, bytes):
            _write_file(descriptor, name, below)
            continue
        os.mkdir(name, _FOLDER_MODE, dir_fd=descriptor)
        inner = os.open(name, _OPEN_FOLDER, dir_fd=descriptor)
        try:
            _write_level(inner, below)
        finally:
            os.close(inner)


def _write_file(descriptor: int, name: str, data: bytes) -> None:
    with open(os.open(name, _CREATE_FILE, _FILE_MODE, dir_fd=descriptor), "wb") as file:  # noqa: PTH123
        file.write(data)
        os.fchmod(file.fileno(), _FILE_MODE)
