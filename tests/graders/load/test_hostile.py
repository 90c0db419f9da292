"""Services that lie, stall and flood while honest requests are under way: only their own requests fail, in words."""

import gzip
import itertools
import random
import socket
import struct
import time
from collections.abc import Callable
from typing import Protocol

import pytest

from graders.http import Request, Response
from graders.http.dial import Dial
from graders.load import Ask, open_loop
from graders.load.connection import MAX_BODY_BYTES
from graders.load.judging import MAX_KEPT_BYTES

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Peer(Protocol):
    socket: socket.socket
    number: int

    def path(self) -> str | None: ...
    def say(self, data: bytes) -> None: ...
    def ok(self, body: str, headers: str = "") -> None: ...


Serve = Callable[[Callable[[Peer], None]], Dial]
Act = Callable[[Peer], None]


def saying(*pieces: bytes) -> Act:
    def act(peer: Peer) -> None:
        for piece in pieces:
            peer.say(piece)

    return act


def endlessly(head: bytes, piece: bytes, gap_s: float = 0.0) -> Act:
    def act(peer: Peer) -> None:
        peer.say(head)
        while True:
            peer.say(piece)
            time.sleep(gap_s)

    return act


def drip(peer: Peer) -> None:
    for byte in itertools.cycle(OK + b"X: y\r\n"):
        peer.say(bytes([byte]))
        time.sleep(0.005)


def silence(peer: Peer) -> None:
    peer.path()


def reset(peer: Peer) -> None:
    peer.say(OK)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.socket.close()


def judge(response: Response) -> None:
    assert (response.status, response.text) == (200, "right")


