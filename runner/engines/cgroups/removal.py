"""Killing what is in a group and taking the group away."""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from assessments.errors import InfrastructureError

_DYING_TIMEOUT_S = 60


def remove_leftovers(parents: Iterable[Path], prefix: str) -> int:
    """Kill and remove the groups in these folders whose name starts with `prefix`; how many there were.

    Raises InfrastructureError when one cannot be emptied.
    """
    parents = tuple(parents)
    names = sorted({group.name for parent in parents for group in parent.glob(f"{prefix}*")})
    for name in names:
        kill_and_remove(tuple(parent / name for parent in parents))
    return len(names)


def kill_and_remove(folders: tuple[Path, ...]) -> None:
    """Kill every process in these folders of one group, then remove them. Raises InfrastructureError after 60 s.

    A process that maps much memory many times takes seconds to die, and whose fault that is must not depend on ours.
    """
    deadline = time.monotonic() + _DYING_TIMEOUT_S
    while True:
        for folder in folders:
            _thaw(folder)
        pids = {pid for folder in folders for pid in pids_in(folder)}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not pids and all(_removed(folder) for folder in folders):
            return
        if time.monotonic() > deadline:
            msg = f"{folders[0]}: processes {sorted(pids)} survived SIGKILL for {_DYING_TIMEOUT_S} s; look with ps"
            raise InfrastructureError(msg)
        time.sleep(0.002)


def _thaw(folder: Path) -> None:
    """On version 1 a frozen process does not die of SIGKILL; on version 2 it does."""
    with contextlib.suppress(OSError):
        if (folder / "freezer.state").exists():
            (folder / "freezer.state").write_text("THAWED")


def pids_in(folder: Path) -> list[int]:
    """The processes of one folder of a group; none once it is gone."""
    try:
        return [int(line) for line in (folder / "cgroup.procs").read_text().split()]
    except OSError:
        return []


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
