"""What a run tells while it goes on, and an honest estimate of how long that will be."""

from collections import defaultdict
from dataclasses import dataclass, field
from enum import StrEnum
from math import fsum

from runner.store.attempts import Counts

_TELLING = 3
"""Before so many gradings have ended there is no estimate."""


class EventKind(StrEnum):
    """What happened."""

    STARTED = "started"
    GRADED = "graded"
    FAILED = "failed"
    """A failure of ours: it is tried again."""
    HELD = "held"
    """A failure of ours, once too often: it waits for the operator."""
    LOST = "lost"
    """Another runner had taken the grading over, so what this one brought was thrown away."""
    TAKEN_BACK = "taken-back"
    """What a dead runner had begun waits again."""
    CANARY = "canary"
    """The reference solution was graded as if it were a candidate's (see `canary`)."""
    DRAINING = "draining"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a run."""

    kind: EventKind
    lane: int | None = None
    candidate: str = ""
    challenge: str = ""
    seconds: float | None = None
    score: str = ""
    text: str = ""
    counts: Counts | None = None


@dataclass
class Estimate:
    """How long the rest will take, from what this run has seen so far."""

    _seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    _busy_s: float = 0.0

    def learn(self, challenge: str, seconds: float) -> None:
        self._seconds[challenge].append(seconds)
        self._busy_s += seconds

    def remaining_s(self, waiting: int, elapsed_s: float) -> float | None:
        """Seconds until `waiting` more are graded, at the pace so far. None: too early to say.

        The pace is gradings' time over the clock's: with lanes that wait for each other it is less than their number.
        """
        known = [seconds for each in self._seconds.values() for seconds in each]
        if len(known) < _TELLING or elapsed_s <= 0:
            return None
        at_once = max(self._busy_s / elapsed_s, 1e-9)
        return waiting * (fsum(known) / len(known)) / at_once
