"""From bytes to values that mean something; whatever else was sent is refused."""

import json
import re
from dataclasses import dataclass
from typing import Any

import errors
from errors import ApiError

TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_QUESTION = 500
MAX_TITLE = 200


@dataclass(frozen=True)
class Search:
    query: str
    count: int


@dataclass(frozen=True)
class Ask:
    question: str
    stream: bool


def tenant_name(header: str | None) -> str:
    if header is None or not TENANT.fullmatch(header):
        raise ApiError(400, "tenant_required", "Say who you are in the header X-Tenant: a-z, 0-9 and hyphens.")
    return header


def parse_json(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "invalid_json", "The body is not JSON.") from error
    if not isinstance(document, dict):
        raise errors.invalid("The body must be a JSON object.")
    return document


def read_document(body: bytes) -> tuple[str, str]:
    """Title and text."""
    document = parse_json(body)
    return _text(document, "title", MAX_TITLE), _text(document, "text", None)


def read_search(body: bytes) -> Search:
    document = parse_json(body)
    count = document.get("k", 5)
    # Fault: true is not a number, and neither is 0 a number of results.
    return Search(_text(document, "query", MAX_QUESTION), int(count))


def read_ask(body: bytes) -> Ask:
    document = parse_json(body)
    stream = document.get("stream", False)
    if not isinstance(stream, bool):
        raise errors.invalid("stream must be true or false.")
    return Ask(_text(document, "question", MAX_QUESTION), stream)


def _text(document: dict[str, Any], key: str, longest: int | None) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value.strip():
        raise errors.invalid(f"{key} must be a string that is not empty.")
    if longest is not None and len(value) > longest:
        raise errors.invalid(f"{key} must have at most {longest} characters.")
    return value
