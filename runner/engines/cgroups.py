"""Control groups: the limits and the accounts of a whole sandbox, for version 1 and version 2.

`find_cgroups` tries, and says what it found: root on version 1, or a writable (root's or a delegated) subtree on
version 2. Where neither is there it returns None, and the engine reports the limits as not enforced.

A group's name starts with `assay-<run id>-`, so that a later run can find what a killed one left behind.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from assessments.observation import Usage

PREFIX = "assay-"
_CPU_PERIOD_US = 100_000
_CLOSE_TO_LIMIT = 0.95
_V1_CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "freezer")
_V2_CONTROLLERS = ("memory", "pids", "cpu")


class Cgroup(Protocol):
    """The group of one sandbox."""

    def add(self, pid: int) -> None:
        """Move a process in; what it forks from then on is in it too."""
        ...

    def usage(self) -> Usage:
        """`oom_kills` counts those for the group's own limit only."""
        ...

    def host_ran_out(self) -> bool:
        """Whether something in the group was killed for want of memory though the group kept to its limit."""
        ...

    def remove(self) -> None:
        """Kill what is left in it and take it away, within 5 s."""
        ...


class Cgroups(Protocol):
    """Where groups can be made."""

    @property
    def version(self) -> int: ...

    def create(self, name: str, limits: Limits) -> Cgroup: ...

    @property
    def parents(self) -> tuple[Path, ...]:
        """The folders that groups are made in. A later run may stand elsewhere, and finds leftovers only by these."""
        ...


def find_cgroups() -> Cgroups | None:
    """What this process may use, found by making and removing a group; None where it may not."""
    candidates: tuple[Cgroups | None, ...] = (_v1_parents(), _v2_parent())
    for candidate in candidates:
        if candidate is None:
            continue
        try:
            candidate.create(f"{PREFIX}probe-{os.getpid()}", _PROBE_LIMITS).remove()
        except (OSError, InfrastructureError):
            continue
        return candidate
    return None


def remove_leftovers(parents: Iterable[Path], prefix: str) -> int:
    """Kill and remove the groups in these folders whose name starts with `prefix`; how many there were.

    Raises InfrastructureError when one cannot be emptied.
    """
    parents = tuple(parents)
    names = sorted({group.name for parent in parents for group in parent.glob(f"{prefix}*")})
    for name in names:
        _kill_and_remove(tuple(parent / name for parent in parents))
    return len(names)


_PROBE_LIMITS = Limits(
    memory_bytes=64 << 20,
    processes=16,
    cpus=1.0,
    scratch_bytes=0,
    output_bytes=0,
    open_files=0,
    job_s=0,
)


def _kill_and_remove(folders: tuple[Path, ...]) -> None:
    deadline = time.monotonic() + 5
    while True:
        pids = {pid for folder in folders for pid in _pids(folder)}
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not pids and all(_removed(folder) for folder in folders):
            return
        if time.monotonic() > deadline:
            msg = f"{folders[0]}: processes {sorted(pids)} survived SIGKILL for 5 s; look at them with ps"
            raise InfrastructureError(msg)
        time.sleep(0.002)


def _pids(folder: Path) -> list[int]:
    try:
        return [int(line) for line in (folder / "cgroup.procs").read_text().split()]
    except (FileNotFoundError, OSError):
        return []


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _fields(path: Path) -> dict[str, int]:
    """A flat keyed file, such as memory.events: one `key value` a line."""
    pairs = (line.split() for line in path.read_text().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}


@dataclass(frozen=True)
class _V1Cgroup:
    """One folder in each version 1 hierarchy."""

    folders: dict[str, Path]

    def add(self, pid: int) -> None:
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    def usage(self) -> Usage:
        memory = self.folders["memory"]
        return Usage(
            peak_memory_bytes=int((memory / "memory.max_usage_in_bytes").read_text()),
            cpu_s=int((self.folders["cpuacct"] / "cpuacct.usage").read_text()) / 1e9,
            oom_kills=self._kills() if self._hit_its_limit() else 0,
        )

    def host_ran_out(self) -> bool:
        return self._kills() > 0 and not self._hit_its_limit()

    def _kills(self) -> int:
        return _fields(self.folders["memory"] / "memory.oom_control").get("oom_kill", 0)

    def _hit_its_limit(self) -> bool:
        """By the peak, which comes close: where swap counts against the same limit, failcnt stays 0 (seen on 6.18)."""
        peak, limit = (
            int((self.folders["memory"] / f"memory.{name}_in_bytes").read_text()) for name in ("max_usage", "limit")
        )
        return peak > limit * _CLOSE_TO_LIMIT

    def remove(self) -> None:
        _kill_and_remove(tuple(set(self.folders.values())))


