"""Kills runners at random moments, and looks whether the next start finds everything they left.

    python benchmarks/chaos.py [--kills N] [--seed S] [--engine NAME]

A runner grades small submissions, jobs and services, four at a time, for ever. It is killed with SIGKILL at a moment
between its first instruction and its sixth grading or so; then the next runner starts, and within five seconds nothing
of the dead one may be left: no process, no control group, no container, no folder, no mount, no lent user. The kills
are split over the engines; one that is not there is named and left out. Exits with 1 if anything was left.

This process adopts the orphans of the runners it kills. So it need not guess whose a process is: each of its
descendants that was not there before is a dead runner's. What is left aside: a run that was killed in the moment
before its folder got its name holds nothing yet, and its folder is swept a minute later.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from assessments.errors import InfrastructureError
from assessments.manifest import read_challenge
from runner.bench import Bench, open_bench
from runner.engines.choose import EngineName, Wish, choose
from runner.engines.docker.daemon import Daemon
from runner.engines.docker.engine import state_id
from runner.grade import Order, grade
from runner.lanes import run_lanes

SAMPLES = Path(__file__).resolve().parents[1] / "tests/sample_challenges"
CLEAN_WITHIN_S = 5.0
_CHALLENGES = ("add-numbers", "echo-service")
_LANES = 4
_GRADINGS = 6
"""The last kills hit a runner that has graded about so many."""
_WARM_UP_S = 120.0
_SET_CHILD_SUBREAPER = 36

Leftovers = dict[str, list[str]]
"""What is there and should not be, by its kind."""


@dataclass(frozen=True, slots=True)
class Kill:
    """One runner's death and what came of it."""

    moment_s: float
    """After the start of its process."""
    gradings: int
    """How many it had done."""
    left: Leftovers
    left_after: Leftovers
    clean_s: float
    """From the beginning of the next start until nothing was left."""
    said: list[str]
    """What the next start had to say."""


@dataclass
class Watch:
    """Looks for what runs of one state folder have left, or have while they live."""

    state: Path
    daemon: Daemon | None
    _runs: set[str] = field(default_factory=set)
    _containers: set[str] = field(default_factory=set)
    _before: frozenset[int] = field(default_factory=lambda: frozenset(_descendants()))

    def leftovers(self) -> Leftovers:
        folders = [path.name for path in (self.state / "runs").glob("*") if not path.name.startswith(".")]
        self._runs.update(folders)
        containers = self._living_containers()
        self._containers.update(containers)
        marks = [*(f"assay:{run}:" for run in self._runs), *self._containers]
        groups = [*(f"assay-{run}-" for run in self._runs), *self._containers]
        found = {
            "processes": sorted({*_orphans(self._before), *_processes_with(marks)}),
            "cgroups": _groups_with(groups),
            "containers": containers,
            "folders": folders,
            "mounts": [line for line in Path("/proc/self/mounts").read_text().splitlines() if f" {self.state}" in line],
            "lent users": _lent_users(self.state),
        }
        return {kind: names for kind, names in found.items() if names}

    def until_clean(self, deadline: float, a_living_run_has: Collection[str] = ()) -> Leftovers:
        """What is still left at the deadline (CLOCK_MONOTONIC), but for these kinds; nothing as soon as nothing is."""
        while True:
            left = {kind: names for kind, names in self.leftovers().items() if kind not in a_living_run_has}
            if not left or time.monotonic() > deadline:
                return left
            time.sleep(0.01)

    def end_orphans(self) -> None:
        """Kill what dead runners have left below this process, so that no failure outlives the look for it."""
        for pid in set(_descendants()) - self._before:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _living_containers(self) -> list[str]:
        if self.daemon is None:
            return []
        return [container for container, _ in self.daemon.containers([f"assay.state={state_id(self.state)}"])]


def _descendants() -> Iterator[int]:
    """Every process below this one, dead ones that nobody has waited for too."""
    waiting = [str(os.getpid())]
    while waiting:
        folder = Path("/proc", waiting.pop(), "task")
        tasks: list[str] = []
        with contextlib.suppress(OSError):  # it may end while it is looked at
            tasks = os.listdir(folder)  # noqa: PTH208
        for task in tasks:
            with contextlib.suppress(OSError):
                for child in (folder / task / "children").read_text().split():
                    yield int(child)
                    waiting.append(child)


