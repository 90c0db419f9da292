"""The challenge's folder, its manifest, and two modules of its hidden tests, as the tests of its content need them."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHALLENGE = Path(__file__).resolve().parents[3] / "challenges" / "model-monitoring"


def load(name: str, path: Path) -> ModuleType:
    """A file of the challenge, which no package holds."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


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
def oracle_module(challenge: Path) -> ModuleType:
    return load("model_monitoring_oracle", challenge / "hidden_tests" / "oracle.py")


@pytest.fixture(scope="session")
def oracle(oracle_module: ModuleType, challenge: Path) -> Any:
    return oracle_module.make_oracle(challenge, seed=1)


@pytest.fixture(scope="session")
def pages(challenge: Path) -> ModuleType:
    """The reader of the metrics page."""
    return load("model_monitoring_pages", challenge / "hidden_tests" / "metrics_page.py")


@pytest.fixture(scope="session")
def hours(challenge: Path) -> ModuleType:
    """The simulated hours."""
    return load("model_monitoring_hours", challenge / "hidden_tests" / "simulated_hours.py")


@pytest.fixture(scope="session", params=[("current", "model"), ("next_release", "model-b")], ids=["model", "model-b"])
def release(request: pytest.FixtureRequest, oracle: Any, challenge: Path) -> tuple[Any, Path]:
    """A release as the oracle knows it, and the folder that a candidate's service reads."""
    attribute, folder = request.param
    return getattr(oracle, attribute), challenge / "data" / folder
