import json
import logging
import os
import time
from pathlib import Path
from typing import Literal

import numpy as np
import onnxruntime as rt
import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from prometheus_client import Counter, Histogram, generate_latest
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger("churn")

MODEL_DIR = Path(os.environ.get("MODEL_DIR", "/assets/model"))
MAX_BATCH_ROWS = int(os.environ.get("MAX_BATCH_ROWS", "1000"))
LOOKUP_DELAY_MS = int(os.environ.get("LOOKUP_DELAY_MS", "0"))

schema = json.loads((MODEL_DIR / "schema.json").read_text())
session = rt.InferenceSession(str(MODEL_DIR / "model.onnx"))

PREDICTIONS = Counter("predictions_total", "Number of predictions")
ERRORS = Counter("request_errors_total", "Number of errors", ["code"])
DURATION = Histogram("request_duration_seconds", "Request duration", ["route"])


class Features(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenure_months: int = Field(ge=0, le=240)
    contract: Literal["monthly", "one_year", "two_year"]
    monthly_fee: float = Field(ge=0, le=250)
    support_tickets_90d: int = Field(ge=0, le=40)
    data_usage_gb: float = Field(ge=0, le=2000)
    usage_trend: float = Field(ge=-1, le=4)
    payment_method: Literal["bank_transfer", "card", "invoice", "wallet"]
    late_payments_12m: int = Field(ge=0, le=12)
    region: Literal["central", "east", "north", "south", "west"]
    days_since_login: int = Field(ge=0, le=730)


class Instance(BaseModel):
    id: str | None = None
    features: Features


class Batch(BaseModel):
    instances: list[Instance] = Field(min_length=1, max_length=MAX_BATCH_ROWS)


NUMERIC = [name for name, field in Features.model_fields.items() if field.annotation in (int, float)]
CATEGORICAL = [name for name in Features.model_fields if name not in NUMERIC]

app = FastAPI(title="Churn")


def error_response(status, code, message, details=()):
    ERRORS.labels(code=code).inc()
    return JSONResponse({"error": {"code": code, "message": message, "details": list(details)}}, status_code=status)


@app.exception_handler(RequestValidationError)
async def on_invalid(request: Request, exc: RequestValidationError):
    details = []
    for error in exc.errors():
        field = ""
        for part in error["loc"][1:]:
            field += f"[{part}]" if isinstance(part, int) else f".{part}"
        details.append({"field": field.lstrip(".") or "body", "problem": error["msg"]})
    return error_response(422, "validation_failed", "The request is not valid.", details)


@app.exception_handler(HTTPException)
async def on_http_error(request: Request, exc: HTTPException):
    code = {404: "not_found", 405: "method_not_allowed"}.get(exc.status_code, "error")
    return error_response(exc.status_code, code, str(exc.detail))


def score(instances):
    time.sleep(LOOKUP_DELAY_MS / 1000)
    rows = [instance.features.model_dump() for instance in instances]
    numeric = np.array([[row[n] for n in NUMERIC] for row in rows], dtype=np.float32)
    categorical = np.array([[row[n] for n in CATEGORICAL] for row in rows], dtype=object)
    probabilities = session.run(["probabilities"], {"numeric": numeric, "categorical": categorical})[0][:, 1]
    PREDICTIONS.inc()
    return [
        {"id": instance.id, "probability": float(p), "churn": bool(p >= schema["threshold"])}
        for instance, p in zip(instances, probabilities)
    ]


@app.post("/predict")
async def predict(instance: Instance):
    logger.info("predict %s", instance)
    with DURATION.labels(route="/predict").time():
        return {**score([instance])[0], "model_version": schema["version"]}


@app.post("/predict/batch")
async def predict_batch(batch: Batch):
    logger.info("batch of %d", len(batch.instances))
    with DURATION.labels(route="/predict/batch").time():
        return {"model_version": schema["version"], "predictions": score(batch.instances)}


@app.get("/healthz")
async def healthz():
    return {"status": "ok"}


@app.get("/ready")
async def ready():
    return {"ready": True, "model_version": schema["version"]}


@app.get("/model")
async def model():
    return {
        "name": schema["name"],
        "version": schema["version"],
        "threshold": schema["threshold"],
        "features": [feature["name"] for feature in schema["features"]],
    }


@app.get("/metrics")
async def metrics():
    return Response(generate_latest(), media_type="text/plain")


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=int(os.environ.get("PORT", "8000")))