def _orphans(before: frozenset[int]) -> list[str]:
    """The living ones among those that were not there before."""
    found = []
    for pid in set(_descendants()) - before:
        with contextlib.suppress(ChildProcessError):  # a child's child, which is not ours to reap
            if os.waitpid(pid, os.WNOHANG) != (0, 0):
                continue
        line = _command_line(str(pid))
        if any(part in line for part in _PARTS_OF_OURS):  # whoever calls this may have started other programs meanwhile
            found.append(f"{pid} {line}")
    return found


_PARTS_OF_OURS = ("runner.", "bwrap", "assay:", "chaos.py")


def _processes_with(marks: list[str]) -> list[str]:
    """Processes that are not below this one, such as a container's, by what is on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        line = _command_line(entry.name)
        if any(mark in line for mark in marks) and int(entry.name) != os.getpid():
            found.append(f"{entry.name} {line}")
    return found


def _command_line(pid: str) -> str:
    try:
        return Path("/proc", pid, "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:4000]
    except OSError:
        return ""


def _groups_with(marks: list[str]) -> list[str]:
    """By name: version 1 has a folder of it in each hierarchy."""
    names = {name for _, folders, _ in os.walk("/sys/fs/cgroup") for name in folders}
    return sorted(name for name in names if any(mark in name for mark in marks))


def _lent_users(state: Path) -> list[str]:
    lent = []
    for path in (state / "box-users").glob("*"):
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lent.append(path.name)
    return lent


@contextlib.contextmanager
def adopting_orphans() -> Iterator[None]:
    """Processes below this one whose parent dies become its children, not those of process 1."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "this kernel lets no process adopt orphans")
    try:
        yield
    finally:
        libc.prctl(_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@contextlib.contextmanager
def watching(state: Path, engine: EngineName) -> Iterator[Watch]:
    """Raises InfrastructureError where the engine is not there."""
    with contextlib.ExitStack() as held:
        held.enter_context(adopting_orphans())
        daemon = choose(Wish(engine)).daemon
        if daemon is not None:
            held.callback(daemon.close)
        watch = Watch(state, daemon)
        held.callback(watch.end_orphans)
        yield watch


def kill_runners(state: Path, engine: EngineName, kills: int, seed: int, done: Callable[[Kill], None]) -> list[Kill]:
    """Kill so many, one after the other. Raises InfrastructureError where the engine is not there."""
    with watching(state, engine) as watch:
        for _ in range(2):  # the first one builds what stays for the others
            span_s = _kill_at_last(watch, engine)
        chance = random.Random(seed)
        moments = [(number + chance.random()) / kills * span_s for number in range(kills)]
        chance.shuffle(moments)
        results = []
        for moment_s in moments:
            results.append(_kill(watch, engine, moment_s))
            done(results[-1])
    return results


def _kill_at_last(watch: Watch, engine: EngineName) -> float:
    """Kill a runner when it has done enough; how many seconds after its start that was."""
    started = time.monotonic()
    with _runner(watch.state, engine) as (victim, graded):
        while graded() < _GRADINGS:
            if time.monotonic() - started > _WARM_UP_S:
                raise RuntimeError(f"a runner did not grade {_GRADINGS} submissions in {_WARM_UP_S:.0f} s")
            _require_alive(victim, watch.state)
            time.sleep(0.01)
        seconds = time.monotonic() - started
        victim.kill()
        victim.wait()
    _next_start(watch, engine)
    return seconds


def _kill(watch: Watch, engine: EngineName, moment_s: float) -> Kill:
    with _runner(watch.state, engine) as (victim, graded):
        time.sleep(moment_s)
        _require_alive(victim, watch.state)
        victim.kill()
        victim.wait()
        gradings = graded()
    left = watch.leftovers()
    began, said = time.monotonic(), _next_start(watch, engine)
    left_after = watch.until_clean(began + CLEAN_WITHIN_S)
    return Kill(moment_s, gradings, left, left_after, time.monotonic() - began, said)


def _next_start(watch: Watch, engine: EngineName) -> list[str]:
    said: list[str] = []
    with open_bench(watch.state, said.append, Wish(engine)):
        return said


@contextlib.contextmanager
def _runner(state: Path, engine: EngineName) -> Iterator[tuple["subprocess.Popen[bytes]", Callable[[], int]]]:
    """A runner's process, and how many gradings it has done. It is dead when the block is left."""
    gradings = state / "gradings"
    with gradings.open("wb") as out, (state / "log").open("wb") as log:
        victim = subprocess.Popen(
            [sys.executable, __file__, "--victim", state, "--engine", engine],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=log,
        )
        try:
            yield victim, lambda: gradings.stat().st_size
        finally:
            victim.kill()
            victim.wait()


def _require_alive(victim: "subprocess.Popen[bytes]", state: Path) -> None:
    if victim.poll() is not None:
        said = (state / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"a runner ended before it was killed, with {victim.returncode}: {said}")


def grade_for_ever(state: Path, engine: EngineName) -> None:
    """What the victims do. One byte of output for each grading."""

    def lane(challenge_name: str, bench: Bench) -> None:
        challenge = read_challenge(SAMPLES / challenge_name)
        submission = challenge.folder / "solutions/accepted/reference"
        while True:
            grade(Order(submission, "reference", unenforced_allowed=True), challenge, bench)
            os.write(1, b".")

    with open_bench(state, _in_silence, Wish(engine)) as bench:
        run_lanes(lambda name: lane(name, bench), _CHALLENGES * (_LANES // len(_CHALLENGES)), bench, _LANES)


def _in_silence(_line: str) -> None:
    pass


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200, help="all in all")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--engine", type=EngineName, choices=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
    parser.add_argument("--victim", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.victim:
        grade_for_ever(asked.victim, asked.engine)
    engines = [asked.engine] if asked.engine else [EngineName.BUBBLEWRAP, EngineName.DOCKER]
    results = {}
    print(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="assay-chaos-", dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        for engine in engines:
            try:
                results[engine] = kill_runners(Path(folder), engine, asked.kills // len(engines), asked.seed, _tell)
            except InfrastructureError as error:
                print(f"{engine}: left out: {error}")
    _print(results)
    return 1 if not results or any(kill.left_after for kills in results.values() for kill in kills) else 0


def _tell(kill: Kill) -> None:
    left = ", ".join(f"{len(names)} {kind}" for kind, names in kill.left.items()) or "nothing"
    when = f"killed at {kill.moment_s:.2f} s after {kill.gradings} gradings"
    print(f"{when}: left {left}; clean in {kill.clean_s:.2f} s", file=sys.stderr)
    for kind, names in kill.left_after.items():
        print(f"LEFT AFTER THE NEXT START: {kind}: {names}; it said: {kill.said}", file=sys.stderr)


def _print(results: dict[EngineName, list[Kill]]) -> None:
    header = f"{'':12} {'kills':>5} {'gradings done':>14} {'left something':>15} {'left after':>11}"
    print(f"{header} {'clean in s: median':>19} {'max':>6}")
    for engine, kills in results.items():
        most = max(kill.gradings for kill in kills)
        dirty, broken = sum(bool(kill.left) for kill in kills), sum(bool(kill.left_after) for kill in kills)
        seconds = [kill.clean_s for kill in kills]
        row = f"{engine:12} {len(kills):5} {f'0 to {most}':>14} {dirty:15} {broken:11}"
        print(f"{row} {statistics.median(seconds):19.3f} {max(seconds):6.3f}")
    for engine, kills in results.items():
        for when, found in (("before the next start", "left"), ("after it", "left_after")):
            counts = Counter(dict.fromkeys(("processes", "cgroups", "containers"), 0))
            for kill in kills:
                counts.update({kind: len(names) for kind, names in getattr(kill, found).items()})
            print(f"{engine}, {when}: {', '.join(f'{number} {kind}' for kind, number in counts.items())}")


if __name__ == "__main__":
    sys.exit(main())
