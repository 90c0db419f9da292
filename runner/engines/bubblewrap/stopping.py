"""Stops all processes of a box by signals, where there is no control group that could be frozen."""

import contextlib
import os
import signal
import time
from pathlib import Path

from assessments.errors import InfrastructureError

_TIMEOUT_S = 1.0
_STILL = {"T", "t", "Z", "X"}


def stop_all(init_pid: int) -> None:
    """Stop every process of the box but its process 1. Raises InfrastructureError if some run on after a second.

    A process that is not stopped yet can make more: look again until two looks find all of them still.
    """
    deadline = time.monotonic() + _TIMEOUT_S
    quiet = 0
    while quiet < 2:
        running = [pid for pid in _box(init_pid) if not _is_still(pid)]
        quiet = 0 if running else quiet + 1
        for pid in running:
            _send(pid, signal.SIGSTOP)
        if time.monotonic() > deadline:
            raise InfrastructureError(f"processes of a sandbox ran on for {_TIMEOUT_S:g} s after SIGSTOP")
        time.sleep(0.0005)


def continue_all(init_pid: int) -> None:
    for pid in _box(init_pid):
        _send(pid, signal.SIGCONT)


def _box(init_pid: int) -> list[int]:
    """Every process below process 1: what loses its parent becomes a child of that."""
    found: list[int] = []
    waiting = [init_pid]
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                children = [int(child) for child in (task / "children").read_text().split()]
                found += children
                waiting += children
    return found


def _is_still(pid: int) -> bool:
    """Whether every thread of the process has stopped or ended: the first one may be still before the others."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except (FileNotFoundError, ProcessLookupError):
        return True
    return all(_state(task) in _STILL for task in tasks)


def _state(task: Path) -> str:
    try:
        return (task / "stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
