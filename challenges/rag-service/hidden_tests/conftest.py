"""What the checks share: how to put documents and ask, and what a right answer looks like.

Everything is given through fixtures, so that the test files import nothing from each other.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from graders.http import Request

SHOWN_CHARACTERS = 300
QUOTE_CHARACTERS = 2000
STREAM_BYTES = 256 * 1024
MOST_CITATIONS = 100
AT_ONCE = 4
"""How many documents are put at a time: the grader shares the machine with the service."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service said to a question, in the brief's form."""

    answered: bool
    answer: str
    """Empty where the service had none."""
    citations: tuple[tuple[str, str], ...]
    """Document and quote."""
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream. `data` is what its JSON says, `end` where it ends in the body, in bytes."""

    kind: str
    data: Any
    end: int


class Corpora:
    """Requests of one tenant, and assertions about answers that fail with a sentence a person can read."""

    @staticmethod
    def headers(tenant: str) -> dict[str, str]:
        return {"X-Tenant": tenant}

    def request(self, tenant: str, method: str, path: str, **body: Any) -> Request:
        return Request(method, path, headers=self.headers(tenant), **body)

    def asking(self, tenant: str, question: str, **more: Any) -> Request:
        """The request that asks this question."""
        return self.request(tenant, "POST", "/ask", json={"question": question, **more})

    # Documents

    def put(self, http: Any, tenant: str, documents: Iterable[Any]) -> None:
        """Put documents that are new to the tenant."""
        requests = [self.request(tenant, "PUT", f"/documents/{one.id}", json=one.body) for one in documents]
        for answer in http.burst(requests, concurrency=AT_ONCE):
            self.status(self.answered_at_all(answer), 201)

    def replace(self, http: Any, tenant: str, document: Any) -> None:
        """Put a document in the place of one that there is."""
        answer = http.request("PUT", f"/documents/{document.id}", json=document.body, headers=self.headers(tenant))
        self.status(answer, 200)

    def delete(self, http: Any, tenant: str, document: Any) -> None:
        self.status(http.request("DELETE", f"/documents/{document.id}", headers=self.headers(tenant)), 204)

    # Searching

    def search(self, http: Any, tenant: str, query: str, count: int) -> list[tuple[str, str]]:
        """Document and passage of each result, best first."""
        answer = http.post("/search", json={"query": query, "k": count}, headers=self.headers(tenant))
        return self.results(answer, count)

    def searches(self, http: Any, tenant: str, queries: Sequence[str], count: int) -> list[list[tuple[str, str]]]:
        """The results of many queries."""
        requests = [self.request(tenant, "POST", "/search", json={"query": one, "k": count}) for one in queries]
        answers = http.burst(requests, concurrency=AT_ONCE)
        return [self.results(self.answered_at_all(answer), count) for answer in answers]

    def results(self, answer: Any, count: int) -> list[tuple[str, str]]:
        self.status(answer, 200)
        given = len(answer.pick("results", type=list))
        assert given <= count, f"at most k = {count} results were asked for, {given} came"
        results, scores = [], []
        for place in range(given):
            identifier = answer.pick("results", place, "document_id", type=str)
            results.append((identifier, answer.pick("results", place, "passage", type=str)))
            scores.append(answer.pick("results", place, "score", type=float))
        assert len({identifier for identifier, _ in results}) == given, "a document stands in the results twice"
        assert scores == sorted(scores, reverse=True), f"results come best first, but their scores are {scores[:8]}"
        return results

    # Asking

    def ask(self, http: Any, tenant: str, question: str, **more: Any) -> Any:
        return http.post("/ask", json={"question": question, **more}, headers=self.headers(tenant))

    def reply(self, answer: Any) -> Reply:
        """The answer to a question, in the brief's form; it may say anything."""
        self.status(answer, 200)
        return self._read(answer, ())

    def right(self, reply: Reply, fact: Any, document: Any, where: str = "") -> None:
        """The reply states the fact, and its document is among those cited. How well is `grounded`'s matter."""
        before = f"{where}: " if where else ""
        assert reply.answered, f"{before}{document.id} says {fact.statement!r}, but the service found no answer"
        assert fact.statement in spaced(reply.answer), (
            f"{before}the answer should say {fact.statement!r}, but is {reply.answer[:SHOWN_CHARACTERS]!r}"
        )
        cited = [identifier for identifier, _ in reply.citations]
        assert document.id in cited, (
            f"{before}the answer is in {document.id}, but cited is {', '.join(cited)[:80] or 'nothing'}"
        )

    def grounded(self, reply: Reply, fact: Any, document: Any, where: str = "") -> None:
        """The reply is right, without markers, and every citation is of this document, verbatim, and bears it out."""
        self.right(reply, fact, document, where)
        before = f"{where}: " if where else ""
        assert "[" not in reply.answer, (
            f"{before}the answer still has markers in it: {reply.answer[:SHOWN_CHARACTERS]!r}"
        )
        for identifier, quote in reply.citations:
            assert identifier == document.id, (
                f"{before}the answer is in {document.id}, but {identifier[:80]!r} was cited, too"
            )
            assert len(quote) <= QUOTE_CHARACTERS, f"{before}a quote has {len(quote)} characters, more than a passage"
            assert spaced(quote) in spaced(document.text), (
                f"{before}a quote should stand in {identifier} word for word, but this does not: {quote[:120]!r}"
            )
            assert fact.statement in spaced(quote), (
                f"{before}a quote should bear the answer out ({fact.statement!r}), but is {quote[:120]!r}"
            )

    def nothing(self, reply: Reply, where: str) -> None:
        """The service says that it has no answer."""
        assert not reply.answered, f"{where}: there should be no answer, but the service said {reply.answer[:200]!r}"

    def _read(self, answer: Any, at: tuple[str, ...]) -> Reply:
        answered = answer.pick(*at, "answered", type=bool)
        text = answer.pick(*at, "answer", type=str) if answered else answer.pick(*at, "answer")
        assert answered or text is None, f"without an answer, answer should be null, but is {str(text)[:120]!r}"
        count = len(answer.pick(*at, "citations", type=list))
        assert count <= MOST_CITATIONS, f"an answer is one sentence, {count} citations are too many"
        assert answered or not count, "without an answer there should be no citations"
        citations = tuple(
            (
                answer.pick(*at, "citations", place, "document_id", type=str),
                answer.pick(*at, "citations", place, "quote", type=str),
            )
            for place in range(count)
        )
        tokens = [answer.pick(*at, "usage", name, type=int) for name in ("prompt_tokens", "completion_tokens")]
        return Reply(answered, text or "", citations, tokens[0], tokens[1])

    # Streams

    def events(self, answer: Any) -> list[Event]:
        """The events of a stream, in order."""
        self.status(answer, 200)
        kind = answer.headers.get("content-type", "")
        assert kind.split(";")[0].strip() == "text/event-stream", (
            f"Content-Type should be text/event-stream, is {kind!r}"
        )
        assert len(answer.body) <= STREAM_BYTES, f"a stream of {len(answer.body)} bytes is no answer to a question"
        events, start = [], 0
        for gap in re.finditer(rb"\r?\n\r?\n", answer.body):
            block, start = answer.body[start : gap.start()], gap.end()
            fields = dict(_field(line) for line in block.decode("utf-8", "replace").splitlines())
            if "event" in fields:
                events.append(Event(fields["event"], _json(fields.get("data", "")), gap.end()))
        assert events, f"the stream has no event in it: {answer.text[:SHOWN_CHARACTERS]!r}"
        return events

    def last_reply(self, events: Sequence[Event]) -> Reply:
        """What the last event says, which is `done`."""
        assert events[-1].kind == "done", (
            f"the stream should end with the event done, but ends with {events[-1].kind!r}"
        )
        return self._read(_Parsed(events[-1].data), ())

    # Refusals

    def error(self, answer: Any, status: int, code: str) -> None:
        """The answer is an error of this status and code, in the brief's form."""
        self.status(answer, status)
        self.error_body(answer, code)

    def error_body(self, document: Any, code: str) -> None:
        given = document.pick("error", "code", type=str)
        assert given == code, f"error.code should be {code}, but is {given!r}"
        assert document.pick("error", "message", type=str).strip(), "error.message should say what is wrong"

    def parsed(self, document: Any) -> "_Parsed":
        """JSON that came in an event, to be read like an answer."""
        return _Parsed(document)

    @staticmethod
    def answered_at_all(answer: Any) -> Any:
        """The response of one exchange of a burst; raises the exchange's own failure."""
        if isinstance(answer, Exception):
            raise answer
        return answer

    def status(self, response: Any, status: int | Collection[int]) -> None:
        allowed = {status} if isinstance(status, int) else set(status)
        wanted = " or ".join(str(one) for one in sorted(allowed))
        assert response.status in allowed, (
            f"expected status {wanted}, got {response.status} with {response.text[:SHOWN_CHARACTERS]!r}"
        )


