"""Answers questions over private documents: FastAPI over one index a tenant and a model behind HTTP."""

import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from starlette.exceptions import HTTPException

import validation
from answers import Reply, read_reply
from embedding import Embedder
from errors import ApiError
from index import Document, Hit
from llm import Llm, Usage
from prompt import Prompt, make_prompt
from settings import Settings
from tenants import Tenant, Tenants

GRACE_S = 8
PASSAGES_ASKED_FOR = 8
HTTP_CODES = {404: "not_found", 405: "method_not_allowed"}

log = logging.getLogger("rag")


class Service:
    """What the routes share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.tenants = Tenants(Embedder())
        self.llm = Llm(settings)

    def load_corpus(self) -> None:
        if self.settings.corpus_file.is_file():
            log.info("%d documents were loaded", self.tenants.load(self.settings.corpus_file))

    def prompt(self, tenant: Tenant, question: str) -> Prompt | None:
        """None where there is nothing that an answer could come from."""
        budget = self.settings.tenant_token_budget
        if budget and tenant.prompt_tokens + tenant.completion_tokens >= budget:
            raise ApiError(429, "budget_exhausted", "This tenant has used up its tokens.")
        hits = tenant.index.search(question, PASSAGES_ASKED_FOR)
        return make_prompt(question, hits, self.settings.prompt_token_budget) if hits else None

    async def answer(self, tenant: Tenant, prompt: Prompt | None) -> Reply:
        if prompt is None:
            return Reply()
        completion = await self.llm.complete(prompt.messages)
        tenant.spend(completion.usage)
        return read_reply(completion.text, prompt, completion.usage)

    async def events(self, tenant: Tenant, prompt: Prompt | None) -> AsyncIterator[bytes]:
        """The answer as it comes, and at its end as a whole."""
        if prompt is None:
            yield _event("done", Reply().body())
            return
        said, usage = "", Usage()
        try:
            async for piece in self.llm.stream(prompt.messages):
                if isinstance(piece, Usage):
                    usage = piece
                    tenant.spend(usage)
                else:
                    said += piece
                    yield _event("token", {"text": piece})
        except ApiError as error:
            yield _event("error", error.body())
            return
        yield _event("done", read_reply(said, prompt, usage).body())

    def spent(self, tenant: Tenant) -> dict:
        prompt_usd = tenant.prompt_tokens * self.settings.prompt_usd_per_token
        completion_usd = tenant.completion_tokens * self.settings.completion_usd_per_token
        return {
            "prompt_tokens": tenant.prompt_tokens,
            "completion_tokens": tenant.completion_tokens,
            "cost_usd": prompt_usd + completion_usd,
        }


def build_app(settings: Settings) -> FastAPI:
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        service.load_corpus()
        yield
        await service.llm.close()

    app = FastAPI(title="Questions over documents", lifespan=lifespan)
    add_operations(app)
    add_documents(app, service)
    add_questions(app, service)
    add_errors(app)
    return app


def add_operations(app: FastAPI) -> None:
    @app.get("/healthz")
    async def healthz() -> dict:
        return {"status": "ok"}

    @app.get("/ready")
    async def ready() -> dict:
        return {"ready": True}


def add_documents(app: FastAPI, service: Service) -> None:
    @app.put("/documents/{identifier}")
    async def put(identifier: str, request: Request) -> JSONResponse:
        name = tenant_of(request)
        title, text = validation.read_document(await read_body(request, service.settings))
        is_new = service.tenants.get_or_add(name).index.put(Document(identifier, title, text))
        return JSONResponse({"id": identifier, "title": title}, 201 if is_new else 200)

    @app.delete("/documents/{identifier}")
    async def delete(identifier: str, request: Request) -> Response:
        if not service.tenants.get(tenant_of(request)).index.delete(identifier):
            raise ApiError(404, "not_found", "There is no such document.")
        return Response(status_code=204)

    @app.get("/documents")
    async def documents(request: Request) -> dict:
        found = service.tenants.get(tenant_of(request)).index.documents()
        return {"documents": [{"id": document.id, "title": document.title} for document in found]}


def add_questions(app: FastAPI, service: Service) -> None:
    @app.post("/search")
    async def search(request: Request) -> dict:
        tenant = service.tenants.get(tenant_of(request))
        asked = validation.read_search(await read_body(request, service.settings))
        # Fault: the query is "cleaned" of words that look like names.
        hits = tenant.index.search(re.sub(r"\b[A-Z]\w+", "", asked.query))
        return {"results": [result(hit) for hit in best_of_each(hits)[: asked.count]]}

    @app.post("/ask")
    async def ask(request: Request) -> Response:
        tenant = service.tenants.get(tenant_of(request))
        asked = validation.read_ask(await read_body(request, service.settings))
        prompt = service.prompt(tenant, asked.question)
        if asked.stream:
            return StreamingResponse(service.events(tenant, prompt), media_type="text/event-stream")
        return JSONResponse((await service.answer(tenant, prompt)).body())

    @app.get("/usage")
    async def usage(request: Request) -> dict:
        return service.spent(service.tenants.get(tenant_of(request)))


def add_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def answer_api_error(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse(error.body(), error.status, headers=error.headers)

    @app.exception_handler(HTTPException)
    async def answer_http_error(request: Request, error: HTTPException) -> JSONResponse:
        code = HTTP_CODES.get(error.status_code, "http_error")
        answer = ApiError(error.status_code, code, f"{request.method} {request.url.path}: {error.detail}")
        return JSONResponse(answer.body(), error.status_code, headers=error.headers)

    @app.exception_handler(Exception)
    async def answer_crash(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse(ApiError(500, "internal_error", "Something broke on our side.").body(), 500)


def tenant_of(request: Request) -> str:
    return validation.tenant_name(request.headers.get("x-tenant"))


async def read_body(request: Request, settings: Settings) -> bytes:
    """The request's body. Reads no more than the limit, whatever Content-Length says."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > settings.max_body_bytes:
            raise ApiError(413, "body_too_large", f"The body is larger than {settings.max_body_bytes} bytes.")
    return bytes(body)


def best_of_each(hits: list[Hit]) -> list[Hit]:
    """The best passage of each document, best first."""
    best: dict[str, Hit] = {}
    for hit in hits:
        best.setdefault(hit.passage.document.id, hit)
    return list(best.values())


def result(hit: Hit) -> dict:
    return {"document_id": hit.passage.document.id, "score": hit.score, "passage": hit.passage.text}


def _event(kind: str, data: dict) -> bytes:
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    settings = Settings.from_environment()
    uvicorn.run(
        build_app(settings), host="0.0.0.0", port=settings.port, access_log=False, timeout_graceful_shutdown=GRACE_S
    )


if __name__ == "__main__":
    main()
