"""Version 1: one folder in each hierarchy."""

import contextlib
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
from runner.engines.cgroups.removal import kill_and_remove

_CLOSE_TO_LIMIT = 0.95
_MOST_SHARES = 262144
"""The most that cpu.shares takes; a process outside of any group weighs as much as 1,024 of them."""
_SOCKETS_BYTES = 16 * 1024 * 1024
"""What the TCP sockets of a sandbox may buffer. Version 1 counts it apart from the memory; we add it to the peak."""
_SOCKETS_PEAK = "memory.kmem.tcp.max_usage_in_bytes"
_NEEDED = ("memory", "pids", "cpu", "cpuacct", "freezer")
_CPUSET = "cpuset"
"""Only for sandboxes that get cores of their own: its folder must be told cores and memory nodes before any use."""


@dataclass(frozen=True)
class _V1Cgroup:
    """One folder in each version 1 hierarchy."""

    folders: dict[str, Path]

    def add(self, pid: int) -> None:
        for folder in set(self.folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    def usage(self) -> Usage:
        return Usage(
            peak_memory_bytes=self._peak(),
            cpu_s=int((self.folders["cpuacct"] / "cpuacct.usage").read_text()) / 1e9,
            oom_kills=self._kills() if self._hit_its_limit() else 0,
            throttled_s=flat_keyed(self.folders["cpu"] / "cpu.stat").get("throttled_time", 0) / 1e9,
        )

    def hold_sockets(self) -> None:
        limit = self.folders["memory"] / "memory.kmem.tcp.limit_in_bytes"
        if limit.exists():
            limit.write_text(str(_SOCKETS_BYTES))

    def let_die(self) -> None:
        with contextlib.suppress(OSError):
            (self.folders["cpu"] / "cpu.cfs_quota_us").write_text("-1")
        with contextlib.suppress(OSError):
            self.thaw()

    def freeze(self) -> None:
        state = self.folders["freezer"] / "freezer.state"
        state.write_text("FROZEN")
        await_frozen(lambda: state.read_text().strip() == "FROZEN")

    def thaw(self) -> None:
        (self.folders["freezer"] / "freezer.state").write_text("THAWED")

    @property
    def most_weight(self) -> int:
        return _MOST_SHARES

    def weights(self) -> tuple[Path, ...]:
        return tuple(folder / "cpu.shares" for folder in below(self.folders["cpu"], _folders_of("self")["cpu"]))

    def waited_s(self) -> float:
        return run_delay_s(self.folders["cpuacct"] / "tasks")

    def forget_peak(self) -> None:
        for peak in ("memory.max_usage_in_bytes", _SOCKETS_PEAK):
            with contextlib.suppress(OSError):
                (self.folders["memory"] / peak).write_text("0")

    def _peak(self) -> int:
        memory, sockets = (self.folders["memory"] / name for name in ("memory.max_usage_in_bytes", _SOCKETS_PEAK))
        return int(memory.read_text()) + (int(sockets.read_text()) if sockets.exists() else 0)

    def host_ran_out(self) -> bool:
        return self._kills() > 0 and not self._hit_its_limit()

    def held_to(self) -> tuple[int, int]:
        processes = (self.folders["pids"] / "pids.max").read_text().strip()
        memory = self.folders["memory"]
        with_swap = memory / "memory.memsw.limit_in_bytes"  # where there is no such file no swap is counted
        limit = int((with_swap if with_swap.exists() else memory / "memory.limit_in_bytes").read_text())
        return limit, int(processes) if processes.isdigit() else 1 << 62

    def _kills(self) -> int:
        return flat_keyed(self.folders["memory"] / "memory.oom_control").get("oom_kill", 0)

    def _hit_its_limit(self) -> bool:
        """By the peak, which comes close: where swap counts against the same limit, failcnt stays 0 (seen on 6.18)."""
        peak, limit = (
            int((self.folders["memory"] / f"memory.{name}_in_bytes").read_text()) for name in ("max_usage", "limit")
        )
        return peak > limit * _CLOSE_TO_LIMIT

    def remove(self) -> None:
        kill_and_remove(tuple(set(self.folders.values())))


@dataclass(frozen=True)
class V1Cgroups:
    """See `runner.engines.cgroups.protocol.Cgroups`."""

    by_controller: dict[str, Path]
    version: int = 1

    @property
    def parents(self) -> tuple[Path, ...]:
        return tuple(sorted(set(self.by_controller.values())))

    @property
    def has_cores(self) -> bool:
        return _CPUSET in self.by_controller

    @property
    def tells_peak(self) -> bool:
        return True

    @property
    def at_the_top(self) -> bool:
        return self.by_controller["cpu"].is_mount()

    def create(self, name: str, limits: Limits, cores: Sequence[int] = ()) -> Cgroup:
        if cores and not self.has_cores:
            raise InfrastructureError("this host has no cpuset controller: no sandbox can have cores of its own")
        wanted = (*_NEEDED, _CPUSET) if cores else _NEEDED
        folders = {controller: self.by_controller[controller] / name for controller in wanted}
        group = _V1Cgroup(folders)
        try:
            for folder in set(folders.values()):
                folder.mkdir()
            if cores:
                _give_cores(folders[_CPUSET], cores)
            _limit(folders, limits, quota=not cores)
            group.hold_sockets()
        except OSError as error:
            group.remove()
            raise InfrastructureError(f"cgroup {name} could not be made: {error}") from error
        return group


def _give_cores(folder: Path, cores: Sequence[int]) -> None:
    nodes = next(place for place in (folder.parent, *folder.parents) if (place / "cpuset.mems").read_text().strip())
    (folder / "cpuset.mems").write_text((nodes / "cpuset.mems").read_text().strip())
    (folder / "cpuset.cpus").write_text(listed(cores))


def _limit(folders: dict[str, Path], limits: Limits, *, quota: bool) -> None:
    memory = folders["memory"]
    (memory / "memory.limit_in_bytes").write_text(str(limits.memory_bytes))
    with_swap = memory / "memory.memsw.limit_in_bytes"
    if with_swap.exists():
        with_swap.write_text(str(limits.memory_bytes))
    (memory / "memory.swappiness").write_text("0")
    (folders["pids"] / "pids.max").write_text(str(limits.processes))
    (folders["cpu"] / "cpu.cfs_period_us").write_text(str(CPU_PERIOD_US))
    if quota:
        (folders["cpu"] / "cpu.cfs_quota_us").write_text(str(int(limits.cpus * CPU_PERIOD_US)))


def v1_groups() -> V1Cgroups | None:
    """Our own place in each version 1 hierarchy, from /proc/self/cgroup and the mount table."""
    folders = _folders_of("self")
    return V1Cgroups(folders) if set(_NEEDED) <= set(folders) else None


def v1_accounts_of(pid: int) -> Accounts | None:
    """The accounts of the group that a process is in, if this host keeps them by version 1."""
    folders = _folders_of(str(pid))
    return _V1Cgroup(folders) if set(_NEEDED) <= set(folders) else None


def _folders_of(process: str) -> dict[str, Path]:
    mounts: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ", 2)
        if kind == "cgroup":
            mounts |= dict.fromkeys(options.split(","), Path(left.split()[4]))
    folders = {}
    for line in Path("/proc", process, "cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        for controller in names.split(","):
            if controller in (*_NEEDED, _CPUSET) and controller in mounts:
                folders[controller] = mounts[controller] / path.lstrip("/")
    return folders
