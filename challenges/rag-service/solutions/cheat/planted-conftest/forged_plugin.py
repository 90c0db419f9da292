"""Trick: a pytest plugin, named by pytest.ini and by the .pth file."""

from conftest import pytest_runtest_makereport, pytest_sessionfinish

__all__ = ["pytest_runtest_makereport", "pytest_sessionfinish"]
