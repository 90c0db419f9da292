"""The host itself: what it is, what is short, and what its kernel has, each looked up and not assumed."""

import ctypes
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from runner.engines.cgroups import Cgroups, find_cgroups
from runner.host import this_host

_MIN_FREE_BYTES = 2 * 1024**3
_MIN_FREE_MEMORY_BYTES = 1024**3


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing, and nothing that keeps a graded run from starting."""
    LIMITED = "limited"
    """Works, but a graded run must be told to go on without it."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `fix` is a command or an instruction; empty when nothing is wrong."""

    topic: str
    level: Level
    seen: str
    fix: str = ""
    engine: str = ""
    """The engine it is about; empty for the host."""


def look_at_host(state: Path) -> Iterator[Finding]:
    """Everything that does not depend on an engine."""
    host = this_host()
    yield Finding("system", Level.OK, f"{host.system}, kernel {host.kernel}, {host.machine}")
    yield Finding("python", Level.OK, f"{platform.python_version()} at {sys.executable}")
    fix = "grade with --lanes 1: gradings that share one core disturb each other" if host.cores < 2 else ""
    yield Finding("cores", Level.NOTE if fix else Level.OK, f"{host.cores}", fix)
    yield _memory(host.memory_bytes)
    yield _disk(state)
    yield _clock()
    yield _cgroup()
    yield _seccomp()
    yield _user_namespaces()
    git = shutil.which("git")
    yield Finding("git", Level.OK if git else Level.NOTE, git or "none: --rev needs it", "" if git else "install git")


def _memory(total_bytes: int) -> Finding:
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    free = next((int(words[1]) * 1024 for words in lines if words[0] == "MemAvailable:"), 0)
    low = free < _MIN_FREE_MEMORY_BYTES
    fix = "end other programs, or grade with --lanes 1" if low else ""
    seen = f"{free >> 20} MB of {total_bytes >> 20} MB can be had"
    return Finding("memory-of-host", Level.NOTE if low else Level.OK, seen, fix)


def _disk(state: Path) -> Finding:
    existing = next(folder for folder in (state, *state.parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    low = free < _MIN_FREE_BYTES
    fix = f"free some space, or name another state folder with ASSAY_STATE (now {state})" if low else ""
    return Finding("disk", Level.BROKEN if low else Level.OK, f"{free >> 20} MB free for {state}", fix)


_TIMEX_BYTES = 256
_NOT_SYNCHRONISED = 5


def _clock() -> Finding:
    """Whether the kernel takes its clock for right (adjtimex(2), which only reads with no mode set)."""
    code = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    if code == _NOT_SYNCHRONISED:
        fix = "timedatectl set-ntp true, if this host has no other source of time"
        return Finding("clock", Level.NOTE, "nothing on this host keeps it right: dates of scorecards may be off", fix)
    return Finding("clock", Level.OK, "kept right by this host" if code >= 0 else "it may not be looked at")


def _cgroup() -> Finding:
    cgroups = find_cgroups()
    if cgroups:
        return what_groups_tell(cgroups)
    unified = "version 2" if Path("/sys/fs/cgroup/cgroup.controllers").exists() else "version 1 or none"
    fix = "grade as root, or inside: systemd-run --user --scope -p Delegate=yes assay ..."
    return Finding("cgroups", Level.NOTE, f"{unified}; no group can be made by this process", fix)


def what_groups_tell(cgroups: Cgroups) -> Finding:
    """Whether groups that can be made tell all that is graded."""
    made = f"version {cgroups.version}; groups can be made"
    if cgroups.tells_peak:
        return Finding("cgroups", Level.OK, made)
    untold = "this kernel does not tell their peak of memory: budgets and checks on it stay undecided"
    return Finding("cgroups", Level.NOTE, f"{made}, but {untold}", "Linux 5.19 or later, or control groups version 1")


def _seccomp() -> Finding:
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    if actions.is_file() and {"kill_process", "errno"} <= set(actions.read_text().split()):
        return Finding("seccomp", Level.OK, "the kernel filters system calls")
    return Finding(
        "seccomp", Level.BROKEN, "the kernel filters no system calls", "use a kernel with CONFIG_SECCOMP_FILTER"
    )


def _user_namespaces() -> Finding:
    """Bubblewrap needs them; a Docker engine run by root does not."""
    maximum = Path("/proc/sys/user/max_user_namespaces")
    allowed = maximum.is_file() and maximum.read_text().strip() != "0"
    who = "root" if os.geteuid() == 0 else "this user"
    if allowed:
        return Finding("user-namespaces", Level.OK, f"up to {maximum.read_text().strip()} for {who}")
    return Finding("user-namespaces", Level.NOTE, "none are allowed", "sysctl -w user.max_user_namespaces=10000")
