"""The factory of scorecards, as a fixture: tests cannot import one another's modules by name."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cards(module_at):
    """The module `scorecards.py` that stands beside this file."""
    return module_at(Path(__file__).resolve().with_name("scorecards.py"))
