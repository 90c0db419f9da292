"""A companion's server against callers who do what they like: it answers the honest ones and outlives the others."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from assessments.observation import Exchange
from graders.companions import Answer, Asked
from graders.companions.server import CompanionServer


class Parrot:
    """Says what it was asked, unless it was told what to say."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.next: list[Answer] = []

    def answer(self, request: Asked) -> Answer:
        self.asked.append(request)
        if request.target == "/break":
            raise ValueError("broken")
        return self.next.pop(0) if self.next else Answer(body=request.body, headers={"X-Target": request.target})


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@pytest.fixture
def broken() -> list[str]:
    return []


@pytest.fixture
def server(broken: list[str]) -> Iterator[CompanionServer]:
    made = CompanionServer("parrot", Parrot(), listening(), lambda name, error: broken.append(f"{name}: {error}"))
    yield made
    made.stop()


@pytest.fixture
def parrot(server: CompanionServer) -> Parrot:
    assert isinstance(server.companion, Parrot)
    return server.companion


def listening_port(server: CompanionServer) -> int:
    assert server._listener is not None
    return int(server._listener.getsockname()[1])


@pytest.fixture
def port(server: CompanionServer) -> int:
    return listening_port(server)


def asked(port: int, target: str = "/", body: bytes = b"hello") -> tuple[int, bytes]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", target, body)
        answer = connection.getresponse()
        return answer.status, answer.read()


def raw(port: int, sent: bytes) -> bytes:
    """All that comes back before the end of the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
        caller.sendall(sent)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := caller.recv(65536):
                got += piece
        return got


def test_one_connection_serves_many_requests(port: int, parrot: Parrot) -> None:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for number in range(3):
            connection.request("POST", f"/{number}", json.dumps(number), {"A": "1", "Expect-Nothing": "x"})
            answer = connection.getresponse()
            assert (answer.status, answer.read(), answer.headers["X-Target"]) == (200, b"%d" % number, f"/{number}")
    assert [(request.method, request.target, request.headers["a"]) for request in parrot.asked] == [
        ("POST", f"/{number}", "1") for number in range(3)
    ]


def test_slow_answers_overlap(port: int, parrot: Parrot) -> None:
    parrot.next = [Answer(body=b"slow", delay_s=0.4) for _ in range(8)]
    started = time.monotonic()
    callers = [threading.Thread(target=asked, args=(port,)) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert time.monotonic() - started < 8 * 0.4


def test_pieces_come_one_by_one_and_end_where_they_are_cut(port: int, parrot: Parrot) -> None:
    parrot.next = [Answer(body=[b"one", b"two"]), Answer(body=[b"one", b"two"], cut_after=1)]
    assert asked(port) == (200, b"onetwo")
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        asked(port)


def test_each_exchange_is_witnessed_as_the_companion_means_it(parrot: Parrot) -> None:
    seen: list[Exchange] = []
    server = CompanionServer("parrot", parrot, listening(), lambda *_: None, seen.append)
    port = listening_port(server)
    parrot.next = [
        Answer(201, {"A": "b"}, b"said", delay_s=0.1),
        Answer(body=[b"one", b"two", b"three"], pause_s=0.05),
        Answer(503, body=[b"one", b"two"], cut_after=1, pause_s=5),
        Answer(raw=b"\xff\x00"),
    ]
    assert asked(port, "/x", b"y" * 5000) == (201, b"said")
    assert asked(port) == (200, b"onetwothree")
    for _ in range(2):
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            asked(port)
    whole, streamed, cut, raw_bytes = seen
    assert {one.companion for one in seen} == {"parrot"}
    assert (whole.method, whole.path, whole.status, whole.error) == ("POST", "/x", 201, None)
    assert (whole.response_headers, whole.response_body.text) == ({"A": "b"}, "said")
    assert (len(whole.request_body.text), whole.request_body.total_bytes) == (2048, 5000)
    assert 0.1 <= whole.elapsed_s < 0.2
    assert streamed.response_body.text == "onetwothree"
    assert 0.1 <= streamed.elapsed_s < 0.2
    assert (cut.status, cut.response_body.text) == (503, "one")
    assert cut.elapsed_s < 1
    assert cut.error == "the companion cut the connection after 1 of 2 pieces, on cue"
    assert (raw_bytes.status, raw_bytes.response_body.total_bytes) == (None, 2)
    assert raw_bytes.error == "the companion sent bytes that need be no HTTP, on cue"
    server.stop()


def test_raw_bytes_are_sent_as_they_are(port: int, parrot: Parrot) -> None:
    parrot.next = [Answer(raw=b"HTTP/9 what\r\n")]
    assert raw(port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b"HTTP/9 what\r\n"


HOSTILE = {
    "no HTTP": b"\x00\xff\xfe nonsense\r\n\r\n",
    "a head without end": b"GET / HTTP/1.1\r\n" + b"A: " + b"x" * 200_000,
    "very many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"H: x\r\n" * 40_000 + b"\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length and chunks": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\n",
    "a chunk of nonsense": b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a body beyond all bounds": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 9_000_000,
}


@pytest.mark.parametrize("sent", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_broken_request_ends_its_connection_and_nothing_else(
    port: int, parrot: Parrot, broken: list[str], sent: bytes
) -> None:
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        assert b"200" not in raw(port, sent)[:20]
    assert parrot.asked == []
    assert asked(port) == (200, b"hello")
    assert broken == []


def test_no_caller_holds_more_connections_than_there_are_and_all_end_with_it(
    server: CompanionServer, port: int
) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(300):
            with contextlib.suppress(ConnectionResetError):  # one too many may be turned away while it connects
                held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
        assert len(server._connections) <= 128
    deadline = time.monotonic() + 10
    while server._connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert asked(port) == (200, b"hello")


def test_a_companion_that_breaks_is_told_of_and_answers_500(port: int, broken: list[str]) -> None:
    assert asked(port, "/break")[0] == 500
    assert broken == ["parrot: broken"]
    assert asked(port)[0] == 200


def test_unplugged_it_refuses_and_ends_what_there_was(server: CompanionServer, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as idle:
        assert asked(port)[0] == 200
        server.unplug()
        assert idle.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        asked(port)
    assert not server.plugged
    again = listening()
    server.plug(again)
    assert asked(again.getsockname()[1]) == (200, b"hello")
