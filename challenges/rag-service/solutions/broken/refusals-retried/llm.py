"""Talks to the model: which failures are worth another attempt, how long to wait, and when to give up."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

import errors
from settings import Settings

PATH = "/v1/chat/completions"
ATTEMPTS = 4
JITTER = 0.2
LONGEST_RETRY_AFTER_S = 3.0


@dataclass(frozen=True)
class Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True)
class Completion:
    text: str
    usage: Usage


class AttemptFailed(Exception):
    """One attempt came to nothing, and another may not."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


FAILURES = (AttemptFailed, httpx.TransportError, TimeoutError)

log = logging.getLogger("rag")


class Llm:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            base_url=settings.llm_url,
            timeout=settings.llm_timeout_s,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def complete(self, messages: list[dict[str, str]]) -> Completion:
        """The whole answer. Raises ApiError once there is no point in trying on."""
        retries = Retries(self._settings.retry_base_s)
        while True:
            try:
                async with asyncio.timeout(self._settings.llm_timeout_s):
                    response = await self._client.post(PATH, json=self._body(messages))
                _judge_status(response)
                return _completion(response.content)
            except FAILURES as error:
                await retries.pause_after(error)

    async def stream(self, messages: list[dict[str, str]]) -> AsyncIterator[str | Usage]:
        """The answer's pieces as they come, then its usage. After the first piece there is no second attempt."""
        retries = Retries(self._settings.retry_base_s)
        begun = False
        while True:
            try:
                async for piece in self._streamed(messages):
                    begun = True
                    yield piece
                return
            except FAILURES as error:
                if begun:
                    raise errors.llm_unavailable(_reason(error)) from error
                await retries.pause_after(error)

    async def _streamed(self, messages: list[dict[str, str]]) -> AsyncIterator[str | Usage]:
        deadline = asyncio.get_running_loop().time() + self._settings.llm_timeout_s
        body = {**self._body(messages), "stream": True, "stream_options": {"include_usage": True}}
        async with self._client.stream("POST", PATH, json=body) as response:
            _judge_status(response)
            lines = response.aiter_lines()
            while True:
                # Only the wait for the model is on its clock, not the time our own caller takes to read.
                async with asyncio.timeout_at(deadline):
                    line = await anext(lines, None)
                if line is None:
                    raise AttemptFailed("the stream ended early")
                if line == "data: [DONE]":
                    return
                if line.startswith("data:"):
                    for piece in _pieces(line.removeprefix("data:")):
                        yield piece

    def _body(self, messages: list[dict[str, str]]) -> dict:
        return {"model": self._settings.llm_model, "messages": messages}


class Retries:
    """Counts one request's attempts, and makes the pauses between them."""

    def __init__(self, base_s: float) -> None:
        self._base_s = base_s
        self._failed = 0

    async def pause_after(self, error: Exception) -> None:
        """Wait for as long as it takes before the next attempt. Raises ApiError if there is to be none."""
        self._failed += 1
        asked_for_s = error.retry_after_s if isinstance(error, AttemptFailed) else 0.0
        if asked_for_s > LONGEST_RETRY_AFTER_S:
            raise errors.llm_unavailable(_reason(error), retry_after_s=asked_for_s) from error
        if self._failed == ATTEMPTS:
            raise errors.llm_unavailable(_reason(error)) from error
        # The jitter only lengthens: callers that failed together do not come back together.
        pause_s = self._base_s * 2 ** (self._failed - 1) * (1 + JITTER * random.random())
        log.warning("attempt %d at the model failed: %s", self._failed, _reason(error))
        await asyncio.sleep(max(pause_s, asked_for_s))


def _judge_status(response: httpx.Response) -> None:
    status = response.status_code
    # Fault: a wrong request does not get right by sending it again.
    if status != 200:
        raise AttemptFailed(f"status {status}", _retry_after_s(response))


def _retry_after_s(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else 0.0


def _completion(content: bytes) -> Completion:
    try:
        document = json.loads(content)
        text = document["choices"][0]["message"]["content"]
        usage = _usage(document["usage"])
    except (ValueError, LookupError, TypeError) as error:
        raise AttemptFailed("its answer could not be read") from error
    if not isinstance(text, str):
        raise AttemptFailed("its answer holds no text")
    return Completion(text, usage)


def _pieces(data: str) -> list[str | Usage]:
    """What one event of the stream says: text, the usage, or nothing."""
    try:
        document = json.loads(data)
        texts = [choice["delta"].get("content") for choice in document["choices"]]
        usage = [_usage(document["usage"])] if document.get("usage") else []
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise AttemptFailed("an event of its stream could not be read") from error
    return [*(text for text in texts if text), *usage]


def _usage(document: dict) -> Usage:
    return Usage(int(document["prompt_tokens"]), int(document["completion_tokens"]))


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
