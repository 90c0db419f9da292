"""A check's talk with a program that the submission can reach as well: what goes wrong is no fault of the check's."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from graders.companions.conversation import Conversation
from graders.http import BadAnswer

Pair = tuple[Conversation, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    near, far = socket.socketpair()
    yield Conversation(near, "broker", lambda wanted: wanted), far
    near.close()
    far.close()


def test_lines_and_bytes_come_as_they_were_sent_however_they_arrive(pair: Pair) -> None:
    talk, far = pair
    far.sendall(b"MSG words 1 ")
    threading.Timer(0.05, far.sendall, [b"3\r\nabc\r\nPI"]).start()
    assert talk.read_line() == b"MSG words 1 3\r\n"
    assert talk.read(3) == b"abc"
    assert talk.read(0) == b""
    far.sendall(b"NG\r\n")
    assert [talk.read_line(), talk.read_line()] == [b"\r\n", b"PING\r\n"]
    talk.send(b"PONG\r\n")
    assert far.recv(100) == b"PONG\r\n"


HOSTILE: dict[str, tuple[Callable[[socket.socket], object], str]] = {
    "silent": (lambda far: None, "the companion 'broker' said nothing in time"),
    "gone": (lambda far: far.close(), "the companion 'broker' hung up"),
    "without end": (lambda far: far.sendall(b"x" * 100_000), "the companion 'broker' said more than 65536 bytes"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_whatever_it_does_instead_is_a_bad_answer(pair: Pair, name: str) -> None:
    talk, far = pair
    does, words = HOSTILE[name]
    does(far)
    with pytest.raises(BadAnswer, match=words):
        talk.read_line(timeout_s=0.1)


def test_who_drips_gains_no_time(pair: Pair) -> None:
    talk, far = pair
    ended = threading.Event()

    def drip() -> None:
        while not ended.wait(0.02):
            far.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        with pytest.raises(BadAnswer, match="said nothing in time"):
            talk.read_line(timeout_s=0.2)
    finally:
        ended.set()
        thread.join()


def test_what_is_not_taken_and_what_is_too_large(pair: Pair) -> None:
    talk, far = pair
    with pytest.raises(BadAnswer, match="said nothing in time"):
        talk.send(b"x" * 10_000_000, timeout_s=0.1)
    with pytest.raises(BadAnswer, match="announced 1000000000 bytes"):
        talk.read(1_000_000_000)
    far.close()
    with pytest.raises(BadAnswer, match="broke off"):
        talk.send(b"x")
