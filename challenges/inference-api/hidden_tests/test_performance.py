"""Speed and thrift, measured beside the reference solution in turns: see [[plans]] and the budgets in challenge.toml.

Every answer under load is compared with the model's, and no customer is asked about twice: an answer that is quick
because it was not worked out, or worked out before, counts as one that never came.
"""

import pytest

from graders.http import Request
from graders.load import Ask


@pytest.fixture
def one_prediction(oracle, expect):
    """Makes one request to /predict about a customer nobody has asked about, and the judge of its answer."""

    def make(rng):
        customer = oracle.current.customer(rng)
        identifier = f"c-{rng.getrandbits(48):x}"

        def judge(response):
            expect.prediction(response, oracle.current, customer, identifier)

        return Ask(Request("POST", "/predict", json=expect.body(customer, identifier)), judge)

    return make


@pytest.mark.check("p95-under-load", points=3, skill="performance", visibility="after")
def test_p95_under_load(measure, one_prediction):
    """Under a steady load, 95 of 100 predictions come within twice the time our own service takes."""
    measure(one_prediction)


@pytest.mark.check("cpu-per-prediction", points=1, skill="performance", visibility="after")
def test_cpu_per_prediction(measure, one_prediction):
    """Under a steady load, a prediction costs at most twice the CPU time it costs our own service."""
    measure(one_prediction)


@pytest.mark.check("peak-memory", points=1, skill="performance", visibility="after")
def test_peak_memory(measure, one_prediction):
    """Under a steady load, the service holds at most three times the memory of our own."""
    measure(one_prediction)


@pytest.mark.check("throughput", points=2, skill="performance", visibility="after")
def test_throughput(measure, one_prediction):
    """Sixteen callers at once get at least half the predictions a second that our own service gives."""
    measure(one_prediction)


@pytest.mark.check("start-up", points=1, skill="performance", visibility="after")
def test_start_up(measure, start_service, oracle, rng, expect):
    """From its start to its first ready answer, the service takes at most twice as long as our own.

    And it predicts then: one that says it is ready at once, and never does anything, has not started.
    """
    measure()
    expect.predicts(start_service().http, oracle.current, rng)
