"""The same service with Flask and threads: vectors only, over pairs of sentences."""

import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import waitress
from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from corpus import Corpus, Unit
from model import Answer, Model, Question, Rejected, Unavailable, believed, question
from vectors import Vectors

THREADS = 40
SETTINGS = os.environ.get
CODES = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large"}

app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = int(SETTINGS("MAX_BODY_BYTES", "262144"))
corpus = Corpus(Vectors())
model = Model(
    SETTINGS("LLM_URL", "http://127.0.0.1:9000"),
    SETTINGS("LLM_MODEL", "reader-1"),
    int(SETTINGS("LLM_TIMEOUT_MS", "5000")) / 1000,
    int(SETTINGS("RETRY_BASE_MS", "200")) / 1000,
)
prompt_budget = int(SETTINGS("PROMPT_TOKEN_BUDGET", "1200"))
tenant_budget = int(SETTINGS("TENANT_TOKEN_BUDGET", "0"))


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers or {}


def refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    answer = jsonify({"error": {"code": code, "message": message}})
    answer.status_code = status
    answer.headers.update(headers or {})
    return answer


@app.errorhandler(Refusal)
def on_refusal(refusal: Refusal) -> Response:
    return refused(refusal.status, refusal.code, str(refusal), refusal.headers)


@app.errorhandler(Unavailable)
def on_unavailable(error: Unavailable) -> Response:
    headers = {} if error.retry_after is None else {"Retry-After": str(error.retry_after)}
    return refused(503, "llm_unavailable", str(error), headers)


@app.errorhandler(Rejected)
def on_rejected(error: Rejected) -> Response:
    return refused(502, "llm_rejected", str(error))


@app.errorhandler(HTTPException)
def on_http(error: HTTPException) -> Response:
    return refused(error.code or 500, CODES.get(error.code or 500, "http_error"), error.description or error.name)


@app.errorhandler(Exception)
def on_crash(error: Exception) -> Response:
    logging.exception("a request failed", exc_info=error)
    return refused(500, "internal_error", "something broke")


def tenant() -> str:
    name = request.headers.get("X-Tenant", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", name):
        raise Refusal(400, "tenant_required", "X-Tenant is missing or malformed")
    return name


def body() -> dict[str, Any]:
    try:
        document = json.loads(request.get_data())
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "invalid_json", "not JSON") from error
    if not isinstance(document, dict):
        raise invalid("an object is wanted")
    return document


def text_of(document: dict[str, Any], key: str, longest: int) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise invalid(f"{key} must be a string, not blank, of at most {longest} characters")
    return value


def invalid(message: str) -> Refusal:
    return Refusal(422, "validation_failed", message)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/ready")
def ready() -> dict[str, bool]:
    return {"ready": True}


@app.put("/documents/<identifier>")
def put(identifier: str) -> tuple[dict[str, str], int]:
    name, document = tenant(), body()
    title, text = text_of(document, "title", 200), text_of(document, "text", 10**9)
    is_new = corpus.put(name, identifier, title, text)
    return {"id": identifier, "title": title}, 201 if is_new else 200


@app.delete("/documents/<identifier>")
def delete(identifier: str) -> tuple[str, int]:
    if not corpus.delete(tenant(), identifier):
        raise Refusal(404, "not_found", "there is no such document")
    return "", 204


@app.get("/documents")
def documents() -> dict[str, Any]:
    return {"documents": [{"id": one, "title": title} for one, title in corpus.titles(tenant())]}


@app.post("/search")
def search() -> dict[str, Any]:
    name, document = tenant(), body()
    query, count = text_of(document, "query", 500), document.get("k", 5)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 20:
        raise invalid("k must be a whole number from 1 to 20")
    best: dict[str, dict[str, Any]] = {}
    for found in corpus.search(name, query):
        unit = found.unit
        result = {"document_id": unit.document_id, "score": found.score, "passage": unit.text}
        best.setdefault(unit.document_id, result)
    return {"results": list(best.values())[:count]}


@app.post("/ask")
def ask() -> Response:
    name, document = tenant(), body()
    asked, stream = text_of(document, "question", 500), document.get("stream", False)
    if not isinstance(stream, bool):
        raise invalid("stream must be true or false")
    if tenant_budget and sum(corpus.spent(name)) >= tenant_budget:
        raise Refusal(429, "budget_exhausted", "no tokens are left")
    found = corpus.search(name, asked)
    prompt = question(asked, found, prompt_budget) if found else None
    if stream:
        return Response(events(name, prompt), mimetype="text/event-stream")
    if prompt is None:
        return jsonify(reply(None, None))
    answer = model.ask(prompt.messages)
    corpus.spend(name, answer.prompt_tokens, answer.completion_tokens)
    return jsonify(reply(believed(answer.text, prompt), answer))


def events(name: str, prompt: Question | None) -> Iterator[bytes]:
    answer = None
    try:
        for piece in model.stream(prompt.messages) if prompt else ():
            if isinstance(piece, Answer):
                answer = piece
                corpus.spend(name, answer.prompt_tokens, answer.completion_tokens)
            else:
                yield event("token", {"text": piece})
    except (Unavailable, Rejected) as error:
        code = "llm_unavailable" if isinstance(error, Unavailable) else "llm_rejected"
        yield event("error", {"error": {"code": code, "message": str(error)}})
        return
    yield event("done", reply(believed(answer.text, prompt) if answer and prompt else None, answer))


def event(kind: str, data: dict[str, Any]) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def reply(known: tuple[str, list[Unit]] | None, answer: Answer | None) -> dict[str, Any]:
    text, sources = known or (None, [])
    return {
        "answered": known is not None,
        "answer": text,
        "citations": [{"document_id": unit.document_id, "quote": unit.text} for unit in sources],
        "usage": {
            "prompt_tokens": answer.prompt_tokens if answer else 0,
            "completion_tokens": answer.completion_tokens if answer else 0,
        },
    }


@app.get("/usage")
def usage() -> dict[str, Any]:
    prompt_tokens, completion_tokens = corpus.spent(tenant())
    prices = float(SETTINGS("PROMPT_USD_PER_1M", "0.5")), float(SETTINGS("COMPLETION_USD_PER_1M", "1.5"))
    cost_usd = (prompt_tokens * prices[0] + completion_tokens * prices[1]) / 1e6
    return {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens, "cost_usd": cost_usd}


def load(path: Path) -> None:
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            corpus.put(row["tenant"], row["id"], row["title"], row["text"])


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    load(Path(SETTINGS("CORPUS_FILE", "/assets/sample/corpus.jsonl")))
    waitress.serve(app, host="0.0.0.0", port=int(SETTINGS("PORT", "8000")), threads=THREADS)
