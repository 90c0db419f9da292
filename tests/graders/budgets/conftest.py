"""The simulator and a factory of measurements, as fixtures: tests cannot import one another's modules by name."""

import importlib.util
import sys
from pathlib import Path

import pytest


def _module(name: str):
    spec = importlib.util.spec_from_file_location(f"budget_{name}", Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their own module up.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def simulation():
    """The module `simulation.py` that stands beside this file."""
    return _module("simulation")


@pytest.fixture(scope="session")
def make():
    """The module `measurements.py` that stands beside this file."""
    return _module("measurements")
