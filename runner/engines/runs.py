"""Which runs are alive, and what a dead one left behind.

state/runs/<run id>/
  owner.lock       held (flock) by the runner for as long as it lives: the kernel lets go of it on any kind of death
  cgroup-parents   the folders in which its cgroups are made
  docker           the address of the Docker engine it uses
  ...              scratch folders of the run

Everything a run makes carries its id: its folder here, its cgroups (`assay-<run id>-...`) and its processes
(a marker on their command line), its containers (a label). `runner.engines.sweep` removes what a dead run left.
"""

import contextlib
import fcntl
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.engines.folders import PASSABLE, make_folder

_LOCK = "owner.lock"
_PARENTS = "cgroup-parents"
_DOCKER = "docker"
_BIRTH_S = 60.0


@dataclass(frozen=True, slots=True)
class Run:
    """One living runner's id and its own scratch folder (mode 0711: boxes may pass through, not look)."""

    id: str
    folder: Path


@contextlib.contextmanager
def open_run(state: Path, cgroup_parents: Iterable[Path] = (), docker: str = "") -> Iterator[Run]:
    """A new run, alive until the block ends or this process dies.

    Its cgroups will be made in `cgroup_parents`, its containers by the Docker engine at the address `docker`.
    """
    run_id = secrets.token_hex(6)
    runs = make_folder(state / "runs", PASSABLE)
    # The folder appears under its name only when its lock is held: a sweep never sees it without an owner.
    unborn = make_folder(runs / f".{run_id}", PASSABLE)
    (unborn / _PARENTS).write_text("\n".join(map(str, cgroup_parents)))
    (unborn / _DOCKER).write_text(docker)
    with (unborn / _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = unborn.rename(runs / run_id)
        try:
            yield Run(run_id, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class DeadRun:
    """What is known of a run whose runner is dead. Its lock is ours, so that nobody else clears it away meanwhile."""

    id: str
    folder: Path
    cgroup_parents: tuple[Path, ...]
    docker: str
    """The address of the Docker engine it used, or nothing."""

    def forget(self) -> None:
        """Remove its folder: nothing else of it is left."""
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def dead_runs(state: Path) -> Iterator[list[DeadRun]]:
    """Every run that nobody owns; they are ours until the block is left."""
    with contextlib.ExitStack() as locks:
        found = []
        for folder in sorted((state / "runs").glob("*")):
            if not _being_born(folder) and locks.enter_context(_taken_over(folder)):
                parents = tuple(Path(line) for line in _noted(folder, _PARENTS).splitlines())
                found.append(DeadRun(folder.name.lstrip("."), folder, parents, _noted(folder, _DOCKER)))
        yield found


def is_owned(state: Path, run_id: str) -> bool:
    """Whether a living process holds the run's lock."""
    folder = state / "runs" / run_id
    if not run_id or "/" in run_id or not folder.is_dir():
        return False
    with _taken_over(folder) as dead:
        return not dead


def _noted(folder: Path, name: str) -> str:
    """What the run wrote down of itself when it was born."""
    try:
        return (folder / name).read_text()
    except FileNotFoundError:
        return ""


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
