"""What the end-to-end tests of killed, interrupted and attacked runners share."""

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from assessments.errors import InfrastructureError
from runner.engines.choose import EngineName, Wish, choose

CHAOS = Path(__file__).resolve().parents[2] / "benchmarks/chaos.py"


@pytest.fixture(scope="session")
def chaos() -> ModuleType:
    """The benchmark that kills runners; what it looks for is what may not be left here, either."""
    spec = importlib.util.spec_from_file_location("chaos", CHAOS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["chaos"] = module  # where dataclasses look for it
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def own_state(built_state: Path) -> Iterator[Path]:
    """A state folder that no other process uses, so that whatever is left in it was left by these tests."""
    with tempfile.TemporaryDirectory(prefix="own-state-", dir=built_state) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(params=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
def engine(request: pytest.FixtureRequest) -> EngineName:
    """Each engine, or no test where it cannot be had."""
    try:
        chosen = choose(Wish(request.param))
    except InfrastructureError as error:
        if os.environ.get("CI"):
            pytest.fail(f"CI must run every engine: {error}")
        pytest.skip(f"no {request.param} engine here: {error}")
    if chosen.daemon:
        chosen.daemon.close()
    return EngineName(request.param)
