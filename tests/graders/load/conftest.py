"""Services with a thread for each connection, that do exactly what a test tells them to."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest


class LoopbackDial:
    """A dial to a port of this host, where the tests' own services listen."""

    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)

    def fresh_socket(self) -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def connect(self, deadline: float) -> socket.socket:
        raise NotImplementedError("the generator connects without blocking")


@dataclass
class Peer:
    """The service's end of one connection."""

    socket: socket.socket
    number: int
    """Of the connection, from 0."""
    _buffer: bytes = b""

    def path(self) -> str | None:
        """Read one whole request. Its path, or None when the client has hung up."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._more():
                return None
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        for line in head.split(b"\r\n"):
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                while len(self._buffer) < int(value):
                    if not self._more():
                        return None
                self._buffer = self._buffer[int(value) :]
        return head.split()[1].decode()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def ok(self, body: str, headers: str = "") -> None:
        self.say(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode())

    def _more(self) -> bool:
        data = self.socket.recv(65536)
        self._buffer += data
        return bool(data)


Answer = Callable[[Peer], None]


@dataclass
class Services:
    listeners: list[socket.socket] = field(default_factory=list)
    peers: list[socket.socket] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self, answer: Answer) -> LoopbackDial:
        """A service that calls `answer` in a thread of its own for each connection."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.listeners.append(listener)
        self._run(lambda: self._accept(listener, answer))
        return LoopbackDial(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, answer: Answer) -> None:
        number = 0
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                connection.settimeout(60)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.peers.append(connection)
                peer = Peer(connection, number)
                self._run(lambda peer=peer: self._serve(peer, answer))  # type: ignore[misc]
                number += 1

    def _serve(self, peer: Peer, answer: Answer) -> None:
        with peer.socket, contextlib.suppress(OSError):
            answer(peer)

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work)
        thread.start()
        self.threads.append(thread)

    def stop(self) -> None:
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], LoopbackDial]]:
    """Starts a service; gives the dial to it."""
    services = Services()
    yield services.start
    services.stop()
