"""What the end-to-end tests of killed, interrupted and attacked runners share."""

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from assessments.errors import InfrastructureError
from runner.engines.choose import EngineName, Wish, choose

TIMED = Path(__file__).resolve().parents[1] / "sample_challenges/timed.py"
CHAOS = Path(__file__).resolve().parents[2] / "benchmarks/chaos.py"


@pytest.fixture(scope="session")
def chaos(module_at: Callable[[Path], ModuleType]) -> ModuleType:
    """The benchmark that kills runners; what it looks for is what may not be left here, either."""
    return module_at(CHAOS)


@pytest.fixture(scope="session")
def timed(module_at: Callable[[Path], ModuleType]) -> ModuleType:
    """Versions of the timed service that are slower than its reference in known ways."""
    return module_at(TIMED)


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
