"""Whoever measures has the host alone; whoever grades shares it with others who grade."""

import fcntl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError
from runner.calibration import Calibrations
from runner.gauges import read_gauges
from runner.placement import Placement, place
from runner.quiet import QuietLane

PATIENCE_S = 20.0


@pytest.fixture
def lane(tmp_path: Path) -> QuietLane:
    return QuietLane(tmp_path, lambda: False)


def await_true(so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_two_who_grade_do_not_wait_for_each_other(lane: QuietLane) -> None:
    with lane.shared(), lane.shared():
        pass


def test_who_measures_waits_for_who_grades_and_keeps_the_next_ones_waiting(lane: QuietLane) -> None:
    steps: list[str] = []
    asked = threading.Event()

    def measure() -> None:
        asked.set()
        with lane.alone():
            steps.append("measured")

    def grade_later() -> None:
        with lane.shared():
            steps.append("graded later")

    with lane.shared():
        measuring = threading.Thread(target=measure)
        measuring.start()
        asked.wait(PATIENCE_S)
        await_true(lambda: _is_locked(lane.folder / "quiet-queue.lock"))
        later = threading.Thread(target=grade_later)
        later.start()
        steps.append("graded")
    measuring.join(PATIENCE_S)
    later.join(PATIENCE_S)
    assert steps == ["graded", "measured", "graded later"]


def test_an_interrupt_ends_the_wait(tmp_path: Path) -> None:
    with QuietLane(tmp_path, lambda: False).shared(), pytest.raises(InfrastructureError, match="interrupted"):
        QuietLane(tmp_path, lambda: True).alone().__enter__()


def _is_locked(path: Path) -> bool:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


@pytest.mark.parametrize(
    ("available", "cpus", "can_pin", "expected"),
    [
        ({0}, 1.0, True, Placement((0,), None)),
        ({0, 1}, 1.0, True, Placement((1,), 0)),
        ({2, 5, 7}, 1.5, True, Placement((5, 7), 2)),
        ({0, 1, 2, 3}, 1.0, True, Placement((1,), 0)),
        ({0, 1}, 1.0, False, Placement((), 0)),
        ({3}, 1.0, False, Placement((), None)),
    ],
)
def test_services_and_generator_get_cores_of_their_own(
    available: set[int], cpus: float, can_pin: bool, expected: Placement
) -> None:
    assert place(available, cpus, can_pin=can_pin) == expected


def test_gauges_grow_with_the_work_of_the_host() -> None:
    before = read_gauges({})
    assert before.busy_s is not None
    deadline = time.monotonic() + PATIENCE_S
    while (read_gauges({}).busy_s or 0.0) - before.busy_s < 0.05:
        assert time.monotonic() < deadline
        sum(range(100_000))
    after = read_gauges({})
    assert after.runner_s > before.runner_s
    assert after.targets == {}


@pytest.mark.parametrize("written", ["", "[]", '{"load": {"p50": -1}}', '{"load": {"p50": "fast"}}', '{"load": 7}'])
def test_a_calibration_that_is_of_no_use_is_none(tmp_path: Path, written: str) -> None:
    calibrations = Calibrations.of(tmp_path, "host", "challenge")
    assert calibrations.read() == {}
    calibrations.file.write_text(written)
    assert calibrations.read() == {}


def test_calibrations_are_of_one_host_and_challenge(tmp_path: Path) -> None:
    assert Calibrations.of(tmp_path, "host", "a").file != Calibrations.of(tmp_path, "host", "b").file
    assert Calibrations.of(tmp_path, "ab", "c").file != Calibrations.of(tmp_path, "a", "bc").file
