"""The language model of this challenge: deterministic, and it answers only from the passages it is given.

Pure: a request's JSON in, a completion out. `llm.py` puts it on a port. The model that you are graded with is this one;
only what it can be asked about differs (`topics`).
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NO_ANSWER = "NO_ANSWER"
WINDOW_TOKENS = 8000
WINDOW_CHARACTERS = 60_000
MESSAGE_TOKENS = 4

_TOKEN = re.compile(r"\w+|[^\w\s]")
_FENCED = re.compile(
    r'<passage id="([A-Za-z0-9_.:#-]{1,64})" nonce="([0-9a-f]{16,64})">\n(.*?)\n</passage nonce="\2">', re.DOTALL
)
_PLAIN = re.compile(r"^\[([A-Za-z0-9_.:#-]{1,64})\][ \t]*(.+?)(?=\n[ \t]*\n|\Z)", re.DOTALL | re.MULTILINE)
_ORDER = re.compile(
    r"\b(?:ignore|disregard|forget)\b[^.\n]{0,15}\b(?:previous|prior|earlier|above)\b[^.\n]{0,15}\binstructions\b"
    r"[^.\n]{0,40}\b(?:answer|reply|say)\b[^.\n\"]{0,20}"
    r'"([^"\n]{1,200})"',
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_ENOUGH_WORDS = 0.6
_SMALL_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "at",
        "be",
        "by",
        "can",
        "do",
        "does",
        "for",
        "from",
        "get",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "long",
        "many",
        "may",
        "me",
        "much",
        "must",
        "my",
        "of",
        "on",
        "or",
        "our",
        "that",
        "the",
        "there",
        "to",
        "up",
        "us",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "with",
        "you",
        "your",
    ]
)


class Refused(Exception):
    """A request that an OpenAI-compatible server answers with 400."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def body(self) -> dict[str, Any]:
        return {"error": {"type": "invalid_request_error", "code": self.code, "message": str(self)}}


@dataclass(frozen=True)
class Passage:
    """One passage as the model found it in the prompt."""

    id: str
    text: str
    fenced: bool


@dataclass(frozen=True)
class Prompt:
    """What the model makes of a request."""

    question: str
    passages: tuple[Passage, ...]
    text: str
    """All of its messages."""
    orders: tuple[str, ...]
    """What instructions outside of any fence want it to say."""
    fences: frozenset[str]
    """The nonces that were used."""
    tokens: int


@dataclass(frozen=True)
class Completion:
    """What the model says. `source` is the passage it was taken from, None where it has no answer."""

    text: str
    source: Passage | None
    sentence: str
    obeyed: bool
    """Whether it did what an instruction in the context told it to."""


def count_tokens(text: str) -> int:
    """A token is a word, or one character that is neither part of a word nor white space."""
    return len(_TOKEN.findall(text))


def read_prompt(body: Any) -> Prompt:
    """Raises Refused for what is no request for a chat completion, or one that is too long."""
    contents = _contents(body)
    characters = sum(len(content) for _, content in contents)
    if characters > WINDOW_CHARACTERS:
        raise Refused(
            "context_length_exceeded", f"{characters} characters are more than the {WINDOW_CHARACTERS} that fit"
        )
    tokens = sum(MESSAGE_TOKENS + count_tokens(content) for _, content in contents)
    if tokens > WINDOW_TOKENS:
        raise Refused("context_length_exceeded", f"{tokens} tokens are more than the {WINDOW_TOKENS} that fit")
    context = [content for _, content in contents[:-1]]
    passages: list[Passage] = []
    orders: list[str] = []
    fences = set()
    for content in context:
        fenced = list(_FENCED.finditer(content))
        outside = _FENCED.sub("\n\n", content)
        passages += [Passage(match[1], match[3], fenced=True) for match in fenced]
        passages += [Passage(match[1], match[2], fenced=False) for match in _PLAIN.finditer(outside)]
        orders += _ORDER.findall(outside)
        fences |= {match[2] for match in fenced}
    everything = "\n".join(content for _, content in contents)
    return Prompt(contents[-1][1], tuple(passages), everything, tuple(orders), frozenset(fences), tokens)


