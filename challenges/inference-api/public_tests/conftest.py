"""Starts your service for the tests, the way the grader starts it, and stops it afterwards.

kit/
  starter/         your service (or the folder that SUBMISSION names)
  assets/model/    the model (or the folder that MODEL_DIR names)
  public_tests/    this folder
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
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
    """A client of your running service."""
    with running_service({}) as client:
        yield client


@pytest.fixture
def start_service() -> Iterator[Callable[..., httpx.Client]]:
    """Starts your service once more with further settings, as in start_service(LOOKUP_DELAY_MS="300")."""
    with ExitStack() as started:
        yield lambda **settings: started.enter_context(running_service(settings))


@contextmanager
def running_service(settings: dict[str, str]) -> Iterator[httpx.Client]:
    """Your service with these settings. What it printed is shown if it does not get ready."""
    with tempfile.TemporaryFile() as log, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        environment = {
            **os.environ,
            "PORT": str(port),
            "MODEL_DIR": str(MODEL_DIR),
            "PYTHONUNBUFFERED": "1",
            **settings,
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
def model_dir() -> Path:
    return MODEL_DIR


@pytest.fixture(scope="session")
def schema() -> dict[str, Any]:
    return json.loads((MODEL_DIR / "schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def examples() -> list[dict[str, Any]]:
    """Customers with the probabilities that the model's makers got for them."""
    return json.loads((MODEL_DIR / "examples.json").read_text(encoding="utf-8"))
