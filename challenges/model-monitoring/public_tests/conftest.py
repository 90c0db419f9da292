"""Starts your service for the tests, the way the grader starts it, and stops it afterwards.

kit/
  starter/         your service (or the folder that SUBMISSION names)
  assets/model/    the model and its reference (or the folder that MODEL_DIR names)
  public_tests/    this folder
"""

import csv
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

KIT = Path(__file__).resolve().parent.parent
SUBMISSION = Path(os.environ.get("SUBMISSION", KIT / "starter")).resolve()
MODEL_DIR = Path(os.environ.get("MODEL_DIR", KIT / "assets" / "model")).resolve()
START_TIMEOUT_S = 20
STOP_TIMEOUT_S = 10


@pytest.fixture(scope="session")
def client() -> Iterator[httpx.Client]:
    """A client of your running service, which all tests that ask for it share."""
    with running_service() as client:
        yield client


@pytest.fixture
def fresh() -> Iterator[httpx.Client]:
    """A client of an instance of its own, whose first window begins with the test."""
    with running_service() as client:
        yield client


@contextmanager
def running_service() -> Iterator[httpx.Client]:
    """Your service. What it printed is shown if it does not get ready."""
    with tempfile.TemporaryFile() as log, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        environment = {
            **os.environ,
            "PORT": str(port),
            "MODEL_DIR": str(MODEL_DIR),
            "PYTHONUNBUFFERED": "1",
        }
        service = subprocess.Popen(
            [sys.executable, "main.py"], cwd=SUBMISSION, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client:
                if problem := wait_until_ready(client, service):
                    log.seek(0)
                    pytest.fail(f"{problem}. It printed:\n{log.read().decode(errors='replace')[-4000:]}", pytrace=False)
                yield client
        finally:
            service.terminate()
            try:
                service.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()


def wait_until_ready(client: httpx.Client, service: subprocess.Popen[bytes]) -> str | None:
    """None once GET /ready answers 200, else what went wrong."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if service.poll() is not None:
            return f"The service ended with status {service.returncode} before it was ready"
        try:
            if client.get("/ready").status_code == 200:
                return None
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    return f"GET /ready did not answer 200 within {START_TIMEOUT_S} s"


@pytest.fixture(scope="session")
def model() -> dict[str, Any]:
    return json.loads((MODEL_DIR / "model.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def reference(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of reference.csv: `features` as a request has them, `probability` and `late`."""
    numbers = {feature["name"] for feature in model["features"] if feature["type"] != "category"}
    names = [feature["name"] for feature in model["features"]]
    with (MODEL_DIR / "reference.csv").open(encoding="utf-8", newline="") as file:
        return [
            {
                "features": {name: read_cell(row[name], name in numbers) for name in names},
                "probability": float(row["probability"]),
                "late": row["late"] == "true",
            }
            for row in csv.DictReader(file)
        ]


def read_cell(cell: str, is_number: bool) -> Any:
    if not cell:
        return None
    return json.loads(cell) if is_number else cell


@pytest.fixture(scope="session")
def alerts() -> str:
    return (SUBMISSION / "alerts.yml").read_text(encoding="utf-8")
