"""The simulator and a factory of measurements, as fixtures: tests cannot import one another's modules by name."""

from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def simulation(module_at):
    """The module `simulation.py` that stands beside this file."""
    return module_at(HERE / "simulation.py")


@pytest.fixture(scope="session")
def make(module_at):
    """The module `measurements.py` that stands beside this file."""
    return module_at(HERE / "measurements.py")