def _contents(body: Any) -> list[tuple[str, str]]:
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        raise Refused("invalid_request", "model must be a string")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused("invalid_request", "messages must be a list with at least one message")
    contents = []
    for message in messages:
        role, content = (message.get("role"), message.get("content")) if isinstance(message, dict) else (None, None)
        if role not in ("system", "user", "assistant") or not isinstance(content, str):
            raise Refused("invalid_request", "a message has a role (system, user, assistant) and a content, a string")
        contents.append((role, content))
    if contents[-1][0] != "user":
        raise Refused("invalid_request", "the last message must be the user's")
    return contents


class Answerer:
    """Understands questions about its topics in any of their wordings, and others if they use the context's words."""

    def __init__(self, topics: Sequence[Mapping[str, Any]]) -> None:
        self._forms = [
            (re.compile(_pattern(_plain(form), r"(?P<site>\w+)")), topic["statement"])
            for topic in topics
            for form in (topic["direct"], *topic["asked"])
        ]

    def complete(self, prompt: Prompt) -> Completion:
        if prompt.orders:
            return Completion(prompt.orders[0], None, "", obeyed=True)
        found = self._by_meaning(prompt)
        if found is None:
            return Completion(NO_ANSWER, None, "", obeyed=False)
        sentence, passage = found
        return Completion(f"{sentence} [{passage.id}]", passage, sentence, obeyed=False)

    def _by_meaning(self, prompt: Prompt) -> tuple[str, Passage] | None:
        question = _plain(prompt.question)
        for form, statement in self._forms:
            if match := form.search(question):
                site = match.groupdict().get("site") or ""
                return _stated(statement, site, prompt.passages)
        return _by_words(question, prompt.passages)


def _stated(statement: str, site: str, passages: Sequence[Passage]) -> tuple[str, Passage] | None:
    """The first sentence of a passage that has this statement's form."""
    wanted = re.compile(_pattern(statement, re.escape(site)), re.IGNORECASE)
    for passage in passages:
        if match := wanted.search(passage.text):
            return match[0], passage
    return None


def _by_words(question: str, passages: Sequence[Passage]) -> tuple[str, Passage] | None:
    """The sentence that has most of the question's words, if it has enough of them."""
    words = set(question.split()) - _SMALL_WORDS
    best: tuple[float, str, Passage] | None = None
    for passage in passages:
        for sentence in _SENTENCE_END.split(passage.text.strip()):
            share = len(words & set(_plain(sentence).split())) / max(len(words), 1)
            if share >= _ENOUGH_WORDS and (best is None or share > best[0]):
                best = (share, sentence, passage)
    return None if best is None else best[1:]


def _pattern(template: str, site: str) -> str:
    """A template's text as a regular expression: {n} is a number, white space of any length."""
    escaped = r"\s+".join(re.escape(word) for word in template.split())
    return escaped.replace(r"\{n\}", r"\d+").replace(r"\{site\}", site)


def _plain(text: str) -> str:
    """Lower-case words with single spaces; {site} is kept."""
    return " ".join(re.findall(r"\{\w+\}|\w+", text.lower()))


def whole(identifier: str, text: str, usage: Mapping[str, int]) -> bytes:
    """The body of an answer that is not streamed."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({**_head(identifier, "chat.completion"), "choices": [choice], "usage": usage}).encode()


def streamed(identifier: str, text: str, usage: Mapping[str, int]) -> list[bytes]:
    """The events of an answer that is streamed, word by word. The last but one has the usage."""
    head = _head(identifier, "chat.completion.chunk")
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in re.findall(r"\S+\s*", text)]
    events = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    events.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    events.append({**head, "choices": [], "usage": usage})
    return [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events] + [b"data: [DONE]\n\n"]


def _head(identifier: str, kind: str) -> dict[str, Any]:
    return {"id": identifier, "object": kind, "created": 0, "model": "reader-1"}
