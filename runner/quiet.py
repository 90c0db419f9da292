"""The lane of timed checks: while something is measured, nothing else of ours runs on this host.

Whoever grades holds the lane shared, whoever measures holds it alone: across the threads and processes of one state
folder, and where root grades across those of the host. Kernel locks (flock) do it, so that a killed runner lets go. A
second lock is held while waiting: those who come later queue up behind somebody who waits to measure, and cannot
starve them.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from assessments.errors import InfrastructureError
from runner.engines.folders import PASSABLE, make_folder

_POLL_S = 0.02
_OF_ROOT = Path("/run/lock/assay")
"""Root's graders may have state folders of their own, and disturb each other all the same."""


@dataclass(frozen=True, slots=True)
class QuietLane:
    """`interrupted` ends every wait. Each call of a block is a lock of its own: a thread must not nest them."""

    folder: Path
    interrupted: Callable[[], bool]

    @classmethod
    def of(cls, state: Path, interrupted: Callable[[], bool]) -> "QuietLane":
        """The lane of whoever grades with this state folder."""
        if os.geteuid() == 0:
            with contextlib.suppress(OSError):
                return cls(make_folder(_OF_ROOT, PASSABLE), interrupted)
        return cls(state, interrupted)

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
        with (self.folder / "quiet.lock").open("w") as lane:
            with (self.folder / "quiet-queue.lock").open("w") as queue:
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
