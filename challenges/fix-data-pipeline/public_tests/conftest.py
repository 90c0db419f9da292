"""Runs your pipeline for the tests, the way the grader does, over the data sets that lie here.

kit/
  starter/           your pipeline (or the folder that SUBMISSION names)
  public_tests/      this folder; everyday/, repeated/ and bad-rows/ are the data sets
"""

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
SUBMISSION = Path(os.environ.get("SUBMISSION", HERE.parent / "starter")).resolve()


@dataclass(frozen=True)
class Outcome:
    exit_code: int
    said: str
    out: Path


@dataclass(frozen=True)
class DataSet:
    """One data set, and what is right for it."""

    folder: Path

    @property
    def as_of(self) -> str:
        return (self.folder / "as_of.txt").read_text().strip()

    def expected(self, name: str) -> Path:
        return self.folder / "expected" / name


@pytest.fixture
def data() -> Callable[[str], DataSet]:
    return lambda name: DataSet(HERE / name)


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Outcome]:
    """build(data) runs the pipeline over a data set into a new folder; build(data, "--keep-state") adds arguments."""

    def run(data: DataSet, *more: str) -> Outcome:
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        out.mkdir()
        folders = ["--events", data.folder / "events", "--reference", data.folder / "reference", "--out", out]
        command = [sys.executable, "main.py", *map(str, folders), "--as-of", data.as_of, *more]
        done = subprocess.run(command, cwd=SUBMISSION, capture_output=True, text=True, errors="replace", timeout=120)
        return Outcome(done.returncode, done.stdout + done.stderr, out)

    return run


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, str]]]:
    """The rows of a CSV file as text, sorted: the order is a matter of its own."""

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8", newline="") as file:
            return sorted(csv.DictReader(file), key=lambda row: list(row.values()))

    return read
