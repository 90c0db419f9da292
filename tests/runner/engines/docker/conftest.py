"""What the tests of the Docker engine share: a bench on it, and engines that only seem to be there."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.bench import Bench
from runner.engines.choose import EngineName
from runner.engines.docker.engine import DockerEngine


@pytest.fixture(scope="session")
def engine_name() -> EngineName:
    return EngineName.DOCKER


@pytest.fixture
def engine(bench: Bench) -> DockerEngine:
    assert isinstance(bench.engine, DockerEngine)
    return bench.engine


@pytest.fixture
def silent_socket(tmp_path: Path) -> Iterator[Path]:
    """A socket that takes connections, as the kernel does for whoever listens, and never answers."""
    path = tmp_path / "silent.sock"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(path))
        listener.listen(64)
        yield path
