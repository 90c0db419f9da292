"""Every test here runs on every engine."""

import pytest

from runner.engines.choose import EngineName


@pytest.fixture(scope="session", params=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    return EngineName(request.param)
