"""The churn service: FastAPI over one ONNX model."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

import errors
import metrics
import validation
from errors import ApiError
from model import Model
from settings import Settings
from validation import Instance

GRACE_S = 8
ROUTES = ("/predict", "/predict/batch")
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}

log = logging.getLogger("churn")


def build_app(settings: Settings) -> FastAPI:
    app = FastAPI(title="Subscriber churn", lifespan=lambda app: load_model_beside(app, settings))
    app.state.model = None
    app.state.metrics = metrics.Metrics()

    @app.get("/healthz")
    async def healthz() -> dict:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready(request: Request) -> dict:
        return {"ready": True, "model_version": loaded_model(request).schema.version}

    @app.get("/model")
    async def model(request: Request) -> dict:
        schema = loaded_model(request).schema
        return {
            "name": schema.name,
            "version": schema.version,
            "threshold": schema.threshold,
            "features": [feature.name for feature in schema.features],
        }

    @app.get("/metrics")
    async def metrics_page(request: Request) -> Response:
        return Response(request.app.state.metrics.page(), media_type=metrics.CONTENT_TYPE)

    @app.post("/predict")
    async def predict(request: Request) -> dict:
        model = loaded_model(request)
        document = await read_json(request, settings.max_body_bytes)
        instance = validation.read_single(document, model.schema)
        predictions = await score(request, model, [instance], settings)
        return {**predictions[0], "model_version": model.schema.version}

    @app.post("/predict/batch")
    async def predict_batch(request: Request) -> dict:
        model = loaded_model(request)
        document = await read_json(request, settings.max_body_bytes)
        instances = validation.read_batch(document, model.schema, settings.max_batch_rows)
        predictions = await score(request, model, instances, settings)
        # Fault: "the riskiest first" is nice to read, and the callers match answers by position.
        predictions.sort(key=lambda prediction: prediction["probability"], reverse=True)
        return {"model_version": model.schema.version, "predictions": predictions}

    @app.middleware("http")
    async def measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        if request.url.path in ROUTES:
            request.app.state.metrics.answered(request.url.path, time.perf_counter() - started)
        return response

    @app.exception_handler(ApiError)
    async def answer_api_error(request: Request, error: ApiError) -> JSONResponse:
        request.app.state.metrics.refused(error.code)
        return JSONResponse(error.body(), error.status)

    @app.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTP_CODES.get(error.status_code, "http_error")
        request.app.state.metrics.refused(code)
        answer = ApiError(error.status_code, code, f"{request.method} {request.url.path}: {error.detail}")
        return JSONResponse(answer.body(), error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def answer_crash(request: Request, error: Exception) -> JSONResponse:
        request.app.state.metrics.refused("internal_error")
        return JSONResponse(ApiError(500, "internal_error", "Something broke on our side.").body(), 500)

    return app


@asynccontextmanager
async def load_model_beside(app: FastAPI, settings: Settings) -> AsyncIterator[None]:
    """Loads the model while the service already answers /healthz; /ready says when it is there."""

    async def load() -> None:
        try:
            app.state.model = await asyncio.to_thread(Model, settings.model_dir)
            log.info("model %s is loaded", app.state.model.schema.version)
        except Exception:
            log.exception("the model in %s could not be loaded", settings.model_dir)

    loading = asyncio.create_task(load())
    yield
    loading.cancel()


def loaded_model(request: Request) -> Model:
    if request.app.state.model is None:
        raise errors.not_ready()
    return request.app.state.model


async def read_json(request: Request, max_bytes: int) -> object:
    """The request's JSON. Reads no more than the limit, whatever Content-Length says."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise errors.unsupported_media_type()
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise errors.body_too_large(max_bytes)
    return validation.parse_json(bytes(body))


async def score(request: Request, model: Model, instances: list[Instance], settings: Settings) -> list[dict]:
    """The predictions, in the order of the instances, after the (simulated) feature store has answered."""
    await asyncio.sleep(settings.lookup_delay_s)
    probabilities = model.probabilities([instance.features for instance in instances])
    request.app.state.metrics.scored(len(instances))
    return [
        {"id": instance.id, "probability": probability, "churn": model.churns(probability)}
        for instance, probability in zip(instances, probabilities, strict=True)
    ]


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.from_environment()
    # On SIGTERM uvicorn stops accepting and waits for the requests in flight.
    uvicorn.run(
        build_app(settings), host="0.0.0.0", port=settings.port, access_log=False, timeout_graceful_shutdown=GRACE_S
    )


if __name__ == "__main__":
    main()
