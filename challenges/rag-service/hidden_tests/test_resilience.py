"""What the service does when the model fails: which failures it tries again, after how long, and when it gives up.

Waits are only ever checked from below, by when the model was asked; from above there is a time limit of several times
what the brief's pauses add up to.
"""

from itertools import pairwise

import pytest

BASE_S = 0.2
"""The brief's RETRY_BASE_MS."""
TICK_S = 0.02
"""A pause may look this much shorter: the model notes when a request was read, not when the answer got there."""
ATTEMPTS = 4
PATIENCE_S = 8.0


@pytest.fixture
def one(http, llm, oracle, rng, corpora):
    """A tenant with one document, and how to ask for what it says."""
    return _One(http, llm, corpora, oracle.tenant(rng), oracle.document(rng, oracle.fact(rng)))


class _One:
    def __init__(self, http, llm, corpora, tenant, document):
        self._http, self._llm, self._corpora = http, llm, corpora
        self._tenant, self._document = tenant, document
        corpora.put(http, tenant, [document])
        llm.seen.clear()

    def ask(self):
        """Ask once; the model's requests are counted anew."""
        self._llm.seen.clear()
        return self._corpora.ask(self._http, self._tenant, self._document.facts[0].direct, timeout_s=PATIENCE_S)

    def right(self, answer, where):
        self._corpora.right(self._corpora.reply(answer), self._document.facts[0], self._document, where)

    def search(self):
        return self._corpora.search(self._http, self._tenant, self._document.facts[0].direct, 5)

    def pauses(self):
        times = [seen.at_s for seen in self._llm.seen]
        return [after - before for before, after in pairwise(times)]


@pytest.mark.check("retries-with-back-off", points=3, skill="resilience", visibility="after")
def test_retries_with_back_off(llm, one):
    """After an error of the model's or a dropped connection it is asked again, after pauses that double."""
    llm.fail(500)
    llm.cut()
    llm.fail(503)
    answer = one.ask()
    one.right(answer, "after three failures")
    pauses = one.pauses()
    assert len(pauses) == ATTEMPTS - 1, f"the fourth attempt would have been answered; there were {len(pauses) + 1}"
    for number, pause in enumerate(pauses):
        least = BASE_S * 2**number
        assert pause >= least - TICK_S, (
            f"pause {number + 1} should be at least {least:.1f} s long, but was {pause:.2f} s"
        )


@pytest.mark.check("retry-after", points=2, skill="resilience", visibility="hidden")
def test_retry_after(llm, one, corpora):
    """Where the model says how long to wait, that long is waited; where that is too long, the caller is told."""
    llm.fail(429, retry_after_s=1)
    one.right(one.ask(), "after a rate limit of 1 s")
    pause = one.pauses()[0] if one.pauses() else 0.0
    assert pause >= 1 - TICK_S, f"the model asked for a pause of 1 s, and was asked again after {pause:.2f} s"
    llm.fail(429, times=ATTEMPTS, retry_after_s=30)
    answer = one.ask()
    corpora.error(answer, 503, "llm_unavailable")
    assert len(llm.seen) == 1, f"with Retry-After: 30 there is no second attempt, but there were {len(llm.seen)} in all"
    assert answer.headers.get("retry-after") == "30", "the answer should pass on Retry-After: 30"


@pytest.mark.check("gives-up", points=2, skill="resilience", visibility="hidden")
def test_gives_up(llm, one, corpora):
    """After four failed attempts the caller is told, and the next question is a new beginning."""
    llm.fail(502, times=20)
    answer = one.ask()
    corpora.error(answer, 503, "llm_unavailable")
    assert len(llm.seen) == ATTEMPTS, f"{ATTEMPTS} attempts are made, there were {len(llm.seen)}"
    llm.be_well()
    one.right(one.ask(), "after the model has recovered")


@pytest.mark.check("refusals-stand", points=1, skill="resilience", visibility="hidden")
def test_refusals_stand(llm, one, corpora):
    """A request that the model refuses as wrong is not sent again."""
    for status in (400, 401):
        llm.be_well()
        llm.fail(status, times=ATTEMPTS)
        corpora.error(one.ask(), 502, "llm_rejected")
        assert len(llm.seen) == 1, (
            f"status {status} will not get better by asking again; there were {len(llm.seen)} attempts"
        )
    llm.be_well()
    one.right(one.ask(), "after a refusal")


@pytest.mark.check("garbled-answers", points=2, skill="resilience", visibility="hidden")
def test_garbled_answers(llm, one):
    """An answer that cannot be read is a failure like any other: it is asked for again."""
    for body in (b'{"choices": [{"message"', b"<html>gateway</html>", b'{"choices": []}', b'{"choices": null}', b"[]"):
        llm.be_well()
        llm.garble(body)
        one.right(one.ask(), f"after an answer of {body!r}")
        assert len(llm.seen) == 2, f"after {body!r} the model is asked once more; there were {len(llm.seen)} attempts"


@pytest.mark.check("slow-model", points=2, skill="resilience", visibility="hidden")
def test_slow_model(start_service, oracle, rng, corpora):
    """An attempt that takes longer than LLM_TIMEOUT_MS is given up, and another is made."""
    service = start_service(env={"LLM_TIMEOUT_MS": "1500"})
    llm = service.companions["llm"]
    one = _One(service.http, llm, corpora, oracle.tenant(rng), oracle.document(rng, oracle.fact(rng)))
    llm.stall(7.5)
    answer = one.ask()
    one.right(answer, "after an attempt that hung")
    assert answer.elapsed_s < 6, f"an attempt is given up after 1.5 s, but the answer took {answer.elapsed_s:.1f} s"
    assert len(llm.seen) == 2, f"the second attempt would have been answered; there were {len(llm.seen)}"


@pytest.mark.check("model-down", points=1, skill="resilience", visibility="after")
def test_model_down(service, llm, one, corpora):
    """Without the model there are no answers, but there is search, and answers again once it is back."""
    service.unplug("llm")
    corpora.error(one.ask(), 503, "llm_unavailable")
    assert one.search(), "searching needs no model"
    service.plug("llm")
    one.right(one.ask(), "with the model back")
