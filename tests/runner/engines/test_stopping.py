"""Where no cgroup can be made, SIGSTOP freezes a box: whole, whatever runs in it, and it can be killed all the same."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from runner.bench import Bench
from runner.engines.bubblewrap import stopping
from runner.engines.bubblewrap.engine import BubblewrapEngine
from runner.engines.protocol import Sandbox, SandboxSpec

MB = 1024 * 1024
PATIENCE_S = 20.0

BUSY = """
import os, threading
def work():
    while True: os.write(1, b"x")
threading.Thread(target=work).start()
work()
"""
FORKING = """
import os, time
def beat():
    while True:
        if os.fork() == 0:
            os.write(1, b"x")
            time.sleep(0.005)
        else:
            os._exit(0)
for _ in range(4):
    if os.fork() == 0:
        beat()
time.sleep(3600)
"""
# Sessions of their own, children of process 1, deaf to what can be ignored, and each would wake the others.
WAKING = """
import os, signal, time
for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
    try: signal.signal(number, signal.SIG_IGN)
    except OSError: pass
def wake():
    os.setsid()
    while True:
        os.write(1, b"x")
        time.sleep(0.001)
        try: os.kill(-1, signal.SIGCONT)
        except OSError: pass
for _ in range(3):
    if os.fork() == 0:
        if os.fork() == 0: wake()
        os._exit(0)
wake()
"""


@pytest.fixture
def start(bench: Bench) -> Iterator[Callable[[str], Sandbox]]:
    """Starts Python code in a box, on an engine that finds no cgroup."""
    engine = without_cgroups(bench)
    limits = Limits(
        memory_bytes=64 * MB,
        processes=32,
        cpus=1.0,
        scratch_bytes=4 * MB,
        output_bytes=512 * MB,
        open_files=64,
        job_s=60.0,
    )

    def begin(code: str) -> Sandbox:
        command = ("/opt/python/bin/python", "-c", code)
        return engine.start(SandboxSpec("test", command, "/tmp", (), limits, env={}, stdin=b""))

    yield begin
    engine.shut()


def without_cgroups(bench: Bench) -> BubblewrapEngine:
    assert isinstance(bench.engine, BubblewrapEngine)
    engine = replace(bench.engine, cgroups=None)
    assert engine.freezes_by == "SIGSTOP"
    return engine


PUT_AWAY_NS = 1_000_000
"""What the kernel itself may still take to put a thread away that it calls stopped; one that runs takes far more."""


@pytest.mark.parametrize("code", [BUSY, FORKING, WAKING], ids=["busy threads", "forks", "wakes the others"])
def test_nothing_in_a_stopped_box_moves_until_it_goes_on(start: Callable[[str], Sandbox], code: str) -> None:
    sandbox = start(code)
    box = pid_of_init(sandbox)
    await_activity(sandbox)
    sandbox.freeze()
    before = run_ns(box)
    assert before, "the box has processes"
    for _ in range(20):
        time.sleep(0.01)
        after = run_ns(box)
        assert after.keys() == before.keys(), "another process came, or one went"
        assert all(after[pid] - before[pid] < PUT_AWAY_NS for pid in after), f"a process ran: {before}, then {after}"
    sandbox.thaw()
    await_change(box, before)
    assert sandbox.kill().exit_code is None


def test_a_stopped_box_can_be_killed(start: Callable[[str], Sandbox]) -> None:
    sandbox = start(BUSY)
    await_activity(sandbox)
    sandbox.freeze()
    began = time.monotonic()
    assert sandbox.kill().exit_code is None
    assert time.monotonic() - began < PATIENCE_S


def test_stopping_and_going_on_do_nothing_to_a_box_that_has_ended(start: Callable[[str], Sandbox]) -> None:
    sandbox = start("print('done')")
    ended = sandbox.wait(PATIENCE_S)
    assert ended is not None
    sandbox.freeze()
    sandbox.thaw()
    assert ended.stdout.text == "done\n"


def test_a_box_that_cannot_be_stopped_is_a_failure_of_ours(
    start: Callable[[str], Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "_send", lambda pid, number: None)
    monkeypatch.setattr(stopping, "_TIMEOUT_S", 0.1)
    sandbox = start(BUSY)
    await_activity(sandbox)
    with pytest.raises(InfrastructureError, match="ran on"):
        sandbox.freeze()


def await_activity(sandbox: Sandbox) -> None:
    """Wait until the code itself runs, and not just what comes before it."""
    deadline = time.monotonic() + PATIENCE_S
    while not sandbox.output()[0]:
        assert time.monotonic() < deadline, "nothing was written"
        time.sleep(0.005)


def pid_of_init(sandbox: Sandbox) -> int:
    return sandbox._parts.init_pid  # type: ignore[attr-defined, no-any-return]


def run_ns(init_pid: int) -> dict[int, int]:
    """How long each process below process 1 has run so far, all threads of it, by the kernel's own account."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            same = (entry / "ns/pid").stat().st_ino == Path(f"/proc/{init_pid}/ns/pid").stat().st_ino
            if not same or int(entry.name) == init_pid or " Z " in (entry / "stat").read_text().rpartition(")")[2]:
                continue
            threads = [(task / "schedstat").read_text().split()[0] for task in (entry / "task").iterdir()]
        except OSError:
            continue
        found[int(entry.name)] = sum(int(thread) for thread in threads)
    return found


def await_change(init_pid: int, since: dict[int, int]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while (now := run_ns(init_pid)) == since or not now:
        assert time.monotonic() < deadline, "nothing ran"
        time.sleep(0.005)
