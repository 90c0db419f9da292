"""What is right and wrong with this machine for grading, each with what was seen and the command that mends it."""

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assessments.errors import AssayError
from assessments.scorecard import EngineRef
from runner.bench import Bench, open_bench
from runner.doctor.probes import Probed, probe
from runner.engines.cgroups import find_cgroups
from runner.engines.rootfs import Say
from runner.host import this_host

_MIN_FREE_BYTES = 2 * 1024**3


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
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


def examine(state: Path, say: Say) -> tuple[Finding, ...]:
    """Look at the host, then try a real sandbox. Never raises for what it finds."""
    findings = [*_host(state)]
    try:
        with open_bench(state, say) as bench:
            findings += _engine(bench)
    except AssayError as error:
        findings += [Finding("sandbox", Level.BROKEN, problem, _sandbox_fix()) for problem in error.problems]
    return tuple(findings)


def _host(state: Path) -> Iterator[Finding]:
    host = this_host()
    yield Finding("system", Level.OK, f"{host.system}, kernel {host.kernel}, {host.machine}")
    yield Finding("python", Level.OK, f"{platform.python_version()} at {sys.executable}")
    yield Finding("cores", Level.OK, f"{host.cores}, {host.memory_bytes >> 20} MB of memory")
    existing = next(folder for folder in (state, *state.parents) if folder.is_dir())
    free = shutil.disk_usage(existing).free
    low = free < _MIN_FREE_BYTES
    fix = f"free some space, or name another state folder with ASSAY_STATE (now {state})" if low else ""
    yield Finding("disk", Level.BROKEN if low else Level.OK, f"{free >> 20} MB free for {state}", fix)
    git = shutil.which("git")
    yield Finding("git", Level.OK, git or "none: --rev needs it", "" if git else "apt-get install git")
    yield _cgroup()


def _cgroup() -> Finding:
    cgroups = find_cgroups()
    if cgroups:
        return Finding("cgroups", Level.OK, f"version {cgroups.version}")
    fix = "grade as root, or inside: systemd-run --user --scope -p Delegate=yes assay ..."
    return Finding("cgroups", Level.LIMITED, "none can be made: no cap on a whole sandbox's memory or CPU", fix)


def _engine(bench: Bench) -> Iterator[Finding]:
    engine = bench.engine.describe(unenforced_allowed=True)
    yield Finding("engine", Level.OK, f"{engine.name} {engine.version}")
    probed = {one.control: one for one in probe(bench.engine)}
    for control in engine.controls:
        yield _control(engine, control.name, probed.get(control.name))


def _control(engine: EngineRef, name: str, probed: Probed | None) -> Finding:
    control = next(control for control in engine.controls if control.name == name)
    tried = f"; tried: {probed.seen}" if probed else "; not tried"
    if not control.enforced:
        return Finding(name, Level.LIMITED, control.how + tried, "grade as root, or pass --allow-unenforced")
    if probed and not probed.held:
        return Finding(name, Level.BROKEN, f"{control.how}, but it did not hold{tried}", "do not grade on this host")
    return Finding(name, Level.OK, control.how + tried)


def _sandbox_fix() -> str:
    """The likeliest cure for a host on which no sandbox starts."""
    apparmor = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if apparmor.is_file() and apparmor.read_text().strip() == "1" and os.geteuid() != 0:
        return "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or grade as root"
    clone = Path("/proc/sys/kernel/unprivileged_userns_clone")
    if clone.is_file() and clone.read_text().strip() == "0":
        return "sysctl -w kernel.unprivileged_userns_clone=1"
    maximum = Path("/proc/sys/user/max_user_namespaces")
    if maximum.is_file() and maximum.read_text().strip() == "0":
        return "sysctl -w user.max_user_namespaces=10000"
    return "user namespaces must be allowed; in a container, run it with --security-opt seccomp=unconfined"
