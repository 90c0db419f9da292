"""The factory of scorecards, as a fixture: tests cannot import one another's modules by name."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cards():
    """The module `scorecards.py` that stands beside this file."""
    spec = importlib.util.spec_from_file_location("report_scorecards", Path(__file__).with_name("scorecards.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
