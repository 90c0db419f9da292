"""The challenge's folder, its manifest, and what its hidden tests work with, as the tests of its content need them."""

import importlib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

CHALLENGE = Path(__file__).resolve().parents[3] / "challenges" / "fix-data-pipeline"
MODULES = ("shop", "large", "oracle")


@pytest.fixture(scope="session")
def challenge() -> Path:
    return CHALLENGE


@pytest.fixture(scope="session")
def manifest(challenge: Path) -> dict[str, Any]:
    return tomllib.loads((challenge / "challenge.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def expected(challenge: Path) -> dict[str, Any]:
    return tomllib.loads((challenge / "solutions" / "expected.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def hidden(challenge: Path) -> Iterator[SimpleNamespace]:
    """The modules of hidden_tests that are no tests, by name; they import each other as they do there."""
    before = {name: sys.modules.pop(name, None) for name in MODULES}
    sys.path.insert(0, str(challenge / "hidden_tests"))
    try:
        yield SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})
    finally:
        sys.path.remove(str(challenge / "hidden_tests"))
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module:
                sys.modules[name] = module
