"""A runner that is killed with SIGKILL leaves sandboxes behind; the next one finds and removes them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.bench import open_bench
from runner.engines.cgroups import find_cgroups
from runner.engines.runs import open_run
from runner.engines.sweep import sweep

VICTIM = """
import os, sys
from pathlib import Path
for group in sys.argv[2:]:
    Path(group, "cgroup.procs").write_text(str(os.getpid()))
from assessments.challenge import Limits
import pytest

from runner.bench import open_bench
from runner.engines.cgroups import find_cgroups
from runner.engines.protocol import SandboxSpec
limits = Limits(64 << 20, 16, 1.0, 1 << 20, 1 << 20, 64, 5.0)
with open_bench(Path(sys.argv[1]), lambda line: None) as bench:
    # Each box ignores the death of its monitor as far as it can.
    code = "import os, time\\nos.setsid() if os.fork() == 0 else None\\ntime.sleep(3600)"
    spec = SandboxSpec("x", ("/opt/python/bin/python", "-c", code), "/", (), limits)
    boxes = [bench.engine.start(spec) for _ in range(4)]
    print(bench.run.id, flush=True)
    sys.stdin.read()
"""


def test_nothing_is_left_of_a_killed_runner_after_the_next_start(built_state: Path) -> None:
    kill_a_runner(built_state)


@pytest.mark.usefixtures("needs_cgroups")
def test_nothing_is_left_of_a_runner_that_stood_in_other_cgroups_than_the_next(built_state: Path) -> None:
    cgroups = find_cgroups()
    assert cgroups is not None
    if cgroups.version == 2:
        pytest.skip("in version 2 a group that hands controllers down holds no process, so none can be put beside it")
    elsewhere = [parent / f"elsewhere-{os.getpid()}" for parent in cgroups.parents]
    for group in elsewhere:
        group.mkdir()
    try:
        kill_a_runner(built_state, *elsewhere)
    finally:
        for group in elsewhere:
            remove_when_empty(group)


def remove_when_empty(group: Path) -> None:
    """The killed runner's nursery was in it too, and ends as soon as it reads that its runner has."""
    deadline = time.monotonic() + 5
    while (group / "cgroup.procs").read_text():
        assert time.monotonic() < deadline, f"{group} did not empty"
        time.sleep(0.01)
    group.rmdir()


def kill_a_runner(built_state: Path, *groups: Path) -> None:
    """Start a runner with sandboxes, in these cgroups if any, kill it, and see that the next start leaves nothing."""
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(built_state), *map(str, groups)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert victim.stdout is not None
    run_id = victim.stdout.readline().strip()
    assert run_id, "the victim did not get as far as starting its sandboxes"
    victim.send_signal(signal.SIGKILL)
    victim.communicate()
    with open_bench(built_state, print):
        pass
    assert _left_of(run_id) == [], "processes were left"
    assert not (built_state / "runs" / run_id).exists()
    assert not list(Path("/sys/fs/cgroup").glob(f"**/assay-{run_id}-*")), "cgroups were left"


def test_a_sweep_leaves_living_runs_alone(built_state: Path) -> None:
    with open_run(built_state) as run:
        sweep(built_state)
        assert run.folder.is_dir()
    assert not run.folder.exists()


def _left_of(run_id: str) -> list[bytes]:
    """Processes with the run's marker; a killed one may take a moment to be reaped by whoever adopted it."""
    deadline = time.monotonic() + 5
    while True:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if f"assay:{run_id}:".encode() in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                    found.append((entry / "cmdline").read_bytes())
            except OSError:
                continue
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.01)