@dataclass(frozen=True)
class _V1Cgroups:
    by_controller: dict[str, Path]
    version: int = 1

    @property
    def parents(self) -> tuple[Path, ...]:
        return tuple(sorted(set(self.by_controller.values())))

    def create(self, name: str, limits: Limits) -> Cgroup:
        folders = {controller: parent / name for controller, parent in self.by_controller.items()}
        group = _V1Cgroup(folders)
        try:
            for folder in set(folders.values()):
                folder.mkdir()
            self._limit(folders, limits)
        except OSError as error:
            group.remove()
            raise InfrastructureError(f"cgroup {name} could not be made: {error}") from error
        return group

    @staticmethod
    def _limit(folders: dict[str, Path], limits: Limits) -> None:
        memory = folders["memory"]
        (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
        with_swap = memory / "memory.memsw.limit_in_bytes"
        if with_swap.exists():
            with_swap.write_text(str(limits.memory_bytes))
        sockets = memory / "memory.kmem.tcp.limit_in_bytes"
        if sockets.exists():  # version 1 counts what sockets buffer apart
            sockets.write_text(str(limits.memory_bytes))
        (memory / "memory.swappiness").write_text("0")
        (folders["pids"] / "pids.max").write_text(str(limits.processes))
        (folders["cpu"] / "cpu.cfs_period_us").write_text(str(_CPU_PERIOD_US))
        (folders["cpu"] / "cpu.cfs_quota_us").write_text(str(int(limits.cpus * _CPU_PERIOD_US)))


def _v1_parents() -> _V1Cgroups | None:
    """Our own place in each version 1 hierarchy, from /proc/self/cgroup and the mount table."""
    mounts: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup":
            mounts |= dict.fromkeys(options.split(","), Path(left.split()[4]))
    parents = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for controller in names.split(","):
            if controller in _V1_CONTROLLERS and controller in mounts:
                parents[controller] = mounts[controller] / path.lstrip("/")
    return _V1Cgroups(parents) if set(_V1_CONTROLLERS) <= set(parents) else None


@dataclass(frozen=True)
class _V2Cgroup:
    folder: Path

    def add(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid))

    def usage(self) -> Usage:
        peak = self.folder / "memory.peak"  # since Linux 5.19
        return Usage(
            peak_memory_bytes=int(peak.read_text()) if peak.exists() else None,
            cpu_s=_fields(self.folder / "cpu.stat")["usage_usec"] / 1e6,
            oom_kills=self._events().get("oom_kill", 0) if self._events().get("oom") else 0,
        )

    def host_ran_out(self) -> bool:
        return self._events().get("oom_kill", 0) > 0 and not self._events().get("oom")

    def _events(self) -> dict[str, int]:
        return _fields(self.folder / "memory.events")

    def remove(self) -> None:
        _kill_and_remove((self.folder,))


@dataclass(frozen=True)
class _V2Cgroups:
    parent: Path
    version: int = 2

    @property
    def parents(self) -> tuple[Path, ...]:
        return (self.parent,)

    def create(self, name: str, limits: Limits) -> Cgroup:
        folder = self.parent / name
        group = _V2Cgroup(folder)
        try:
            folder.mkdir()
            (folder / "memory.max").write_text(str(limits.memory_bytes))
            swap = folder / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
            (folder / "pids.max").write_text(str(limits.processes))
            (folder / "cpu.max").write_text(f"{int(limits.cpus * _CPU_PERIOD_US)} {_CPU_PERIOD_US}")
        except OSError as error:
            group.remove()
            raise InfrastructureError(f"cgroup {name} could not be made: {error}") from error
        return group


_OURS = "assay"
_LEAF = "assay-self"


def _v2_parent() -> _V2Cgroups | None:
    """A version 2 group of ours that hands its controllers down, or None where there cannot be one.

    Root on a host makes one at the top. Anybody else needs a group that was delegated and holds nobody else's
    processes (`systemd-run --user --scope -p Delegate=yes`), and so does root in a container.
    """
    mount = _v2_mount()
    own = next(
        (line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line.startswith("0::")), None
    )
    if mount is None or own is None:
        return None
    point, root = mount
    try:
        if os.geteuid() == 0 and not (point / "cgroup.type").exists():  # only the real root group has no such file
            _hand_down(point)
            parent = point / _OURS
            parent.mkdir(exist_ok=True)
        else:
            parent = point / os.path.relpath(own, root)
            parent = parent.parent if parent.name == _LEAF else parent
            _move_aside(parent)
        _hand_down(parent)
    except (OSError, ValueError):
        return None
    return _V2Cgroups(parent)


def _v2_mount() -> tuple[Path, str] | None:
    """Where version 2 is mounted, and which of its groups is the root of that mount."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.startswith("cgroup2 "):
            return Path(left.split()[4]), left.split()[3]
    return None


def _hand_down(group: Path) -> None:
    """Let the group's children have the controllers. Raises OSError where that is not allowed."""
    if not set(_V2_CONTROLLERS) <= set((group / "cgroup.subtree_control").read_text().split()):
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _V2_CONTROLLERS))


def _move_aside(group: Path) -> None:
    """A group that hands controllers down holds no processes itself: move ours into a leaf, if all are ours.

    Raises ValueError when there are others: they are not ours to move.
    """
    pids = _pids(group)
    if not set(pids) <= _relatives():
        msg = f"{group} holds processes that are not ours"
        raise ValueError(msg)
    if pids:
        (group / _LEAF).mkdir(exist_ok=True)
        for pid in pids:
            (group / _LEAF / "cgroup.procs").write_text(str(pid))


def _relatives() -> set[int]:
    """This process, its ancestors that run as the same user, and everything below it."""
    parents, users = {}, {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            users[int(entry.name)] = entry.stat().st_uid
    related, pid = {os.getpid()}, os.getpid()
    while (pid := parents.get(pid, 0)) and users.get(pid) == os.getuid():
        related.add(pid)
    below = {os.getpid()}
    while below:
        below = {child for child, parent in parents.items() if parent in below}
        related |= below
    return related
