"""Caps how many files the scratch places of a box may hold, which bubblewrap itself has no option for.

The cap is set on the box's own tmpfs from outside, before its command runs. Root may do so as it is. Anybody else may
in the namespaces of the box, which they own: a process of its own enters them, since none with threads can. The numbers
are from linux/mount.h, linux/nsfs.h and asm-generic/unistd.h, and are the same on every architecture.
"""

import ctypes
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterable

_FSCONFIG, _FSPICK = 431, 433
_FSPICK_CLOEXEC, _FSPICK_SYMLINK_NOFOLLOW = 1, 2
_SET_STRING, _RECONFIGURE = 1, 7
_AT_FDCWD = -100
_NS_GET_USERNS = 0xB701
_ENTER_TIMEOUT_S = 30


def cap_files(box: int, places: Iterable[str], files: int) -> None:
    """Let each tmpfs at these places of a box hold no more than so many files and folders.

    `box` is the host's number of its process 1, and all of it is mounted. Raises OSError.
    """
    if os.geteuid() == 0:
        _cap((f"/proc/{box}/root{place}" for place in places), files)
    else:
        cap_from_inside(box, places, files)


def cap_from_inside(box: int, places: Iterable[str], files: int) -> None:
    """The same, for whoever owns the box's namespaces, at the cost of a process. Raises OSError."""
    enter = [sys.executable, "-I", "-S", __file__, str(box), str(files), *places]
    try:
        done = subprocess.run(enter, capture_output=True, text=True, timeout=_ENTER_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"the files of a scratch place were not capped within {_ENTER_TIMEOUT_S} s") from error
    if done.returncode:
        *_, said = done.stderr.splitlines() or ["it said nothing"]
        raise OSError(f"the files of a scratch place could not be capped: {said}")


def _main(box: str, files: str, *places: str) -> None:
    """In a process of its own: become one of the box's, then do what root does from outside."""
    mounts = os.open(f"/proc/{box}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    owner = fcntl.ioctl(mounts, _NS_GET_USERNS)
    for namespace in (owner, mounts):
        _checked(_libc.setns(namespace, 0))
    _cap(places, int(files))


def _cap(paths: Iterable[str], files: int) -> None:
    for path in paths:
        chosen = _call(_FSPICK, _AT_FDCWD, os.fsencode(path), _FSPICK_CLOEXEC | _FSPICK_SYMLINK_NOFOLLOW)
        try:
            _call(_FSCONFIG, chosen, _SET_STRING, b"nr_inodes", str(files).encode(), 0)
            _call(_FSCONFIG, chosen, _RECONFIGURE, None, None, 0)
        finally:
            os.close(chosen)


def _call(number: int, *arguments: int | bytes | None) -> int:
    return _checked(int(_libc.syscall(ctypes.c_long(number), *arguments)))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


_libc = ctypes.CDLL(None, use_errno=True)

if __name__ == "__main__":
    _main(*sys.argv[1:])
