"""Caps how many files the scratch places of a box may hold, which bubblewrap itself has no option for.

The cap is set on the box's own tmpfs from outside, before its command runs. Only root may. The numbers are from
linux/mount.h and asm-generic/unistd.h, and are the same on every architecture.
"""

import ctypes
import os

_FSCONFIG, _FSPICK = 431, 433
_FSPICK_CLOEXEC, _FSPICK_SYMLINK_NOFOLLOW = 1, 2
_SET_STRING, _RECONFIGURE = 1, 7
_AT_FDCWD = -100


def cap_files(tmpfs: str, files: int) -> None:
    """Let the tmpfs that is mounted at this path hold no more than so many files and folders. Raises OSError."""
    chosen = _call(_FSPICK, _AT_FDCWD, os.fsencode(tmpfs), _FSPICK_CLOEXEC | _FSPICK_SYMLINK_NOFOLLOW)
    try:
        _call(_FSCONFIG, chosen, _SET_STRING, b"nr_inodes", str(files).encode(), 0)
        _call(_FSCONFIG, chosen, _RECONFIGURE, None, None, 0)
    finally:
        os.close(chosen)


def _call(number: int, *arguments: int | bytes | None) -> int:
    result = int(_libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


_libc = ctypes.CDLL(None, use_errno=True)
