"""A service that starts, and says what it cannot do yet. Everything here is yours to change.

Any framework of requirements.lock will do; this one happens to use FastAPI. embedding.py turns texts into vectors.
"""

import os

import uvicorn
from fastapi import FastAPI, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

PORT = int(os.environ.get("PORT", "8000"))

app = FastAPI(title="Questions over documents")
# TODO: a request without a tenant should be refused, and CORPUS_FILE should be loaded.
documents: dict[str, dict[str, dict[str, str]]] = {}


class Document(BaseModel):
    title: str
    text: str


class Search(BaseModel):
    query: str
    k: int = 5


@app.get("/healthz")
def healthz() -> dict:
    return {"status": "ok"}


@app.get("/ready")
def ready() -> dict:
    return {"ready": True}


@app.put("/documents/{identifier}")
def put(identifier: str, document: Document, response: Response, x_tenant: str = Header("")) -> dict:
    mine = documents.setdefault(x_tenant, {})
    response.status_code = 200 if identifier in mine else 201
    mine[identifier] = {"id": identifier, "title": document.title, "text": document.text}
    return {"id": identifier, "title": document.title}


@app.post("/search")
def search(search: Search, x_tenant: str = Header("")) -> dict:
    # TODO: this counts shared words in whole documents. Cut them into passages, embed those, compare vectors.
    words = set(search.query.lower().split())
    scored = [
        {
            "document_id": one["id"],
            "score": len(words & set(one["text"].lower().split())) / max(len(words), 1),
            "passage": one["text"],
        }
        for one in documents.get(x_tenant, {}).values()
    ]
    return {"results": sorted(scored, key=lambda one: -one["score"])[: search.k]}


@app.post("/ask")
def ask() -> JSONResponse:
    # TODO: search, prompt the model at LLM_URL, check what it says, cite.
    return JSONResponse({"error": {"code": "not_implemented", "message": "not implemented yet"}}, status_code=501)


if __name__ == "__main__":
    uvicorn.run(app, host="0.0.0.0", port=PORT)
