"""The prediction service as it runs today: right, and without eyes. Everything here is yours to change."""

import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

import requests_in
from model import Model
from requests_in import Refused

PORT = int(os.environ.get("PORT", "8000"))
MODEL_DIR = Path(os.environ.get("MODEL_DIR", "/assets/model"))

model = Model(MODEL_DIR)
app = FastAPI(title="Late parcels")


@app.get("/ready")
async def ready() -> dict:
    return {"ready": True, "model_version": model.version}


@app.post("/predict")
async def predict(request: Request) -> Response:
    instances = requests_in.read_instances(await request.body(), model)
    predictions = []
    for identifier, parcel in instances:
        probability = model.probability(parcel)
        predictions.append({"id": identifier, "probability": probability, "late": model.is_late(probability)})
    return JSONResponse({"model_version": model.version, "predictions": predictions})


@app.exception_handler(Refused)
async def refuse(request: Request, refused: Refused) -> Response:
    return JSONResponse({"error": refused.problem}, refused.status)


# TODO: GET /metrics, POST /labels, and alerts.yml: see brief.md.


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=PORT, access_log=False)
