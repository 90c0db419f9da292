"""A frozen sandbox stands still, whatever runs in it, goes on when it is thawed, and dies when it is killed."""

import os
import time
from collections.abc import Callable

import pytest

from runner.bench import Bench
from runner.engines.protocol import Sandbox

Start = Callable[..., Sandbox]
PATIENCE_S = 20.0

COUNTS = """
import os, time
while True:
    os.write(1, b"x")
    for _ in range(20_000): pass
"""
FORKS = """
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


@pytest.mark.parametrize("code", [COUNTS, FORKS], ids=["counts", "forks"])
def test_nothing_moves_while_it_is_frozen(start: Start, code: str) -> None:
    sandbox = start(code)
    try:
        _await_more(sandbox, 0)
        sandbox.freeze()
        # What stood in the pipe may still be read; then there is nothing more, for as long as one cares to look.
        before = _settled(sandbox)
        for _ in range(20):
            time.sleep(0.01)
            assert _written(sandbox) == before
        sandbox.thaw()
        _await_more(sandbox, before)
    finally:
        sandbox.kill()


def test_a_frozen_one_can_be_killed(start: Start) -> None:
    sandbox = start(COUNTS)
    _await_more(sandbox, 0)
    sandbox.freeze()
    began = time.monotonic()
    ended = sandbox.kill()
    assert ended.exit_code is None
    assert time.monotonic() - began < PATIENCE_S


def test_freezing_and_thawing_what_has_ended_does_nothing(start: Start) -> None:
    sandbox = start("print('done')")
    assert sandbox.wait(PATIENCE_S) is not None
    sandbox.freeze()
    sandbox.thaw()


@pytest.mark.usefixtures("needs_cores")
def test_time_spent_waiting_for_a_core_is_told(start: Start) -> None:
    core = min(_cores())
    both = [start("while True: pass", cores=(core,)) for _ in range(2)]
    try:
        deadline = time.monotonic() + PATIENCE_S
        while (both[0].waited_s() or 0.0) < 0.1:
            assert time.monotonic() < deadline, "two that share one core did not wait for each other"
            time.sleep(0.01)
    finally:
        for sandbox in both:
            sandbox.kill()


@pytest.mark.usefixtures("needs_cores")
def test_a_preferred_one_gets_most_of_a_contended_core(start: Start, bench: Bench) -> None:
    if not bench.engine.can_prefer:
        pytest.skip("this host lets nobody be preferred")
    core = min(_cores())
    other = start("while True: pass", cores=(core,))
    preferred = start("while True: pass", cores=(core,), preferred=True)
    try:
        first = other.usage().cpu_s, preferred.usage().cpu_s
        deadline = time.monotonic() + PATIENCE_S
        while preferred.usage().cpu_s - first[1] < 0.5:  # type: ignore[operator]
            assert time.monotonic() < deadline, "the preferred one got no CPU"
            time.sleep(0.01)
        assert other.usage().cpu_s - first[0] < 0.1  # type: ignore[operator]
    finally:
        other.kill()
        preferred.kill()


def _written(sandbox: Sandbox) -> int:
    return len(sandbox.output()[0])


def _settled(sandbox: Sandbox) -> int:
    before = -1
    while before != (now := _written(sandbox)):
        before = now
        time.sleep(0.05)
    return before


def _await_more(sandbox: Sandbox, than: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while _written(sandbox) <= than:
        assert time.monotonic() < deadline, f"nothing was written after {than} bytes"
        time.sleep(0.005)


def _cores() -> set[int]:
    return os.sched_getaffinity(0)
