"""The relay between two networks: bytes pass both ways, and nothing a caller does stops it."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from graders.companions.relay import Relay


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


@pytest.fixture
def far() -> Iterator[socket.socket]:
    """A service that answers each connection with what it was sent, turned round, once the caller is done."""
    listener = listening()

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError):
                got = b""
                while piece := connection.recv(65536):
                    got += piece
                connection.sendall(got[::-1])

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def through(near: tuple[str, int], sent: bytes) -> bytes:
    with socket.create_connection(near, timeout=10) as caller:
        caller.sendall(sent)
        caller.shutdown(socket.SHUT_WR)
        got = b""
        while piece := caller.recv(65536):
            got += piece
        return got


def test_what_is_sent_arrives_and_so_does_the_answer(far: socket.socket) -> None:
    listener = listening()
    near = listener.getsockname()
    relay = Relay(listener, lambda _: socket.create_connection(far.getsockname()))
    assert through(near, b"abc") == b"cba"
    large = bytes(range(256)) * 8_000
    assert through(near, large) == large[::-1]
    relay.stop()
    with pytest.raises(ConnectionRefusedError):
        through(near, b"x")


def test_who_speaks_through_it_hears_its_end(far: socket.socket) -> None:
    listener = listening()
    relay = Relay(listener, lambda _: socket.create_connection(far.getsockname()))
    with socket.create_connection(listener.getsockname(), timeout=10) as caller:
        deadline = time.monotonic() + 10
        while not relay._connections and time.monotonic() < deadline:
            time.sleep(0.01)
        relay.stop()
        assert caller.recv(1) == b""


def test_a_caller_that_does_not_read_yet_is_still_heard(far: socket.socket) -> None:
    """What comes back fills every buffer before the caller has said all."""
    talk = listening()

    def echo() -> None:
        connection, _ = talk.accept()
        with connection:
            while piece := connection.recv(65536):
                connection.sendall(piece)

    thread = threading.Thread(target=echo, daemon=True)
    thread.start()
    listener = listening()
    relay = Relay(listener, lambda _: socket.create_connection(talk.getsockname()))
    sent = bytes(range(256)) * 8_000
    with socket.create_connection(listener.getsockname(), timeout=10) as caller:
        got = bytearray()
        speaks = threading.Thread(target=lambda: (caller.sendall(sent), caller.shutdown(socket.SHUT_WR)))
        speaks.start()
        while piece := caller.recv(65536):
            got += piece
        speaks.join(10)
    assert bytes(got) == sent
    relay.stop()
    talk.close()
    thread.join(10)


def test_where_nobody_listens_the_connection_ends(far: socket.socket) -> None:
    alive = [False]

    def dial(_: float) -> socket.socket:
        if not alive[0]:
            raise ConnectionRefusedError
        return socket.create_connection(far.getsockname())

    listener = listening()
    relay = Relay(listener, dial)
    with contextlib.suppress(OSError):  # reset, however far the caller has come by then
        assert through(listener.getsockname(), b"abc") == b""
    alive[0] = True
    assert through(listener.getsockname(), b"abc") == b"cba"
    relay.stop()