HOSTILE: list[tuple[str, Act, str]] = [
    ("an endless body", endlessly(OK + b"\r\n", b"x" * 65536), "larger than 1 MiB"),
    ("an endless chunked body", endlessly(CHUNKED, b"10000\r\n" + b"x" * 65536 + b"\r\n"), "larger than 1 MiB"),
    ("an endless body of single bytes", endlessly(CHUNKED, b"1\r\nx\r\n" * 10_000), "no complete answer|larger than"),
    ("endless headers", endlessly(OK, b"X-Filler: " + b"x" * 1000 + b"\r\n"), "not HTTP"),
    ("an endless status line", endlessly(b"HTTP/1.1 200 ", b"x" * 1000), "not HTTP"),
    ("endless informational answers", endlessly(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "informational"),
    ("a drip of single bytes", drip, "no complete answer within 4 s"),
    ("silence", silence, "no complete answer within 4 s"),
    ("a body that stalls", saying(OK + b"Content-Length: 9\r\n\r\nabc"), "hung up before its answer"),
    ("a gzip bomb", saying(OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(bytes(1_000_000))), "coding 'gzip'"),
    ("a second answer", saying(OK + b"Content-Length: 5\r\n\r\nright" + OK + b"\r\n"), "after the end"),
    ("a second answer in a piece of its own", saying(OK + b"Content-Length: 5\r\n\r\nright", OK), "after the end"),
    ("another protocol", saying(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), "not HTTP"),
    ("no HTTP at all", saying(b"220 ftp ready\r\n\r\n"), "not HTTP"),
    ("two lengths", saying(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc"), "not HTTP"),
    ("a length that is no number", saying(OK + b"Content-Length: -1\r\n\r\n"), "not HTTP"),
    ("a header name with a space", saying(OK + b"X bad: 1\r\n\r\n"), "not HTTP"),
    ("a chunk length that is no number", saying(CHUNKED + b"zz\r\n"), "not HTTP"),
    ("nothing but a closed connection", saying(), "hung up without an answer"),
    ("a reset", reset, "broke|hung up"),
    ("a redirect", saying(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"), "302"),
]


@pytest.mark.parametrize(("name", "act", "words"), HOSTILE, ids=[row[0] for row in HOSTILE])
def test_a_hostile_answer_fails_alone(serve: Serve, name: str, act: Act, words: str) -> None:
    def service(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            if path == "/hostile":
                act(peer)
                return
            peer.ok("right")

    paths = ["/hostile" if place % 5 == 2 else "/" for place in range(20)]
    volley = open_loop(
        serve(service),
        [Ask(Request("GET", path), judge) for path in paths],
        [place * 0.005 for place in range(20)],
        timeout_s=4,
        connections=20,
        fresh_every=5,
        spin=False,
    )
    hostile = [place for place, path in enumerate(paths) if path == "/hostile"]
    assert list(volley.failures) == hostile
    for place in hostile:
        assert any(word in volley.failures[place] for word in words.split("|")), volley.failures[place]
    assert max(volley.latency_us[place] for place in range(20) if place not in hostile) < 4_000_000


def test_a_few_informational_answers_before_the_answer_are_legal(serve: Serve) -> None:
    def hints(peer: Peer) -> None:
        while peer.path() is not None:
            peer.say(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 8)
            peer.ok("right")

    asks = [Ask(Request("GET", "/"), judge)] * 5
    volley = open_loop(serve(hints), asks, [0.0] * 5, timeout_s=20, connections=1, fresh_every=0, spin=False)
    assert volley.failures == {}


def test_an_early_refusal_of_a_large_body_is_an_answer_and_its_connection_is_not_used_again(serve: Serve) -> None:
    numbers: list[int] = []

    def refuses(peer: Peer) -> None:
        peer.socket.recv(1000)
        numbers.append(peer.number)
        peer.say(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        peer.path()
        peer.socket.shutdown(socket.SHUT_WR)
        while peer.socket.recv(65536):
            pass

    def refused(response: Response) -> None:
        assert (response.status, response.text) == (413, "no")

    asks = [Ask(Request("POST", "/", content=bytes(20_000_000)), refused)] * 2
    volley = open_loop(serve(refuses), asks, [0.0] * 2, timeout_s=20, connections=1, fresh_every=0, spin=False)
    assert volley.failures == {}
    assert numbers == [0, 1]


def test_a_service_that_accepts_no_connection_keeps_nobody_waiting_for_longer_than_the_timeout(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        dial = type(serve(silence))(listener.getsockname()[1])  # type: ignore[call-arg]
        asks = [Ask(Request("GET", "/"), judge)] * 6
        volley = open_loop(dial, asks, [0.0] * 6, timeout_s=1, connections=6, fresh_every=0, spin=False)
    assert volley.failures == dict.fromkeys(range(6), "no complete answer within 1 s")


def test_a_large_request_to_a_slow_reader_arrives_whole(serve: Serve) -> None:
    def reads_slowly(peer: Peer) -> None:
        time.sleep(0.2)
        while peer.path() is not None:
            peer.ok("right")

    asks = [Ask(Request("POST", "/", content=bytes(8_000_000)), judge)] * 2
    volley = open_loop(serve(reads_slowly), asks, [0.0] * 2, timeout_s=30, connections=1, fresh_every=0, spin=False)
    assert volley.failures == {}


def test_bodies_of_just_the_limit_are_read_until_they_add_up_to_too_much(serve: Serve) -> None:
    body = b"x" * MAX_BODY_BYTES

    def large(peer: Peer) -> None:
        while peer.path() is not None:
            peer.say(OK + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def whole(response: Response) -> None:
        assert len(response.body) == MAX_BODY_BYTES

    fitting = MAX_KEPT_BYTES // MAX_BODY_BYTES - 1
    asks = [Ask(Request("GET", "/"), whole)] * (fitting + 3)
    volley = open_loop(serve(large), asks, [0.0] * len(asks), timeout_s=60, connections=1, fresh_every=0, spin=False)
    assert set(volley.failures) == set(range(fitting, fitting + 3))
    assert set(volley.failures.values()) == {"the answers of this block add up to more than 64 MiB"}


def test_answers_that_were_damaged_at_random_raise_nothing(serve: Serve) -> None:
    draw = random.Random(7)
    whole = CHUNKED + b"5;a=b\r\nright\r\n0\r\nT: x\r\n\r\n" + OK + b"Content-Length: 5\r\n\r\nright"

    def damaged(peer: Peer) -> None:
        while peer.path() is not None:
            answer = bytearray(whole[: draw.randrange(len(whole) + 1)])
            for _ in range(draw.randrange(4)):
                answer[draw.randrange(len(answer)) if answer else 0 : 0] = draw.randbytes(draw.randrange(1, 3))
            peer.say(bytes(answer))
            if draw.random() < 0.8:
                return

    asks = [Ask(Request("GET", "/"), judge)] * 300
    volley = open_loop(
        serve(damaged),
        asks,
        [place * 0.001 for place in range(300)],
        timeout_s=1,
        connections=50,
        fresh_every=3,
        spin=False,
    )
    assert len(volley.latency_us) == 300
    assert volley.failures
