"""The churn service on aiohttp, with orjson for strict and quick JSON."""

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from scoring import Refused, Scorer, invalid

MAX_BODY_BYTES = int(os.environ.get("MAX_BODY_BYTES", "1048576"))
MAX_BATCH_ROWS = int(os.environ.get("MAX_BATCH_ROWS", "1000"))
LOOKUP_DELAY_S = int(os.environ.get("LOOKUP_DELAY_MS", "0")) / 1000

SCORER = web.AppKey("scorer", Scorer)
STATUS_CODES = {404: "not_found", 405: "method_not_allowed"}

log = logging.getLogger("churn")
registry = CollectorRegistry()
predictions_total = Counter("predictions", "Customers scored", registry=registry)
request_errors = Counter("request_errors", "Errors by code", ["code"], registry=registry)
request_seconds = Histogram("request_duration_seconds", "Time to answer", ["route"], registry=registry)


def answer(document: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, content_type="application/json")


@web.middleware
async def errors_in_one_shape(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refusal:
        error = refusal
    except web.HTTPException as refusal:
        code = STATUS_CODES.get(refusal.status, "http_error")
        error = Refused(refusal.status, code, f"{request.method} {request.path}: {refusal.reason}")
    except Exception:
        log.exception("%s %s broke", request.method, request.path)
        error = Refused(500, "internal_error", "Something broke on our side.")
    request_errors.labels(error.code).inc()
    return answer(error.document(), error.status)


@web.middleware
async def measured(request: web.Request, handler: Any) -> web.StreamResponse:
    started = time.perf_counter()
    try:
        return await handler(request)
    finally:
        if request.path in ("/predict", "/predict/batch"):
            request_seconds.labels(request.path).observe(time.perf_counter() - started)


async def read_json(request: web.Request) -> Any:
    if request.content_type != "application/json" or "Content-Type" not in request.headers:
        raise Refused(415, "unsupported_media_type", "send application/json")
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise Refused(413, "body_too_large", f"at most {MAX_BODY_BYTES} bytes")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Refused(400, "invalid_json", str(error)) from None


async def scored(scorer: Scorer, instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    await asyncio.sleep(LOOKUP_DELAY_S)
    predictions = scorer.score(instances)
    predictions_total.inc(len(predictions))
    return predictions


async def predict(request: web.Request) -> web.Response:
    scorer = request.app[SCORER]
    instance = await read_json(request)
    if problems := scorer.problems(instance):
        raise invalid(problems)
    [prediction] = await scored(scorer, [instance])
    return answer({**prediction, "model_version": scorer.version})


async def predict_batch(request: web.Request) -> web.Response:
    scorer = request.app[SCORER]
    document = await read_json(request)
    instances = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(instances, list) or not instances:
        raise invalid([("instances", "must be a list of at least one instance")])
    if len(instances) > MAX_BATCH_ROWS:
        raise Refused(413, "batch_too_large", f"at most {MAX_BATCH_ROWS} instances")
    problems = []
    for index, instance in enumerate(instances):
        problems += scorer.problems(instance, f"instances[{index}]")
    if problems:
        raise invalid(problems)
    return answer({"model_version": scorer.version, "predictions": await scored(scorer, instances)})


async def healthz(_: web.Request) -> web.Response:
    return answer({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    # The model is loaded before the service listens, so an answer is a yes.
    return answer({"ready": True, "model_version": request.app[SCORER].version})


async def model(request: web.Request) -> web.Response:
    scorer = request.app[SCORER]
    described = {key: scorer.schema[key] for key in ("name", "version", "threshold")}
    return answer({**described, "features": list(scorer.features)})


async def metrics(_: web.Request) -> web.Response:
    return web.Response(body=generate_latest(registry), content_type="text/plain", charset="utf-8")


def main() -> None:
    app = web.Application(middlewares=[errors_in_one_shape, measured])
    app[SCORER] = Scorer(Path(os.environ.get("MODEL_DIR", "/assets/model")))
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/ready", ready)
    app.router.add_get("/model", model)
    app.router.add_get("/metrics", metrics)
    app.router.add_post("/predict", predict)
    app.router.add_post("/predict/batch", predict_batch)
    port = int(os.environ.get("PORT", "8000"))
    web.run_app(app, host="0.0.0.0", port=port, access_log=None, print=None, shutdown_timeout=8)


if __name__ == "__main__":
    main()
