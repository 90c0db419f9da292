"""The checks of the service whose answers cost a known amount of work."""

import hashlib

import pytest

from graders.http import Request
from graders.load import Ask


def proof_of(text):
    return hashlib.pbkdf2_hmac("sha256", text.encode(), b"assay", 4000).hex()


def one_request(rng):
    """A request that was never made before, and its judge."""
    text = f"{rng.getrandbits(64):x}"
    expected = proof_of(text)

    def judge(response):
        assert response.status == 200, f"expected status 200, got {response.status}"
        given = response.pick("proof", type=str)
        assert given == expected, f"the proof of {text} is {expected}, but {given[:80]} was answered"

    return Ask(Request("POST", "/prove", json={"of": text}), judge)


@pytest.mark.check("proves", points=2, skill="correctness", visibility="public")
def test_proves(http, rng):
    """Each text gets its own proof."""
    for _ in range(3):
        ask = one_request(rng)
        ask.judge(http.request("POST", "/prove", json=ask.request.json))


@pytest.mark.check("answers-in-time", points=4, skill="performance", visibility="public")
def test_answers_in_time(measure):
    """At 110 requests a second, 95 of 100 answers take at most 1.3 times as long as the reference's."""
    measure(one_request)


@pytest.mark.check("spends-little", points=2, skill="performance", visibility="after")
def test_spends_little(measure):
    """An answer costs at most 1.3 times the reference's CPU time."""
    measure(one_request)
