"""Which runs are alive, and what a dead one left behind.

state/runs/<run id>/
  owner.lock       held (flock) by the runner for as long as it lives: the kernel lets go of it on any kind of death
  cgroup-parents   the folders in which its cgroups are made
  ...              scratch folders of the run

Everything a run makes carries its id: its folder here, its cgroups (`assay-<run id>-...`) and its processes
(a marker on their command line). `sweep` finds runs whose lock nobody holds and removes all of it.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.engines.bubblewrap.command import MARKER
from runner.engines.cgroups import PREFIX, remove_leftovers
from runner.engines.folders import PASSABLE, make_folder

_LOCK = "owner.lock"
_PARENTS = "cgroup-parents"
_BIRTH_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One living runner's id and its own scratch folder (mode 0711: boxes may pass through, not look)."""

    id: str
    folder: Path


@contextlib.contextmanager
def open_run(state: Path, cgroup_parents: Iterable[Path] = ()) -> Iterator[Run]:
    """A new run, alive until the block ends or this process dies. Its cgroups will be made in `cgroup_parents`."""
    run_id = secrets.token_hex(6)
    runs = make_folder(state / "runs", PASSABLE)
    # The folder appears under its name only when its lock is held: a sweep never sees it without an owner.
    unborn = make_folder(runs / f".{run_id}", PASSABLE)
    (unborn / _PARENTS).write_text("\n".join(map(str, cgroup_parents)))
    with (unborn / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = unborn.rename(runs / run_id)
        try:
            yield Run(run_id, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed."""

    runs: int
    processes: int
    cgroups: int


def sweep(state: Path) -> Swept:
    """Kill and remove what dead runs left in this state folder."""
    runs = processes = groups = 0
    for folder in sorted((state / "runs").glob("*")):
        if _being_born(folder):
            continue
        with _taken_over(folder) as dead:
            if not dead:
                continue
            runs += 1
            run_id = folder.name.lstrip(".")
            processes += _kill_marked(run_id)
            groups += remove_leftovers(_cgroup_parents(folder), f"{PREFIX}{run_id}-")
            shutil.rmtree(folder, ignore_errors=True)
    return Swept(runs, processes, groups)


def _cgroup_parents(folder: Path) -> list[Path]:
    """Where the dead run's cgroups are: it may have stood in another group than we do."""
    try:
        return [Path(line) for line in (folder / _PARENTS).read_text().splitlines()]
    except FileNotFoundError:
        return []


def _being_born(folder: Path) -> bool:
    """Whether its lock is about to be taken, or it has its own name by now."""
    try:
        return folder.name.startswith(".") and time.time() - folder.stat().st_mtime < _BIRTH_S
    except FileNotFoundError:
        return True


@contextlib.contextmanager
def _taken_over(folder: Path) -> Iterator[bool]:
    """Whether nobody owns the run; if so its lock is ours while the block lasts."""
    try:
        lock = (folder / _LOCK).open("a")  # one that died before it made the lock has an owner no more than any other
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        yield False
        return
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _kill_marked(run_id: str) -> int:
    """Kill bubblewrap's processes that carry the run's marker; a box's process 1 takes the whole box with it."""
    marker = f"{MARKER}{run_id}:".encode()
    killed = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if words[0].endswith(b"bwrap") and any(word.startswith(marker) for word in words):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed
