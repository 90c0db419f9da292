"""The challenge's folder, its oracle and its manifest, as the tests of its content need them."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHALLENGE = Path(__file__).resolve().parents[3] / "challenges" / "inference-api"


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
def oracle_module(module_at: Callable[[Path], ModuleType], challenge: Path) -> ModuleType:
    """hidden_tests/oracle.py, which no package holds."""
    return module_at(challenge / "hidden_tests" / "oracle.py")


@pytest.fixture(scope="session")
def oracle(oracle_module: ModuleType, challenge: Path) -> Any:
    return oracle_module.make_oracle(challenge, seed=1)


@pytest.fixture(scope="session", params=[("current", "model"), ("next_release", "model-b")], ids=["model", "model-b"])
def release(request: pytest.FixtureRequest, oracle: Any, challenge: Path) -> tuple[Any, Path]:
    """A release as the oracle knows it, and the folder of its artefacts."""
    attribute, folder = request.param
    return getattr(oracle, attribute), challenge / "data" / folder
