"""What the machine did between two readings of its gauges."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from assessments.measurement import Noise, Side
from graders import wire
from graders.budgets.calibration import FOREIGN_OF_CORE, STEAL_OF_CORE
from graders.budgets.gates import core_share

QUIET_WITHIN_S: Final = 10.0
"""How long quiet is waited for. Noise that lasts longer may last for hours, and the gates see it either way."""
_LOOK_S: Final = 1.0


def noise_between(
    before: wire.Gauges,
    after: wire.Gauges,
    seconds: float,
    used_s: dict[Side, float | None],
    own_s: float,
    lag_s: float,
) -> Noise:
    busy_s = difference(after.busy_s, before.busy_s)
    foreign_s = None
    if busy_s is not None and None not in used_s.values():
        known_s = own_s + after.runner_s - before.runner_s + sum(used or 0.0 for used in used_s.values())
        foreign_s = max(busy_s - known_s, 0.0)
    return Noise(
        seconds=seconds,
        foreign_cpu_s=foreign_s,
        steal_s=difference(after.steal_s, before.steal_s),
        pressure_s=difference(after.pressure_s, before.pressure_s),
        reference_wait_s=None,
        generator_lag_s=lag_s,
    )


def own_wait_s() -> float | None:
    """What this thread has waited for a CPU so far, in seconds (proc(5), schedstat)."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):
        return None


def difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else max(after - before, 0.0)


def await_quiet(read: Callable[[], wire.Gauges]) -> bool:
    """Wait until nobody else used the CPU for a second, as in a session that calibrates; whether that came in time.

    Neither side lives meanwhile, so that no submission can make it wait.
    """
    began, before, own_s = time.monotonic(), read(), time.process_time()
    while time.monotonic() - began < QUIET_WITHIN_S:
        time.sleep(_LOOK_S)
        after, own_now_s = read(), time.process_time()
        noise = noise_between(before, after, _LOOK_S, {}, own_now_s - own_s, 0.0)
        if noise.foreign_cpu_s is None:
            return False
        if core_share(noise.foreign_cpu_s, _LOOK_S) < FOREIGN_OF_CORE and (
            core_share(noise.steal_s or 0.0, _LOOK_S) <= STEAL_OF_CORE
        ):
            return True
        before, own_s = after, own_now_s
    return False
