"""Checks of a service that a real broker serves: both reach it, each from a network of its own."""

import time

import pytest


def check(name, visibility="hidden"):
    return pytest.mark.check(name, points=1, skill="operations", visibility=visibility)


class Listener:
    """The check's own connection to the broker: says words, and hears what is said loud."""

    def __init__(self, broker):
        self.talk = broker.connect()
        self.talk.send(b'CONNECT {"verbose": false}\r\nSUB loud 1\r\nPING\r\n')
        while self.talk.read_line() != b"PONG\r\n":
            pass

    def loud(self, word):
        """What comes back for a word."""
        self.talk.send(b"PUB words %d\r\n%s\r\n" % (len(word), word))
        while not (line := self.talk.read_line()).startswith(b"MSG"):
            pass
        return self.talk.read(int(line.split()[-1]) + 2)[:-2]


def await_status(service, status):
    deadline = time.monotonic() + 10
    while service.http.get("/ready").status != status:
        assert time.monotonic() < deadline, f"GET /ready should come to answer {status}"


@check("counts", "public")
def test_counts(service):
    """Each word is said loud, and counted."""
    listener = Listener(service.companions["broker"])
    assert [listener.loud(b"one"), listener.loud(b"two")] == [b"ONE", b"TWO"]
    assert service.http.get("/count").json() == 2


@check("comes-back")
def test_comes_back(start_service):
    """A broker that went away is found again."""
    service = start_service()
    service.unplug("broker")
    await_status(service, 503)
    service.plug("broker")
    await_status(service, 200)
    listener = Listener(service.companions["broker"])
    assert listener.loud(b"again") == b"AGAIN"


@check("takes-over")
def test_takes_over(start_service):
    """After a kill the next instance has the same broker."""
    first = start_service()
    listener = Listener(first.companions["broker"])
    assert listener.loud(b"one") == b"ONE"
    first.signal("KILL")
    assert first.wait(5) is not None
    second = start_service(beside=first)
    assert second.companions["broker"] is first.companions["broker"]
    assert listener.loud(b"two") == b"TWO"
    assert second.http.get("/count").json() == 1
