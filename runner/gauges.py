"""What the host does as a whole, read from the kernel: how much noise there was around a measurement."""

import os
import time
from pathlib import Path

from graders import wire
from runner.engines.protocol import Sandbox

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_USER, _NICE, _SYSTEM, _STEAL = 0, 1, 2, 7


def read_gauges(sandboxes: dict[int, Sandbox]) -> wire.Gauges:
    """All readings of this moment. What this host does not tell is None."""
    busy_s, steal_s = _processors()
    return wire.Gauges(
        busy_s=busy_s,
        steal_s=steal_s,
        pressure_s=_pressure_s(),
        runner_s=time.process_time(),
        targets={target: _gauge(sandbox) for target, sandbox in sandboxes.items()},
    )


def _gauge(sandbox: Sandbox) -> wire.Gauge:
    usage = sandbox.usage()
    return wire.Gauge(cpu_s=usage.cpu_s, memory_bytes=usage.peak_memory_bytes, waited_s=sandbox.waited_s())


def _processors() -> tuple[float | None, float | None]:
    """CPU time of all processes, and time stolen by a hypervisor, in seconds over all cores (proc(5), /proc/stat).

    Interrupts are left out: they are nobody's, and a submission could cause them.
    """
    try:
        ticks = [int(value) for value in Path("/proc/stat").read_text().partition("\n")[0].split()[1:]]
    except OSError:
        return None, None
    return (ticks[_USER] + ticks[_NICE] + ticks[_SYSTEM]) * _TICK_S, ticks[_STEAL] * _TICK_S


def _pressure_s() -> float | None:
    """Time in which some task of the host waited for a CPU (kernel documentation, accounting/psi)."""
    try:
        line = Path("/proc/pressure/cpu").read_text().partition("\n")[0]
    except OSError:
        return None
    total = next((field for field in line.split() if field.startswith("total=")), None)
    return int(total.removeprefix("total=")) / 1e6 if total else None
