"""Unprivileged users of the boxes: one uid for each living sandbox, lent under a lock file.

Two boxes that shared a uid could signal and trace each other's helpers and count against each other's limits.
Only root can give a box a uid of its own; the range lies above the one systemd gives to containers, which no
distribution hands out.
"""

import fcntl
import functools
import os
from collections.abc import Callable
from pathlib import Path

from assessments.errors import InfrastructureError

FIRST_UID = 1_900_000_000
_COUNT = 4096


def lend_uid(state: Path) -> tuple[int, Callable[[], None]]:
    """A uid nobody else uses, and the call that gives it back (process death gives it back as well)."""
    slot, release = lend_slot(state)
    return FIRST_UID + slot, release


def lend_slot(state: Path) -> tuple[int, Callable[[], None]]:
    """A number from 0 that no other living sandbox has, to make a uid of, and the call that gives it back."""
    folder = state / "box-users"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for offset in range(_COUNT):
        descriptor = os.open(folder / str(offset), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            return offset, functools.partial(os.close, descriptor)
    msg = f"{folder}: all {_COUNT} box users are in use; run assay gc"
    raise InfrastructureError(msg)
