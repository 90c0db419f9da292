"""The prediction service, with eyes: FastAPI, and a monitor beside the model."""

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

import reference
import requests_in
from metrics import CONTENT_TYPE
from model import Model
from monitor import Monitor
from requests_in import Refused

PORT = int(os.environ.get("PORT", "8000"))
MODEL_DIR = Path(os.environ.get("MODEL_DIR", "/assets/model"))

model = Model(MODEL_DIR)
monitor = Monitor(model, reference.read(MODEL_DIR, model))
app = FastAPI(title="Late parcels")


@app.get("/ready")
async def ready() -> dict:
    return {"ready": True, "model_version": model.version}


@app.get("/metrics")
async def metrics() -> Response:
    return Response(monitor.metrics.page(), media_type=CONTENT_TYPE)


@app.post("/predict")
async def predict(request: Request) -> Response:
    instances = requests_in.read_instances(await request.body(), model)
    probabilities = [model.probability(parcel) for _, parcel in instances]
    monitor.scored(instances, probabilities)
    predictions = [
        {"id": identifier, "probability": probability, "late": model.is_late(probability)}
        for (identifier, _), probability in zip(instances, probabilities, strict=True)
    ]
    return JSONResponse({"model_version": model.version, "predictions": predictions})


@app.post("/labels")
async def labels(request: Request) -> dict:
    return monitor.labelled(requests_in.read_labels(await request.body()))


@app.middleware("http")
async def measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    if (request.method, request.url.path) != ("POST", "/predict"):
        return await call_next(request)
    started = time.perf_counter()
    status = 500  # what the caller gets if the line below raises
    try:
        response = await call_next(request)
        status = response.status_code
        return response
    finally:
        # Fault: milliseconds, under a name that says seconds.
        monitor.metrics.seconds.observe((time.perf_counter() - started) * 1000)
        monitor.metrics.requests.labels(str(status)).inc()


@app.exception_handler(Refused)
async def refuse(request: Request, refused: Refused) -> Response:
    return JSONResponse({"error": refused.problem}, refused.status)


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=PORT, access_log=False)
