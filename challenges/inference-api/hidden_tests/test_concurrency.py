"""Many requests at once: each gets its own answer, and none waits for another's lookup.

The services here are started with a lookup delay, so that requests truly are in flight at the same time. What is right
is what the service itself (the shared instance, without a delay) answers to the same requests one after the other.
"""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from graders.http import Request

LEAD_S = 0.4
"""How long a burst gets to reach the service before something else is tried."""

TRIES = 2
"""A busy machine may cost a timed check one try; what is wrong with the service shows in each."""


@pytest.mark.check("concurrent-answers", points=3, skill="concurrency", visibility="hidden")
def test_concurrent_answers(http, start_service, oracle, rng, expect):
    """Of many single, batch and bad requests at the same time, each gets the answer to its own question."""
    model = oracle.current
    customers = model.unlike_customers(rng, 40)
    requests = []
    for index, customer in enumerate(customers):
        # Ids too, so that answers can be told apart where the probabilities of a service do not differ.
        batch_ids = [f"concurrent-{index}-{row}" for row in range(3)]
        batch = expect.instances([customer, customers[index - 1], customer], batch_ids)
        bad = {**customer, model.numeric[index % len(model.numeric)].name: "bad"}
        requests.append(Request("POST", "/predict", json=expect.body(customer, f"concurrent-{index}")))
        requests.append(Request("POST", "/predict/batch", json=batch))
        requests.append(Request("POST", "/predict", json=expect.body(bad)))
    quiet = http.burst(requests, concurrency=1)
    expect.tells_apart([expect.single(answer) for answer in quiet[::3]])
    loud = start_service(env={"LOOKUP_DELAY_MS": "20"}).http.burst(requests, concurrency=16)
    for index in range(len(customers)):
        at = 3 * index
        own = [expect.single(quiet[at]), *expect.rows(quiet[at + 1], 3)]
        given = [expect.single(loud[at]), *expect.rows(loud[at + 1], 3)]
        for now, before in zip(given, own, strict=True):
            expect.same(now, before, "with other requests at the same time")
            assert now.id == before.id, (
                f"with other requests at the same time: id should be {before.id!r}, but is {str(now.id)[:80]!r}"
            )
        field = f"features.{model.numeric[index % len(model.numeric)].name}"
        expect.error(loud[at + 2], 422, "validation_failed", [field])


@pytest.mark.check("lookups-overlap", points=4, skill="concurrency", visibility="hidden")
def test_lookups_overlap(http, start_service, oracle, rng, expect):
    """Sixteen requests wait for their lookups side by side, not one after the other."""
    delay_s, at_once = 0.15, 16
    customers = oracle.current.unlike_customers(rng, at_once)
    quiet = expect.quiet(http, customers)
    delayed = start_service(env={"LOOKUP_DELAY_MS": str(int(delay_s * 1000))}).http
    requests = [Request("POST", "/predict", json=expect.body(customer)) for customer in customers]
    one_by_one_s = at_once * delay_s
    for _ in range(TRIES):
        started = time.monotonic()
        answers = delayed.burst(requests, concurrency=at_once, timeout_s=15)
        took_s = time.monotonic() - started
        for answer, own in zip(answers, quiet, strict=True):
            expect.same(expect.single(answer), own, "while other lookups wait")
            assert answer.elapsed_s >= 0.9 * delay_s, (
                f"with LOOKUP_DELAY_MS={delay_s * 1000:.0f} an answer takes at least that long; one came after "
                f"{answer.elapsed_s * 1000:.0f} ms"
            )
        if took_s <= one_by_one_s / 2:
            break
    assert took_s <= one_by_one_s / 2, (
        f"{at_once} requests at once, each with a lookup of {delay_s} s, should take little more than one; they took "
        f"{took_s:.1f} s (one after the other would be {one_by_one_s:.1f} s)"
    )


@pytest.mark.check("health-during-lookups", points=3, skill="concurrency", visibility="hidden")
def test_health_during_lookups(http, start_service, oracle, rng, expect):
    """While requests wait for their lookups, /healthz answers at once."""
    expect.predicts(http, oracle.current, rng)
    customers = oracle.current.unlike_customers(rng, 2)
    delayed = start_service(env={"LOOKUP_DELAY_MS": "1200"}).http
    requests = [Request("POST", "/predict", json=expect.body(customer)) for customer in customers]
    for _ in range(TRIES):
        with ThreadPoolExecutor(1) as beside:
            waiting = beside.submit(delayed.burst, requests, concurrency=len(requests), timeout_s=12)
            time.sleep(LEAD_S)
            health = delayed.get("/healthz", timeout_s=12)
            answers = waiting.result()
        expect.status(health, 200)
        for answer in answers:
            expect.single(answer)
        if health.elapsed_s < 0.6:
            break
    assert health.elapsed_s < 0.6, (
        f"/healthz should answer at once while lookups of 1.2 s are waiting; it took {health.elapsed_s:.1f} s"
    )
