"""What the tests of the command line share: the command itself, as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Assay = Callable[..., "subprocess.CompletedProcess[str]"]
ASSAY = (sys.executable, "-m", "runner.cli.main")


@pytest.fixture
def environment(built_state: Path) -> dict[str, str]:
    return {**os.environ, "ASSAY_STATE": str(built_state), "COLUMNS": "200"}


@pytest.fixture
def assay(environment: dict[str, str], tmp_path: Path) -> Assay:
    def run(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*ASSAY, *map(str, arguments)],
            cwd=tmp_path,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run
