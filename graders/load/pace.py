"""Who says when the next request starts: a timetable, or callers that ask again once they were answered."""

import heapq
import itertools
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from graders.http.framing import Wire
from graders.http.messages import Response
from graders.load.workload import Ask

_AHEAD = 8
"""Requests of a closed block that are put into bytes before they are needed, at least."""
_KNOWN = 4096
"""Requests of a closed block whose bytes are remembered, for a service is often asked the same again."""
_REST_S = 0.01
"""A caller that got no answer rests: a dead service would otherwise fill the memory with its refusals."""


@dataclass(frozen=True, slots=True)
class Load:
    """One request, ready to be sent."""

    wire: Wire
    judge: Callable[[Response], None]

    @classmethod
    def of(cls, ask: Ask) -> "Load":
        return cls(Wire.of(ask.request, keep_alive=True), ask.judge)


class Pace(Protocol):
    """Times are CLOCK_MONOTONIC in seconds."""

    def start(self, now: float) -> None:
        """The block begins."""
        ...

    def due(self, now: float) -> float:
        """When the next request should start. Infinity: there is none, unless a caller comes free."""
        ...

    def take(self, now: float) -> tuple[Load, float]:
        """The request that is due, and its intended start. Only after `due` was in the past."""
        ...

    def freed(self, moment: float, failed: bool) -> None:
        """A request came to its end at `moment`."""
        ...

    def prepare(self) -> bool:
        """Do a piece of work that will be needed later, if there is any."""
        ...


class Timetable:
    """Of an open block: fixed beforehand, and no answer moves it. Raises ValueError for one that is not ascending."""

    def __init__(self, asks: Sequence[Ask], intended_s: Sequence[float]) -> None:
        if len(asks) != len(intended_s):
            msg = f"{len(asks)} requests, but {len(intended_s)} intended starts"
            raise ValueError(msg)
        if any(later < earlier for earlier, later in itertools.pairwise(intended_s)):
            raise ValueError("the intended starts are not in ascending order")
        ready: dict[int, Load] = {}
        for ask in asks:
            if id(ask) not in ready:
                ready[id(ask)] = Load.of(ask)
        self._loads = [ready[id(ask)] for ask in asks]
        self._intended_s = intended_s
        self._started = math.inf
        self._place = 0

    def start(self, now: float) -> None:
        self._started = now

    def due(self, now: float) -> float:
        del now
        return self._started + self._intended_s[self._place] if self._place < len(self._loads) else math.inf

    def take(self, now: float) -> tuple[Load, float]:
        load, intended = self._loads[self._place], self.due(now)
        self._place += 1
        return load, intended

    def freed(self, moment: float, failed: bool) -> None:
        pass

    def prepare(self) -> bool:
        return False


class Callers:
    """Of a closed block: each asks as soon as it was answered, until `seconds` are over or the asks are."""

    def __init__(self, asks: Iterator[Ask], seconds: float, concurrency: int) -> None:
        self._asks = asks
        self._seconds = seconds
        self._concurrency = concurrency
        self._ready: deque[Load] = deque()
        self._known: dict[int, tuple[Ask, Load]] = {}
        self._exhausted = False
        self._free_at: list[float] = []
        self._end = -math.inf
        while self.prepare():
            pass

    def start(self, now: float) -> None:
        self._free_at = [now] * self._concurrency
        self._end = now + self._seconds

    def due(self, now: float) -> float:
        if now >= self._end:  # whoever came free before, and was not served in time, asks no more either
            return math.inf
        if not self._free_at or self._free_at[0] >= self._end or not (self._ready or self.prepare()):
            return math.inf
        return self._free_at[0]

    def take(self, now: float) -> tuple[Load, float]:
        heapq.heappop(self._free_at)
        return self._ready.popleft(), now

    def freed(self, moment: float, failed: bool) -> None:
        heapq.heappush(self._free_at, moment + _REST_S if failed else moment)

    def prepare(self) -> bool:
        if self._exhausted or len(self._ready) >= max(_AHEAD, self._concurrency):
            return False
        ask = next(self._asks, None)
        if ask is None:
            self._exhausted = True
            return False
        self._ready.append(self._load(ask))
        return True

    def _load(self, ask: Ask) -> Load:
        if id(ask) in self._known:
            return self._known[id(ask)][1]
        load = Load.of(ask)
        if len(self._known) < _KNOWN:
            # Kept with its ask: the id of one that is gone may be another's.
            self._known[id(ask)] = ask, load
        return load
