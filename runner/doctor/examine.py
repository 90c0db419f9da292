"""What is right and wrong with this machine for grading, each with what was seen and the command that mends it.

The host is looked at, then every engine is tried with real sandboxes. Only the host's findings, and those of the
engine that a graded run would use, decide whether one may start here.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assessments.errors import AssayError
from runner.bench import Bench, open_bench
from runner.doctor.host import Finding, Level, look_at_host
from runner.doctor.probes import Probed, probe
from runner.engines.choose import EngineName, Wish, choose
from runner.engines.docker.endpoint import endpoints
from runner.engines.rootfs import Say

_TRIED = (EngineName.DOCKER, EngineName.BUBBLEWRAP)


class Verdict(StrEnum):
    """What a graded run would meet here."""

    READY = "ready"
    REFUSED = "refused"
    """A control is missing: only --allow-unenforced goes on."""
    IMPOSSIBLE = "impossible"


@dataclass(frozen=True, slots=True)
class Examination:
    """Everything that was found; `engine` is the one that a graded run would use, if it could start."""

    findings: tuple[Finding, ...]
    engine: str | None
    why: str

    @property
    def verdict(self) -> Verdict:
        counted = {finding.level for finding in self.findings if finding.engine in ("", self.engine)}
        if self.engine is None or Level.BROKEN in counted:
            return Verdict.IMPOSSIBLE
        return Verdict.REFUSED if Level.LIMITED in counted else Verdict.READY


def examine(state: Path, say: Say, wanted: Wish) -> Examination:
    """Look at the host, then try a real sandbox of every engine. Never raises for what it finds."""
    findings = [*look_at_host(state)]
    engine, why = _chosen(wanted)
    for name in _TRIED:
        if name is EngineName.DOCKER and engine is not name and not any(endpoints(os.environ)):
            findings.append(Finding("engine", Level.NOTE, "no Docker engine was found", engine=name))
            continue
        runtime = wanted.runtime if name is EngineName.DOCKER else None
        answers = False
        try:
            with open_bench(state, say, Wish(name, runtime)) as bench:
                answers = True
                findings += _engine(name, bench)
        except AssayError as error:
            fix = _docker_fix(answers=answers) if name is EngineName.DOCKER else _bubblewrap_fix()
            findings += [Finding("engine", Level.BROKEN, problem, fix, name) for problem in error.problems]
    return Examination(tuple(findings), engine, why)


def _chosen(wanted: Wish) -> tuple[EngineName | None, str]:
    try:
        chosen = choose(wanted)
    except AssayError as error:
        return None, "; ".join(error.problems)
    if chosen.daemon:
        chosen.daemon.close()
    return (EngineName.DOCKER if chosen.daemon else EngineName.BUBBLEWRAP), chosen.why


def _engine(name: EngineName, bench: Bench) -> Iterator[Finding]:
    bench.engine.prepare(None)
    told = bench.engine.describe(unenforced_allowed=True)
    yield Finding("engine", Level.OK, f"{told.name} {told.version}", engine=name)
    if name is EngineName.DOCKER:
        yield _images(bench)
    probed = {one.control: one for one in probe(bench.engine)}
    for control in told.controls:
        how, tried = control.how, probed.get(control.name)
        seen = f"{how}; tried: {tried.seen}" if tried else f"{how}; not tried"
        if not control.enforced:
            fix = "grade as root or in a delegated cgroup, or pass --allow-unenforced"
            yield Finding(control.name, Level.LIMITED, seen, fix, name)
        elif tried and not tried.held:
            yield Finding(control.name, Level.BROKEN, _did_not_hold(how, tried), "do not grade on this host", name)
        else:
            yield Finding(control.name, Level.OK, seen, engine=name)


def _did_not_hold(how: str, tried: Probed) -> str:
    return f"{how}, but it did not hold; tried: {tried.seen}"


def _images(bench: Bench) -> Finding:
    from runner.engines.docker.engine import DockerEngine  # slow to import, and loaded by now
    from runner.engines.docker.images import images_in

    if not isinstance(bench.engine, DockerEngine):
        raise TypeError(f"{bench.engine} has no images")
    found = images_in(bench.engine.daemon)
    size = sum(image.size_bytes for image in found) >> 20
    return Finding("images", Level.OK, f"{len(found)} of Assay's, {size} MB at most", engine=EngineName.DOCKER)


def _docker_fix(*, answers: bool) -> str:
    if os.geteuid() != 0:
        return "grade as root, or use a rootless engine; or leave it to bubblewrap with --engine bubblewrap"
    if answers:
        return "mend that engine, so that it runs any container; or leave it to bubblewrap with --engine bubblewrap"
    return "systemctl start docker, or name a running engine's socket with DOCKER_HOST"


def _bubblewrap_fix() -> str:
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
