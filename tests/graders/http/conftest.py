"""Servers that answer with exactly the bytes a test gives them."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from assessments.outcome import Fault
from graders.http import BadAnswer, Client
from graders.http.client import Witness

Serve = Callable[[Callable[[socket.socket], None]], Client]


class LoopbackDial:
    """A dial to a port of this host, where the tests' own servers listen."""

    def __init__(self, port: int) -> None:
        self._port = port

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def fresh_socket(self) -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def connect(self, deadline: float) -> socket.socket:
        try:
            return socket.create_connection(self.address, max(deadline - time.monotonic(), 0.001))
        except OSError as error:
            raise BadAnswer("the service did not accept a connection", Fault.NO_ANSWER) from error


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server whose `answer` gets each accepted connection; gives a client of it."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(answer: Callable[[socket.socket], None]) -> Client:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def loop() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(20)
                        answer(connection)

        thread = threading.Thread(target=loop)
        thread.start()
        threads.append(thread)
        return Client(LoopbackDial(listener.getsockname()[1]), Witness())

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
