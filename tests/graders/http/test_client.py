"""The client against servers that lie, stall and flood: every answer is bounded, and what is none says why."""

import gzip
import itertools
import socket
import time
import zlib
from collections.abc import Callable

import pytest

from assessments.outcome import Fault
from graders.http import BadAnswer, Client, Request, Response
from graders.http.client import Witness
from graders.http.exchange import MAX_BODY_BYTES

Serve = Callable[[Callable[[socket.socket], None]], Client]
OK = b"HTTP/1.1 200 OK\r\n"


def saying(*pieces: bytes) -> Callable[[socket.socket], None]:
    """A server that reads a request and answers with these bytes."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        for piece in pieces:
            connection.sendall(piece)

    return answer


def endlessly(head: bytes, piece: bytes) -> Callable[[socket.socket], None]:
    """A server that goes on sending until the client hangs up."""

    def answer(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(head)
        while True:
            connection.sendall(piece)

    return answer


def test_an_ordinary_answer_is_read_whole(serve: Serve) -> None:
    response = serve(saying(OK + b"Content-Length: 8\r\nX-A: 1\r\nx-a: 2\r\n\r\n", b'{"a":', b" 1}")).get("/")
    assert (response.status, response.json(), response.headers["x-a"]) == (200, {"a": 1}, "1, 2")


def test_a_chunked_answer_is_joined(serve: Serve) -> None:
    response = serve(saying(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")).get("/")
    assert response.text == "abcde"


def test_how_a_streamed_answer_came_can_be_told(serve: Serve) -> None:
    """Its first piece was there long before its end, which a whole answer's never is."""

    def stream(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(0.3)
        connection.sendall(b"2\r\nde\r\n0\r\n\r\n")

    response = serve(stream).get("/")
    first_s, size = response.arrivals[0]
    assert size == 3
    assert response.elapsed_s - first_s > 0.25
    assert serve(saying(OK + b"Content-Length: 2\r\n\r\nab")).get("/").arrivals == ()


BOMB = zlib.compress(bytes(50_000_000), 9)
HOSTILE = [
    ("an endless body", endlessly(OK + b"\r\n", b"x" * 65536), Fault.MALFORMED_ANSWER, "larger than 4 MiB"),
    (
        "an endless chunked body",
        endlessly(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + b"x" * 65536 + b"\r\n"),
        Fault.MALFORMED_ANSWER,
        "larger than 4 MiB",
    ),
    ("endless headers", endlessly(OK, b"X-Filler: " + b"x" * 1000 + b"\r\n"), Fault.MALFORMED_ANSWER, "not HTTP"),
    ("an endless status line", endlessly(b"HTTP/1.1 200 ", b"x" * 1000), Fault.MALFORMED_ANSWER, "not HTTP"),
    (
        "endless informational answers",
        endlessly(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        Fault.MALFORMED_ANSWER,
        "informational",
    ),
    (
        "a gzip bomb",
        saying(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(1_000_000))),
        Fault.MALFORMED_ANSWER,
        "coding 'gzip'",
    ),
    (
        "a deflate bomb",
        saying(OK + b"Content-Encoding: deflate\r\n\r\n" + BOMB),
        Fault.MALFORMED_ANSWER,
        "coding 'deflate'",
    ),
    (
        "a second answer behind the first",
        saying(OK + b"Content-Length: 2\r\n\r\nok" + OK + b"Content-Length: 2\r\n\r\nno"),
        Fault.MALFORMED_ANSWER,
        "after the end",
    ),
    ("no HTTP at all", saying(b"220 ftp ready\r\n\r\n"), Fault.MALFORMED_ANSWER, "not HTTP"),
    (
        "two lengths",
        saying(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"),
        Fault.MALFORMED_ANSWER,
        "not HTTP",
    ),
    ("a length that is no number", saying(OK + b"Content-Length: -1\r\n\r\n"), Fault.MALFORMED_ANSWER, "not HTTP"),
    (
        "a header name with a space",
        saying(OK + b"X bad: 1\r\nContent-Length: 0\r\n\r\n"),
        Fault.MALFORMED_ANSWER,
        "not HTTP",
    ),
    (
        "a chunk length that is no number",
        saying(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        Fault.MALFORMED_ANSWER,
        "not HTTP",
    ),
    ("a body that stops short", saying(OK + b"Content-Length: 100\r\n\r\nabc"), Fault.NO_ANSWER, "before its answer"),
    ("nothing but a closed connection", saying(), Fault.NO_ANSWER, "without an answer"),
]


@pytest.mark.parametrize(("name", "answer", "fault", "words"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_answer_is_refused_in_words(
    serve: Serve, name: str, answer: Callable[[socket.socket], None], fault: Fault, words: str
) -> None:
    with pytest.raises(BadAnswer, match=words) as caught:
        serve(answer).get("/", timeout_s=15)
    assert caught.value.fault is fault


def test_a_drip_of_single_bytes_does_not_stretch_the_deadline(serve: Serve) -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        for byte in itertools.cycle(OK + b"X: y\r\n"):
            connection.sendall(bytes([byte]))
            time.sleep(0.02)

    started = time.monotonic()
    with pytest.raises(BadAnswer, match=r"no complete answer within 0\.5 s") as caught:
        serve(drip).get("/", timeout_s=0.5)
    assert caught.value.fault is Fault.NO_ANSWER
    assert time.monotonic() - started < 10


def test_a_redirect_is_an_answer_like_any_other(serve: Serve) -> None:
    response = serve(saying(OK.replace(b"200 OK", b"302 Found") + b"Location: http://127.0.0.1:1/\r\n\r\n")).get("/")
    assert response.status == 302


def test_an_early_refusal_of_a_large_body_is_read(serve: Serve) -> None:
    def refuse(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")

    response = serve(refuse).post("/", content=bytes(20_000_000))
    assert (response.status, response.text) == (413, "no")


def test_a_body_of_just_the_limit_is_read(serve: Serve) -> None:
    body = b"x" * MAX_BODY_BYTES
    response = serve(saying(OK + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)).get("/")
    assert len(response.body) == MAX_BODY_BYTES


def test_a_burst_keeps_the_order_and_the_failures_in_their_places(serve: Serve) -> None:
    def answer(connection: socket.socket) -> None:
        path = connection.recv(65536).split()[1]
        if path != b"/2":
            connection.sendall(OK + b"Content-Length: 2\r\n\r\n" + path)

    answers = serve(answer).burst([Request("GET", f"/{number}") for number in range(4)], concurrency=2)
    texts = [answer.text if isinstance(answer, Response) else "failed" for answer in answers]
    assert texts == ["/0", "/1", "failed", "/3"]


def test_nothing_is_asked_once_the_checks_time_is_used_up(serve: Serve) -> None:
    client = serve(saying(OK + b"Content-Length: 0\r\n\r\n"))
    witness = Witness()
    client._witness = witness
    witness.begin(time.monotonic() - 1)
    with pytest.raises(BadAnswer, match="used up") as caught:
        client.get("/")
    assert caught.value.fault is Fault.NO_ANSWER


def test_the_last_exchanges_are_kept_as_bounded_evidence(serve: Serve) -> None:
    client = serve(saying(OK + b"Content-Length: 9000\r\n\r\n" + b"y" * 9000))
    for number in range(6):
        client.post(f"/{number}", json="z" * 9000)
    kept = client._witness.exchanges
    assert [exchange.path for exchange in kept] == ["/2", "/3", "/4", "/5"]
    assert kept[0].request_body.total_bytes == 9002
    assert len(kept[0].response_body.text) == 2048
    assert kept[0].response_body.cut


PICKS = [
    (b'{"a": [1, {"b": true}]}', ("a", 1, "b"), bool, True),
    (b'{"a": 1}', ("a",), float, 1),
    (b'{"a": true}', ("a",), float, "should be a number, but is true"),
    (b'{"a": 1.5}', ("a",), int, "should be a whole number, but is 1.5"),
    (b'{"a": null}', ("a",), str, "should be a string, but is null"),
    (b"[]", ("a",), str, "should be an object with the key 'a'"),
    (b"{}", ("a",), str, "has no key 'a'"),
    (b"[1]", (1,), int, "should have an item 1, but has 1 items"),
    (b"{}", (0,), int, "should be a list"),
    (b"nonsense", ("a",), int, "not the JSON expected"),
]


@pytest.mark.parametrize(("body", "path", "kind", "expected"), PICKS)
def test_picking_from_an_odd_body_is_the_candidates_failure(
    body: bytes, path: tuple[str | int, ...], kind: type, expected: object
) -> None:
    response = Response(200, {}, body, 0.0)
    if isinstance(expected, str):
        with pytest.raises(BadAnswer, match=expected):
            response.pick(*path, type=kind)
    else:
        assert response.pick(*path, type=kind) == expected
