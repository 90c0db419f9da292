"""Starts the model and your service for the tests, the way the grader starts it, and stops them afterwards.

kit/
  starter/          your service (or the folder that SUBMISSION names)
  assets/sample/    the sample corpus (or the folder that SAMPLE_DIR names)
  public_tests/     this folder
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from llm import SAMPLE, LocalModel

KIT = Path(__file__).resolve().parent.parent
SUBMISSION = Path(os.environ.get("SUBMISSION", KIT / "starter")).resolve()
START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 10


@pytest.fixture(scope="session")
def model() -> Iterator[LocalModel]:
    """The language model; `model.faults` are what it is yet to get wrong, `model.seen` is what it was asked."""
    with LocalModel(0) as model:
        threading.Thread(target=model.serve_forever, daemon=True).start()
        yield model
        model.shutdown()


@pytest.fixture(autouse=True)
def healthy(model: LocalModel) -> None:
    """Every test begins with a model that is well and was asked nothing."""
    model.faults.clear()
    model.seen.clear()


@pytest.fixture(scope="session")
def client(model: LocalModel) -> Iterator[httpx.Client]:
    """A client of your running service."""
    with running_service(model, {}) as client:
        yield client


@pytest.fixture
def start_service(model: LocalModel) -> Iterator[Callable[..., httpx.Client]]:
    """Starts your service once more with further settings, as in start_service(PROMPT_TOKEN_BUDGET="300")."""
    with ExitStack() as started:
        yield lambda **settings: started.enter_context(running_service(model, settings))


@contextmanager
def running_service(model: LocalModel, settings: dict[str, str]) -> Iterator[httpx.Client]:
    """Your service with these settings. What it printed is shown if it does not get ready."""
    with tempfile.TemporaryFile() as log, socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        reserved.close()
        environment = {
            **os.environ,
            "PORT": str(port),
            "LLM_URL": f"http://127.0.0.1:{model.server_address[1]}",
            "CORPUS_FILE": str(SAMPLE / "corpus.jsonl"),
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
def questions() -> list[dict[str, Any]]:
    """Questions about the sample corpus; where nothing answers one, `answer` is None."""
    return json.loads((SAMPLE / "questions.json").read_text(encoding="utf-8"))


@pytest.fixture
def tenant() -> dict[str, str]:
    """The header of a tenant that has no documents yet."""
    return {"X-Tenant": f"test-{uuid.uuid4().hex[:8]}"}
