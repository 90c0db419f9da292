"""How the service stops. The last file on purpose: its last check ends the shared service."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from graders.http import BadAnswer, Request

STOP_BUDGET_S = 10.0
LEADS_S = (0.6, 2.5)
"""How long a request gets to reach the service before SIGTERM is sent; the second, if the first was not enough."""
REMAINING_S = 0.6
"""How long the request's lookup still takes then."""


@pytest.mark.check("shutdown-finishes-requests", points=2, skill="operations", visibility="hidden")
def test_shutdown_finishes_requests(http, start_service, oracle, rng, expect):
    """A request that is in flight when SIGTERM comes is still answered, and as at any other time."""
    customers = oracle.current.unlike_customers(rng, 4)
    own = expect.quiet(http, customers)[0]
    request = Request("POST", "/predict", json=expect.body(customers[0]))
    for lead_s in LEADS_S:
        service = start_service(env={"LOOKUP_DELAY_MS": f"{(lead_s + REMAINING_S) * 1000:.0f}"})
        answer = _answer_across_sigterm(service, request, lead_s)
        if not isinstance(answer, BadAnswer):
            break
    lost = f"the request in flight at SIGTERM got no answer: {answer}" if isinstance(answer, BadAnswer) else ""
    assert not lost, lost
    expect.same(expect.single(answer), own, "in flight at SIGTERM")


def _answer_across_sigterm(service, request, lead_s):
    """The answer, or the failed exchange, of a request that has been under way for `lead_s` when SIGTERM comes.

    One request, on purpose: whether a service had begun to read a second one by then would be a matter of luck.
    """
    with ThreadPoolExecutor(1) as beside:
        in_flight = beside.submit(service.http.burst, [request], timeout_s=15)
        time.sleep(lead_s)
        service.signal("TERM")
        return in_flight.result()[0]


@pytest.mark.check("shutdown-in-time", points=1, skill="operations", visibility="after")
def test_shutdown_in_time(http, service, oracle, rng, expect):
    """Within ten seconds of SIGTERM the service has ended by itself."""
    expect.predicts(http, oracle.current, rng)
    service.signal("TERM")
    assert service.wait(STOP_BUDGET_S) is not None, f"still running {STOP_BUDGET_S:.0f} s after SIGTERM"
