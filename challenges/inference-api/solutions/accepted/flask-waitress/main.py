"""The churn service on Flask and waitress: threads instead of an event loop, pydantic types made from the schema."""

import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import onnxruntime
import orjson
from flask import Flask, Response, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model
from waitress.server import create_server
from werkzeug.exceptions import HTTPException

MODEL_DIR = Path(os.environ.get("MODEL_DIR", "/assets/model"))
MAX_BODY_BYTES = int(os.environ.get("MAX_BODY_BYTES", "1048576"))
MAX_BATCH_ROWS = int(os.environ.get("MAX_BATCH_ROWS", "1000"))
LOOKUP_DELAY_S = int(os.environ.get("LOOKUP_DELAY_MS", "0")) / 1000
THREADS = 24
GRACE_S = 8.0

SCHEMA = json.loads((MODEL_DIR / "schema.json").read_text(encoding="utf-8"))
NUMERIC = [feature["name"] for feature in SCHEMA["features"] if feature["type"] != "category"]
CATEGORICAL = [feature["name"] for feature in SCHEMA["features"] if feature["type"] == "category"]
OPTIONS = onnxruntime.SessionOptions()
OPTIONS.intra_op_num_threads = 1
SESSION = onnxruntime.InferenceSession(str(MODEL_DIR / "model.onnx"), OPTIONS)

REGISTRY = CollectorRegistry()
PREDICTIONS = Counter("predictions", "Customers scored", registry=REGISTRY)
ERRORS = Counter("request_errors", "Errors by code", ["code"], registry=REGISTRY)
SECONDS = Histogram("request_duration_seconds", "Time to answer", ["route"], registry=REGISTRY)

CODES = {400: "invalid_json", 404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 500: "internal_error"}


def value_type(feature: dict[str, Any]) -> Any:
    """The strict type of one feature."""
    if feature["type"] == "category":
        return Literal[tuple(feature["categories"])]
    number = int if feature["type"] == "integer" else float
    return Annotated[number, Field(strict=True, ge=feature["minimum"], le=feature["maximum"], allow_inf_nan=False)]


Features = create_model(
    "Features",
    __config__=ConfigDict(extra="forbid"),
    **{feature["name"]: (value_type(feature), ...) for feature in SCHEMA["features"]},
)


class Instance(BaseModel):
    id: Annotated[str, StringConstraints(strict=True, max_length=64)] | None = None
    features: Features


class Batch(BaseModel):
    instances: Annotated[list[Instance], Field(min_length=1)]


class Refused(Exception):
    def __init__(self, status: int, code: str, message: str, details: list[dict[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details or []


app = Flask(__name__)


def answer(document: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(document), status, content_type="application/json")


@app.errorhandler(Refused)
def refuse(error: Refused) -> Response:
    ERRORS.labels(error.code).inc()
    return answer({"error": {"code": error.code, "message": error.message, "details": error.details}}, error.status)


@app.errorhandler(HTTPException)
def refuse_http(error: HTTPException) -> Response:
    status = error.code or 500
    return refuse(Refused(status, CODES.get(status, "http_error"), error.description or error.name))


def read(kind: type[BaseModel]) -> Any:
    """The request's body as a valid `kind`, or a refusal that names everything that is wrong."""
    if request.mimetype != "application/json":
        raise Refused(415, "unsupported_media_type", "send application/json")
    body = request.stream.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise Refused(413, "body_too_large", f"at most {MAX_BODY_BYTES} bytes")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "invalid_json", str(error)) from None
    rows = document.get("instances") if kind is Batch and isinstance(document, dict) else None
    if isinstance(rows, list) and len(rows) > MAX_BATCH_ROWS:
        raise Refused(413, "batch_too_large", f"at most {MAX_BATCH_ROWS} instances")
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        details = [{"field": path(problem["loc"]), "problem": problem["msg"]} for problem in error.errors()]
        raise Refused(422, "validation_failed", f"{len(details)} value(s) were refused", details) from None


def path(location: tuple[int | str, ...]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return text.removeprefix(".") or "body"


def score(instances: list[Instance]) -> list[dict[str, Any]]:
    time.sleep(LOOKUP_DELAY_S)  # in a thread of its own: nobody else waits
    rows = [dict(instance.features) for instance in instances]
    inputs = {
        "numeric": np.array([[row[name] for name in NUMERIC] for row in rows], dtype=np.float32),
        "categorical": np.array([[row[name] for name in CATEGORICAL] for row in rows], dtype=object),
    }
    chances = SESSION.run(["probabilities"], inputs)[0][:, 1].astype(float).tolist()
    PREDICTIONS.inc(len(rows))
    return [
        {"id": instance.id, "probability": chance, "churn": chance >= SCHEMA["threshold"]}
        for instance, chance in zip(instances, chances, strict=True)
    ]


@app.post("/predict")
def predict() -> Response:
    with SECONDS.labels("/predict").time():
        [prediction] = score([read(Instance)])
        return answer({**prediction, "model_version": SCHEMA["version"]})


@app.post("/predict/batch")
def predict_batch() -> Response:
    with SECONDS.labels("/predict/batch").time():
        return answer({"model_version": SCHEMA["version"], "predictions": score(read(Batch).instances)})


@app.get("/healthz")
def healthz() -> Response:
    return answer({"status": "ok"})


@app.get("/ready")
def ready() -> Response:
    return answer({"ready": True, "model_version": SCHEMA["version"]})


@app.get("/model")
def model() -> Response:
    described = {key: SCHEMA[key] for key in ("name", "version", "threshold")}
    return answer({**described, "features": [feature["name"] for feature in SCHEMA["features"]]})


@app.get("/metrics")
def metrics() -> Response:
    return Response(generate_latest(REGISTRY), content_type="text/plain; version=0.0.4; charset=utf-8")


class InFlight:
    """Counts the requests being answered, so that the process can end when there are none."""

    def __init__(self, wrapped: Any) -> None:
        self._wrapped = wrapped
        self._count = 0
        self._changed = threading.Condition()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        with self._changed:
            self._count += 1
        try:
            return [b"".join(self._wrapped(environ, start_response))]
        finally:
            with self._changed:
                self._count -= 1
                self._changed.notify_all()

    def end_when_idle(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._count == 0, GRACE_S)
        time.sleep(0.3)  # waitress' own loop sends what the threads have handed to it
        os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    in_flight = InFlight(app)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=in_flight.end_when_idle, daemon=True).start())
    port = int(os.environ.get("PORT", "8000"))
    create_server(in_flight, host="0.0.0.0", port=port, threads=THREADS, ident=None).run()


if __name__ == "__main__":
    main()
