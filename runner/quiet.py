"""The lane of timed checks: while something is measured, nothing else of ours runs on this host.

Whoever grades holds the lane shared, whoever measures holds it alone, across threads and processes of one state folder.
Kernel locks (flock) do it, so that a killed runner lets go. A second lock is held while waiting: those who come later
queue up behind somebody who waits to measure, and cannot starve them.
"""

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assessments.errors import InfrastructureError

_POLL_S = 0.02


@dataclass(frozen=True, slots=True)
class QuietLane:
    """`interrupted` ends every wait. Each call of a block is a lock of its own: a thread must not nest them."""

    state: Path
    interrupted: Callable[[], bool]

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """For work that may run beside other work, and not beside a measurement."""
        with self._held(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """For a measurement. Do not hold the lane shared meanwhile: it would wait for itself."""
        with self._held(fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def _held(self, kind: int) -> Iterator[None]:
        with (self.state / "quiet.lock").open("w") as lane:
            with (self.state / "quiet-queue.lock").open("w") as queue:
                self._await(queue.fileno(), fcntl.LOCK_EX)
                self._await(lane.fileno(), kind)
            yield

    def _await(self, descriptor: int, kind: int) -> None:
        while True:
            try:
                fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if self.interrupted():
                    raise InfrastructureError("grading was interrupted while it waited for its turn") from None
                time.sleep(_POLL_S)
            else:
                return
