"""A runner that is killed with SIGKILL leaves sandboxes behind; the next one finds and removes them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from runner.bench import open_bench
from runner.engines.cgroups import find_cgroups
from runner.engines.runs import open_run, sweep

VICTIM = """
import sys
from pathlib import Path
from assessments.challenge import Limits
from runner.bench import open_bench
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
    victim = subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(built_state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
        sweep(built_state, find_cgroups())
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
