"""What the machine did between two readings of its gauges."""

from pathlib import Path

from assessments.measurement import Noise, Side
from graders import wire


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
