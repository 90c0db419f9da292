"""The two ways to put load on a service: by a timetable, or by callers who wait for their answers."""

import contextlib
import gc
from collections.abc import Iterator, Sequence

from graders.http.dial import Dial
from graders.load.block import Block, Terms
from graders.load.pace import Callers, Timetable
from graders.load.volley import Volley
from graders.load.workload import Ask

_CLOSED_FRESH = 64
"""Fresh connections that a closed block may well come to need."""


def open_loop(
    dial: Dial,
    asks: Sequence[Ask],
    intended_s: Sequence[float],
    *,
    timeout_s: float,
    connections: int,
    fresh_every: int,
    spin: bool,
) -> Volley:
    """Send `asks` at their intended starts (ascending, seconds from the block's), answered or not.

    At most `connections` are open at once; a request that finds none free waits, and its latency still counts from its
    intended start. Every `fresh_every`-th request gets a fresh connection (0: none is forced to). A request without a
    complete answer `timeout_s` after its intended start is a failure, so the block ends that much after the last
    intended start at the latest. `spin`: this thread has a core of its own, and may burn it for precision.

    Whatever the service does becomes a failure of that request. Raises only what is not the service's: ValueError for
    intended starts that do not fit, h11.LocalProtocolError for a request that is not HTTP, and what a judge raises
    other than AssertionError and BadAnswer.
    """
    timetable = Timetable(asks, intended_s)
    fresh = connections + (len(asks) // fresh_every if fresh_every else 0)
    terms = Terms(timeout_s, connections, fresh_every, spin, sockets=min(fresh, len(asks)))
    with _no_collection():
        return Block(dial, timetable, terms).run()


def closed_loop(
    dial: Dial,
    asks: Iterator[Ask],
    *,
    seconds: float,
    concurrency: int,
    timeout_s: float,
    fresh_every: int,
    spin: bool,
) -> Volley:
    """Let `concurrency` callers ask, each again as soon as it was answered, until `seconds` are over or `asks` are.

    What is under way by then is waited for. A caller that got no answer rests for 10 ms. Some asks are taken from the
    iterator ahead of their time, so the last of those taken may never be sent. Else as `open_loop`; the intended start
    of a request is when its caller began to ask.
    """
    callers = Callers(asks, seconds, concurrency)
    fresh = concurrency + (_CLOSED_FRESH if fresh_every else 0)
    terms = Terms(timeout_s, concurrency, fresh_every, spin, sockets=fresh)
    with _no_collection():
        return Block(dial, callers, terms).run()


@contextlib.contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection during a block: a full one stops this thread for milliseconds, which would be measured.

    What a block makes is bounded, and holds hardly any cycles.
    """
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