class _Parsed:
    """A JSON value with the `pick` that responses have."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def pick(self, *path: Any, type: Any = None) -> Any:  # noqa: A002 - the name the response's own pick has
        value = self._document
        for step in path:
            inside = isinstance(value, Mapping) and step in value
            inside = inside or (isinstance(value, list) and isinstance(step, int) and step < len(value))
            assert inside, f"the event's data has no {'.'.join(map(str, path))}: {str(self._document)[:200]}"
            value = value[step]
        right = type is None or (isinstance(value, type) and (type is bool or not isinstance(value, bool)))
        assert right, f"{'.'.join(map(str, path))} should be of type {type.__name__}, but is {str(value)[:80]!r}"
        return value


def spaced(text: str) -> str:
    """The text with single spaces."""
    return " ".join(text.split())


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise AssertionError(f"the data of an event should be JSON on one line, but is {text[:120]!r}") from error


@pytest.fixture
def corpora() -> Corpora:
    return Corpora()


@pytest.fixture
def llm(service: Any) -> Iterator[Any]:
    """The model beside the shared instance: in good health, and so again when the check is over."""
    companion = service.companions["llm"]
    service.plug("llm")
    companion.be_well()
    companion.seen.clear()
    yield companion
    companion.be_well()
    service.plug("llm")
