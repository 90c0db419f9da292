"""A service that starts, and says what it cannot do yet. Everything here is yours to change.

Any framework of requirements.lock will do; this one happens to use FastAPI.
"""

import json
import os
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse

PORT = int(os.environ.get("PORT", "8000"))
MODEL_DIR = Path(os.environ.get("MODEL_DIR", "/assets/model"))

schema = json.loads((MODEL_DIR / "schema.json").read_text(encoding="utf-8"))
app = FastAPI(title="Subscriber churn")


@app.get("/ready")
def ready() -> dict:
    # TODO: the model is not loaded yet, so this is not true.
    return {"ready": True}


@app.post("/predict")
def predict() -> JSONResponse:
    # TODO: read the request, check it against the schema, ask the model (onnxruntime), answer.
    names = ", ".join(feature["name"] for feature in schema["features"])
    message = f"not implemented yet; the model {schema['name']} {schema['version']} wants {names}"
    return JSONResponse({"error": {"code": "not_implemented", "message": message, "details": []}}, status_code=501)


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=PORT)
