"""Puts files into a sandbox's kept folder before its command runs. Nobody hostile is in there yet."""

import contextlib
import ctypes
import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_libc = ctypes.CDLL(None, use_errno=True)


def fill(folder_fd: int, files: Mapping[str, bytes], pid: int) -> None:
    """Write `files` (by relative path) below an open folder, as the user whom process `pid` runs as.

    Raises OSError.
    """
    if not files:
        return
    made: set[PurePosixPath] = set()
    with _as_user_of(pid):
        for path in sorted(map(PurePosixPath, files)):
            for parent in reversed(path.parents[:-1]):
                if parent not in made:
                    os.mkdir(parent, 0o755, dir_fd=folder_fd)
                    made.add(parent)
            descriptor = os.open(path, _NEW, 0o644, dir_fd=folder_fd)
            with os.fdopen(descriptor, "wb") as file:
                file.write(files[str(path)])


@contextlib.contextmanager
def _as_user_of(pid: int) -> Iterator[None]:
    """What this thread creates meanwhile is that user's: a file system of the sandbox's own knows no other.

    setfsuid(2) changes the calling thread alone, and nothing where this process is not root.
    """
    if os.geteuid() != 0:
        yield
        return
    ids = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    uid, gid = (int(ids[name].split()[0]) for name in ("Uid", "Gid"))
    _libc.setfsgid(gid)
    _libc.setfsuid(uid)
    try:
        yield
    finally:
        _libc.setfsuid(0)
        _libc.setfsgid(0)
