"""Waiting for quiet before something is measured again: bounded, and only on the word of the gauges."""

from collections.abc import Iterator

import pytest

from graders import wire
from graders.checks import noise


class Host:
    """Gauges of a host on which others use so much of a core each second; the last figure stays."""

    def __init__(self, *foreign: float | None, steal: float = 0.0) -> None:
        self._foreign: Iterator[float | None] = iter(foreign)
        self._last: float | None = 0.0
        self._steal = steal
        self.now_s = self.busy_s = 0.0
        self.tells = None not in foreign

    def sleep(self, seconds: float) -> None:
        self._last = next(self._foreign, self._last)
        self.now_s += seconds
        self.busy_s += (self._last or 0.0) * seconds

    def read(self) -> wire.Gauges:
        busy_s = self.busy_s if self.tells else None
        return wire.Gauges(busy_s=busy_s, steal_s=self._steal * self.now_s, pressure_s=None, runner_s=0.0, targets={})


@pytest.mark.parametrize(
    ("host", "came", "after_s"),
    [
        (Host(0.0), True, 1.0),
        (Host(1.0, 0.9, 0.05), True, 3.0),
        (Host(1.0), False, noise.QUIET_WITHIN_S),
        (Host(0.0, steal=0.3), False, noise.QUIET_WITHIN_S),
        (Host(None), False, 1.0),
    ],
    ids=["quiet", "soon quiet", "never quiet", "stolen from", "does not tell"],
)
def test_quiet_is_waited_for_and_not_for_ever(
    monkeypatch: pytest.MonkeyPatch, host: Host, came: bool, after_s: float
) -> None:
    monkeypatch.setattr(noise.time, "sleep", host.sleep)
    monkeypatch.setattr(noise.time, "monotonic", lambda: host.now_s)
    monkeypatch.setattr(noise.time, "process_time", lambda: 0.0)
    assert noise.await_quiet(host.read) is came
    assert host.now_s == after_s
