"""Version 2: one folder in the unified hierarchy, which root makes at the top and anybody else needs delegated."""

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from assessments.observation import Usage
from runner.engines.cgroups.protocol import (
    CPU_PERIOD_US,
    Accounts,
    Cgroup,
    await_frozen,
    below,
    flat_keyed,
    listed,
    run_delay_s,
)
from runner.engines.cgroups.removal import kill_and_remove, pids_in

_NEEDED = ("memory", "pids", "cpu")
_CPUSET = "cpuset"
_PEAK = "memory.peak"
"""Since Linux 5.19."""
_MOST_WEIGHT = 10000
"""The most that cpu.weight takes; a group that nobody preferred has 100."""


@dataclass(frozen=True)
class _V2Cgroup:
    folder: Path

    def add(self, pid: int) -> None:
        (self.folder / "cgroup.procs").write_text(str(pid))

    def usage(self) -> Usage:
        peak = self.folder / _PEAK
        cpu = flat_keyed(self.folder / "cpu.stat")
        return Usage(
            peak_memory_bytes=int(peak.read_text()) if peak.exists() else None,
            cpu_s=cpu["usage_usec"] / 1e6,
            oom_kills=self._events().get("oom_kill", 0) if self._events().get("oom") else 0,
            throttled_s=cpu.get("throttled_usec", 0) / 1e6,
        )

    def hold_sockets(self) -> None:
        """Nothing: it is part of the memory."""

    def let_die(self) -> None:
        with contextlib.suppress(OSError):
            (self.folder / "cpu.max").write_text("max")
        with contextlib.suppress(OSError):
            self.thaw()

    def freeze(self) -> None:
        (self.folder / "cgroup.freeze").write_text("1")
        await_frozen(lambda: flat_keyed(self.folder / "cgroup.events").get("frozen") == 1)

    def thaw(self) -> None:
        (self.folder / "cgroup.freeze").write_text("0")

    @property
    def most_weight(self) -> int:
        return _MOST_WEIGHT

    def weights(self) -> tuple[Path, ...]:
        return tuple(folder / "cpu.weight" for folder in below(self.folder, _own_folder()))

    def waited_s(self) -> float:
        return run_delay_s(self.folder / "cgroup.threads")

    def forget_peak(self) -> None:
        """Nothing: this kernel forgets it only for the descriptor that asked."""

    def host_ran_out(self) -> bool:
        return self._events().get("oom_kill", 0) > 0 and not self._events().get("oom")

    def held_to(self) -> tuple[int, int]:
        memory, swap, processes = (self._limit(name) for name in ("memory.max", "memory.swap.max", "pids.max"))
        return memory + swap, processes

    def _limit(self, name: str) -> int:
        """0 for what this kernel does not have at all, such as swap."""
        file = self.folder / name
        text = file.read_text().strip() if file.exists() else "0"
        return int(text) if text.isdigit() else 1 << 62

    def _events(self) -> dict[str, int]:
        return flat_keyed(self.folder / "memory.events")

    def remove(self) -> None:
        kill_and_remove((self.folder,))


@dataclass(frozen=True)
class V2Cgroups:
    """See `runner.engines.cgroups.protocol.Cgroups`."""

    parent: Path
    version: int = 2

    @property
    def parents(self) -> tuple[Path, ...]:
        return (self.parent,)

    @property
    def has_cores(self) -> bool:
        return _CPUSET in (self.parent / "cgroup.subtree_control").read_text().split()

    @property
    def tells_peak(self) -> bool:
        return (self.parent / _PEAK).exists()

    @property
    def at_the_top(self) -> bool:
        return self.parent.name == _OURS and self.parent.parent.is_mount()

    def create(self, name: str, limits: Limits, cores: Sequence[int] = ()) -> Cgroup:
        if cores and not self.has_cores:
            raise InfrastructureError("the cpuset controller was not delegated: no sandbox can have cores of its own")
        folder = self.parent / name
        group = _V2Cgroup(folder)
        try:
            folder.mkdir()
            (folder / "memory.max").write_text(str(limits.memory_bytes))
            swap = folder / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
            (folder / "pids.max").write_text(str(limits.processes))
            if cores:
                (folder / "cpuset.cpus").write_text(listed(cores))
            else:
                (folder / "cpu.max").write_text(f"{int(limits.cpus * CPU_PERIOD_US)} {CPU_PERIOD_US}")
        except OSError as error:
            group.remove()
            raise InfrastructureError(f"cgroup {name} could not be made: {error}") from error
        return group


_OURS = "assay"
_LEAF = "assay-self"


def v2_groups() -> V2Cgroups | None:
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
    return V2Cgroups(parent)


def v2_accounts_of(pid: int) -> Accounts | None:
    """The accounts of the group that a process is in, if this host keeps them by version 2."""
    mount = _v2_mount()
    lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if mount is None or own is None:
        return None
    point, root = mount
    folder = point / os.path.relpath(own, root)
    return _V2Cgroup(folder) if (folder / "memory.max").exists() else None


def _v2_mount() -> tuple[Path, str] | None:
    """Where version 2 is mounted, and which of its groups is the root of that mount."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        if right.startswith("cgroup2 "):
            return Path(left.split()[4]), left.split()[3]
    return None


def _own_folder() -> Path:
    """The group this process is in; the top of the hierarchy where that cannot be told."""
    mount = _v2_mount()
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if mount is None or own is None:
        return Path("/sys/fs/cgroup")
    point, root = mount
    return point / os.path.relpath(own, root)


def _hand_down(group: Path) -> None:
    """Let the group's children have the controllers. Raises OSError where that is not allowed."""
    if not set(_NEEDED) <= set((group / "cgroup.subtree_control").read_text().split()):
        (group / "cgroup.subtree_control").write_text(" ".join(f"+{name}" for name in _NEEDED))
    with contextlib.suppress(OSError):  # where there is none, asking for cores of one's own says so
        (group / "cgroup.subtree_control").write_text(f"+{_CPUSET}")


def _move_aside(group: Path) -> None:
    """A group that hands controllers down holds no processes itself: move ours into a leaf, if all are ours.

    Raises ValueError when there are others: they are not ours to move.
    """
    pids = pids_in(group)
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
