"""Who runs where while something is measured: the services on cores of their own, the generator on another."""

import contextlib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Placement:
    """`service_cores` empty: this host does not let us choose. `generator_core` None: there is none to spare."""

    service_cores: tuple[int, ...]
    generator_core: int | None


def place(available: set[int], cpus: float, *, can_pin: bool) -> Placement:
    """Whole cores for a service that is meant to use `cpus`, and one for the generator where there are two. Pure."""
    cores = sorted(available)
    if len(cores) < 2:
        return Placement(tuple(cores) if can_pin else (), None)
    first, *others = cores
    return Placement(tuple(others[: math.ceil(cpus)]) if can_pin else (), first)


@contextlib.contextmanager
def favoured(pid: int, core: int | None) -> Iterator[bool]:
    """Keep a process on one core and run it there before all others, as far as we may. Whether it is preferred.

    A nice value would not do: however low it is, a neighbour that is on the core first keeps it for some milliseconds.
    """
    before = os.sched_getaffinity(pid)
    if core is not None:
        os.sched_setaffinity(pid, {core})
    try:
        yield core is not None and _scheduled(pid, os.SCHED_RR, 1)
    finally:
        with contextlib.suppress(OSError):  # it may have ended
            os.sched_setaffinity(pid, before)
            _scheduled(pid, os.SCHED_OTHER, 0)


def _scheduled(pid: int, policy: int, priority: int) -> bool:
    try:
        os.sched_setscheduler(pid, policy, os.sched_param(priority))
    except PermissionError:
        return False
    return True
