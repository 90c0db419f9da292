"""The challenge's folder, its oracle, its model and its manifest, as the tests of its content need them."""

import importlib.util
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

CHALLENGE = Path(__file__).resolve().parents[3] / "challenges" / "rag-service"


def loaded(path: Path, name: str) -> ModuleType:
    """A module that no package holds."""
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
def oracle(challenge: Path) -> Any:
    return loaded(challenge / "hidden_tests" / "oracle.py", "rag_service_oracle").make_oracle(challenge, seed=1)


@pytest.fixture(scope="session")
def answerer(challenge: Path) -> ModuleType:
    """The language model that the kit holds."""
    return loaded(challenge / "public_tests" / "answerer.py", "rag_service_kit_answerer")


@pytest.fixture
def llm(challenge: Path) -> Any:
    """The model as the grader answers for it, new."""
    module = loaded(challenge / "hidden_tests" / "companions.py", "rag_service_companions")
    return module.make_companions(challenge, seed=1)["llm"]
