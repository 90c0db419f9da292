"""What watching costs, measured beside the reference solution in turns: see [[plans]] in challenge.toml.

Ten parcels a request: a window is over with every fiftieth, so evaluating one is in the CPU time and not in the p95.
"""

import pytest

from graders.http import Request
from graders.load import Ask

PARCELS = 10
TOLERANCE = 1e-6


@pytest.fixture
def one_batch(oracle):
    """Makes one request about parcels nobody has asked about, and the judge of its answer."""
    model = oracle.current

    def make(rng):
        parcels = model.parcels(rng, PARCELS)
        prefix = f"{rng.getrandbits(48):x}"
        rows = [{"id": f"{prefix}-{index}", "features": parcel} for index, parcel in enumerate(parcels)]

        def judge(response):
            assert response.status == 200, f"200 was expected, {response.status} came"
            for index, parcel in enumerate(parcels):
                expected = model.probability(parcel)
                given = response.pick("predictions", index, "probability", type=float)
                assert abs(given - expected) <= TOLERANCE, f"probability should be {expected:.6f}, is {given!r}"

        return Ask(Request("POST", "/predict", json={"instances": rows}), judge)

    return make


@pytest.mark.check("p95-under-load", points=2, skill="performance", visibility="after")
def test_p95_under_load(measure, one_batch):
    """Under a steady load, 95 of 100 requests come within twice the time our own watched service takes."""
    measure(one_batch)


@pytest.mark.check("cpu-per-request", points=2, skill="performance", visibility="after")
def test_cpu_per_request(measure, one_batch):
    """Under a steady load, a request costs at most twice the CPU time it costs our own watched service."""
    measure(one_batch)
