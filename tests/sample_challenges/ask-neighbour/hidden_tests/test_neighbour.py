"""Checks of a service with a companion: what it is asked, what it says, and what becomes of it."""

import pytest

from graders.companions import Answer


def check(name, skill="resilience", visibility="hidden"):
    return pytest.mark.check(name, points=1, skill=skill, visibility=visibility)


@check("asks", "correctness", "public")
def test_asks(service, seed):
    """The neighbour is asked, and its word handed on."""
    answer = service.http.post("/ask", json="who")
    assert (answer.status, answer.text) == (200, f"{seed}:who")
    assert service.companions["neighbour"].asked[-1] == ("POST", "/say", "who")


@check("streams", "correctness")
def test_streams(service):
    """An answer in pieces is whole at the end."""
    service.companions["neighbour"].next = [Answer(body=[b"one ", b"two ", b"three"], delay_s=0.05, pause_s=0.05)]
    answer = service.http.post("/ask", json="count")
    assert answer.text == "one two three"
    assert answer.elapsed_s >= 0.15, "it cannot have come before it was said"


@check("asks-again")
def test_asks_again(service):
    """Two refusals are met with a third ask."""
    neighbour = service.companions["neighbour"]
    neighbour.asked.clear()
    neighbour.next = [Answer(503), Answer(503), Answer(body=b"at last")]
    assert service.http.post("/ask", json="x").text == "at last"
    assert len(neighbour.asked) == 3


@check("says-when-nobody-is-there")
def test_says_when_nobody_is_there(service):
    """Whatever is wrong with the neighbour is said with 502, and over when it is back."""
    neighbour = service.companions["neighbour"]
    for broken in Answer(raw=b"HTTP/1.1 banana\r\n\r\n"), Answer(body=[b"half", b" of it"], cut_after=1):
        neighbour.next = [broken]
        assert service.http.post("/ask", json="x").status == 502, f"{broken} should be met with 502"
    service.unplug("neighbour")
    assert service.http.post("/ask", json="x").status == 502
    service.plug("neighbour")
    assert service.http.post("/ask", json="x").status == 200


@check("remembers")
def test_remembers(start_service):
    """The count survives a kill."""
    first = start_service()
    for _ in range(3):
        first.http.post("/ask", json="x")
    first.signal("KILL")
    assert first.wait(5) is not None
    second = start_service(state=first.state())
    assert second.http.get("/count").json() == 3
    assert second.companions["neighbour"] is not first.companions["neighbour"]
