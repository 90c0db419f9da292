"""The service as such: ready with its corpus, refusals in one form, streams, and many questions at once."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

JSON_TYPE = {"Content-Type": "application/json"}
PAUSES_S = (0.05, 0.3)
"""Between the words of a stream that is cut: what a service has not read by then is lost, on a busy host all of it."""

TRIES = 2
"""A busy machine may cost a timed check one try; what is wrong with the service shows in each."""


@pytest.mark.check("ready-with-corpus", points=1, skill="service", visibility="public")
def test_ready_with_corpus(http, llm, oracle, rng, corpora):
    """Once it is ready, the service knows the corpus that it was started with."""
    health = http.get("/healthz")
    corpora.status(health, 200)
    assert health.pick("status", type=str) == "ok", "/healthz should say ok"
    assert http.get("/ready").pick("ready", type=bool), "/ready should say true"
    for fact in rng.sample(oracle.sample, 3):
        reply = corpora.reply(corpora.ask(http, "sample", fact.direct))
        assert fact.statement in " ".join(reply.answer.split()), (
            f"the sample corpus says {fact.statement!r}, but the answer is {reply.answer[:200]!r}"
        )


@pytest.mark.check("bad-requests", points=2, skill="service", visibility="after")
def test_bad_requests(http, oracle, rng, corpora):
    """Requests that make no sense are refused, each with its code, and leave nothing behind."""
    tenant = oracle.tenant(rng)
    headers = corpora.headers(tenant)
    for body in (b"", b'{"question": ', b"\xff"):
        corpora.error(http.post("/ask", content=body, headers=headers | JSON_TYPE), 400, "invalid_json")
    asks = ({}, [], {"question": ""}, {"question": 7}, {"question": "x" * 501}, {"question": "Why?", "stream": "yes"})
    for document in asks:
        corpora.error(http.post("/ask", json=document, headers=headers), 422, "validation_failed")
    for document in ({}, {"query": ""}, {"query": "x", "k": 0}, {"query": "x", "k": 21}, {"query": "x", "k": True}):
        corpora.error(http.post("/search", json=document, headers=headers), 422, "validation_failed")
    for document in ({}, {"title": "T"}, {"title": "T", "text": " "}, {"title": 1, "text": "T"}):
        put = http.request("PUT", "/documents/one", json=document, headers=headers)
        corpora.error(put, 422, "validation_failed")
    large = {"title": "T", "text": "Too long. " * 30_000}
    corpora.error(http.request("PUT", "/documents/one", json=large, headers=headers), 413, "body_too_large")
    corpora.error(http.get("/nowhere", headers=headers), 404, "not_found")
    corpora.error(http.get("/ask", headers=headers), 405, "method_not_allowed")
    assert not http.get("/documents", headers=headers).pick("documents", type=list), "a refused document was kept"


@pytest.mark.check("streams", points=3, skill="service", visibility="after")
def test_streams(http, llm, oracle, rng, corpora):
    """A streamed answer comes as the model says it, and its last event is the whole answer."""
    tenant, fact = oracle.tenant(rng), oracle.fact(rng)
    document = oracle.document(rng, fact)
    corpora.put(http, tenant, [document])
    llm.pause_s = 0.1
    for _ in range(TRIES):
        llm.seen.clear()
        answer = corpora.ask(http, tenant, fact.direct, stream=True)
        events = corpora.events(answer)
        corpora.right(corpora.last_reply(events), fact, document, "streamed")
        tokens = [event for event in events if event.kind == "token"]
        assert len(tokens) >= 3, f"the model streams word by word, but there were {len(tokens)} events called token"
        said = "".join(corpora.parsed(event.data).pick("text", type=str) for event in tokens)
        assert fact.statement in " ".join(said.split()), (
            f"the tokens should add up to the answer, but give {said[:200]!r}"
        )
        assert llm.seen[-1].stream, "the model was not asked for a stream"
        came_s = next((at for at, size in answer.arrivals if size >= tokens[0].end), answer.elapsed_s)
        ahead_s = answer.elapsed_s - came_s
        if ahead_s >= 0.3:
            break
    assert ahead_s >= 0.3, (
        f"the model takes about {0.1 * len(tokens):.1f} s from its first word to its last; the first event came only "
        f"{ahead_s:.2f} s before the last"
    )


@pytest.mark.check("broken-streams", points=2, skill="service", visibility="hidden")
def test_broken_streams(http, llm, oracle, rng, corpora):
    """A stream that the model breaks off ends with an event that says so, and not with an answer."""
    tenant, fact = oracle.tenant(rng), oracle.fact(rng)
    document = oracle.document(rng, fact)
    corpora.put(http, tenant, [document])
    for llm.pause_s in PAUSES_S:
        llm.seen.clear()
        llm.cut(5)
        events = corpora.events(corpora.ask(http, tenant, fact.direct, stream=True))
        if events[-1].kind == "error":
            break
    assert any(event.kind == "token" for event in events), (
        "four words came before the model broke off, none was passed on"
    )
    assert events[-1].kind == "error", f"the last event should be called error, but is called {events[-1].kind!r}"
    corpora.error_body(corpora.parsed(events[-1].data), "llm_unavailable")
    assert all(event.kind != "done" for event in events), "a broken stream has no event called done"
    assert len(llm.seen) == 1, "what was said already cannot be said anew: there should be one attempt"
    llm.be_well()
    whole = corpora.events(corpora.ask(http, tenant, fact.direct, stream=True))
    corpora.right(corpora.last_reply(whole), fact, document, "after a broken stream")


@pytest.mark.check("questions-overlap", points=2, skill="service", visibility="after")
def test_questions_overlap(http, llm, oracle, rng, corpora):
    """While the model takes its time, other questions, searches and /healthz do not wait for it."""
    tenant, fact, at_once, delay_s = oracle.tenant(rng), oracle.fact(rng), 12, 0.5
    document = oracle.document(rng, fact)
    corpora.put(http, tenant, [document])
    requests = [corpora.asking(tenant, fact.direct)] * at_once
    llm.delay_s = delay_s
    for _ in range(TRIES):
        started = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(http.burst, requests, concurrency=at_once, timeout_s=12)
            time.sleep(0.2)
            health_s = http.get("/healthz", timeout_s=12).elapsed_s
            search = http.post("/search", json={"query": fact.direct}, headers=corpora.headers(tenant), timeout_s=12)
            answers = waiting.result()
        took_s = time.monotonic() - started
        for answer in answers:
            corpora.right(corpora.reply(corpora.answered_at_all(answer)), fact, document, "among others")
        corpora.results(search, 5)
        if took_s < at_once * delay_s / 2 and max(health_s, search.elapsed_s) < delay_s:
            break
    assert took_s < at_once * delay_s / 2, (
        f"{at_once} questions at once, each {delay_s} s of the model's time, took {took_s:.1f} s"
    )
    assert max(health_s, search.elapsed_s) < delay_s, (
        f"beside questions that wait, /healthz took {health_s:.2f} s and a search {search.elapsed_s:.2f} s"
    )
