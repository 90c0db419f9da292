"""Removes what dead runs left behind: processes, control groups, containers, and at last their folders.

A run is dead when nobody holds its lock, and the kernel lets go of that on any kind of death. What is living is never
touched. Containers of a Docker engine that does not answer now are left to a later sweep, and so is their run's folder.

Sweeps of one state folder take turns: who comes back from one finds nothing of what was dead when it began, also where
somebody else's sweep had already taken that over.
"""

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assessments.errors import InfrastructureError
from runner.engines.bubblewrap.command import MARKER
from runner.engines.cgroups import PREFIX, WEIGHTS, put_back, remove_leftovers
from runner.engines.docker.endpoint import Endpoint
from runner.engines.runs import DeadRun, dead_runs, is_owned

if TYPE_CHECKING:
    from runner.engines.docker.daemon import Daemon


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep removed, and what has to wait."""

    runs: int
    processes: int
    cgroups: int
    containers: int
    waiting: tuple[str, ...]
    """Addresses of Docker engines that may hold containers of dead runs, and did not answer or not remove them."""

    def __str__(self) -> str:
        kinds = {"processes": self.processes, "cgroups": self.cgroups, "containers": self.containers}
        told = f"{self.runs} dead runs: " + ", ".join(f"{number} {name}" for name, number in kinds.items())
        return told + "".join(
            f"; the Docker engine at {url} did not give all up and is asked again later" for url in self.waiting
        )


def sweep(state: Path, daemon: "Daemon | None" = None) -> Swept:
    """Kill and remove what dead runs left in this state folder. `daemon`: an engine to look in besides theirs."""
    with _turn(state), dead_runs(state) as dead:
        processes = sum(_kill_marked(run.id) for run in dead)
        groups = sum(remove_leftovers(run.cgroup_parents, f"{PREFIX}{run.id}-") for run in dead)
        containers, waiting = _remove_containers(state, dead, daemon)
        done = [run for run in dead if run.docker not in waiting]
        for run in done:
            put_back(run.folder / WEIGHTS)
            run.forget()
    processes += kill_strays(state)
    return Swept(len(done), processes, groups, containers, tuple(sorted(waiting)))


def _remove_containers(state: Path, dead: Iterable[DeadRun], daemon: "Daemon | None") -> tuple[int, set[str]]:
    """How many there were, and which engines did not answer."""
    own = {daemon.endpoint.url} if daemon else set()
    urls = {run.docker for run in dead if run.docker} | own
    if not urls:
        return 0, set()
    from runner.engines.docker.daemon import Unusable, connect  # slow to import, and not needed where there is none
    from runner.engines.docker.engine import state_id
    from runner.engines.docker.leftovers import remove_containers

    ids = {run.id for run in dead}

    def alive(run: str) -> bool:
        return run not in ids and is_owned(state, run)  # asked in this order: the locks of the dead are ours by now

    removed, waiting = 0, set()
    for url in urls:
        endpoint = Endpoint(url, "a dead run")
        if not endpoint.socket.exists():
            continue  # that engine is gone, and its containers with it
        try:
            with contextlib.ExitStack() as stack:
                asked = daemon if daemon and daemon.endpoint.url == url else connect(endpoint)
                if asked is not daemon:
                    stack.callback(asked.close)
                removed += remove_containers(asked, state_id(state), alive)
        except (Unusable, InfrastructureError):
            waiting.add(url)
    return removed, waiting


def kill_strays(state: Path) -> int:
    """Kill boxes of this state folder's program whose run nobody owns; how many processes there were.

    A runner can die in the moment between making a process and its becoming bubblewrap: no sweep knows it by then, and
    a later one no longer knows the run.
    """
    programs = os.fsencode(state / "programs") + b"/"
    with _turn(state):
        return _kill_boxes(lambda program, run: program.startswith(programs) and not is_owned(state, run))


@contextlib.contextmanager
def _turn(state: Path) -> Iterator[None]:
    """Nobody else sweeps, or asks for a moment who owns what, until the block is left."""
    try:
        runs = os.open(state / "runs", os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        yield  # nothing was ever run here
        return
    try:
        fcntl.flock(runs, fcntl.LOCK_EX)
        yield
    finally:
        os.close(runs)


def _kill_marked(run_id: str) -> int:
    """Kill bubblewrap's processes that carry the run's marker."""
    return _kill_boxes(lambda _, run: run == run_id)


def _kill_boxes(chosen: Callable[[bytes, str], bool]) -> int:
    """Kill bubblewrap's processes, chosen by program and run; a box's process 1 takes the whole box with it."""
    killed = 0
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            program, *words = (entry / "cmdline").read_bytes().split(b"\0")
            marks = [word for word in words if word.startswith(MARKER.encode())] if program.endswith(b"bwrap") else []
            if marks and chosen(program, marks[0].decode("ascii", "replace").split(":")[1]):
                os.kill(int(entry.name), signal.SIGKILL)
                killed += 1
    return killed
