"""Makes connections into a sandbox's network, which the grader itself is not in.

A dialler process that stands in the sandbox's network namespace hands over fresh TCP sockets, one for each byte it
is sent; what a socket can reach is fixed by where it was made. The grader needs no privilege and listens on nothing.
"""

import socket
import threading
import time
from typing import Protocol

from assessments.outcome import Fault
from graders.http.messages import BadAnswer

_BACKLOG = 128


class Dial(Protocol):
    """Opens connections to the service under test."""

    @property
    def address(self) -> tuple[str, int]:
        """Where the service listens, as a socket of `fresh_socket` sees it."""
        ...

    def fresh_socket(self) -> socket.socket:
        """A TCP socket, not yet connected, that can reach `address`. Raises BadAnswer when there is none any more."""
        ...

    def connect(self, deadline: float) -> socket.socket:
        """A connected socket. Raises BadAnswer when nothing accepts before `deadline` (CLOCK_MONOTONIC)."""
        ...


class SandboxDial:
    """A `Dial` to one port on the loopback of one sandbox."""

    def __init__(self, dialler: socket.socket, port: int) -> None:
        self._dialler = dialler
        self._port = port
        self._lock = threading.Lock()

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self._port

    def connect(self, deadline: float) -> socket.socket:
        connection = self.fresh_socket()
        try:
            connection.settimeout(max(deadline - time.monotonic(), 0.001))
            connection.connect(self.address)
        except TimeoutError as error:
            connection.close()
            raise BadAnswer("the service did not accept a connection in time", Fault.NO_ANSWER) from error
        except OSError as error:
            connection.close()
            raise BadAnswer(f"the service did not accept a connection: {error.strerror}", Fault.NO_ANSWER) from error
        return connection

    def close(self) -> None:
        self._dialler.close()

    def listen(self, port: int) -> socket.socket:
        """A listener on the loopback of the sandbox. Raises OSError when the port is taken there."""
        listener = self.fresh_socket()
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", port))
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
        return listener

    def fresh_socket(self) -> socket.socket:
        try:
            with self._lock:
                self._dialler.sendall(b"c")
                _, descriptors, _, _ = socket.recv_fds(self._dialler, 1, 1)
        except OSError as error:
            raise BadAnswer("the service has ended", Fault.DIED) from error
        if not descriptors:
            raise BadAnswer("the service has ended", Fault.DIED)
        return socket.socket(fileno=descriptors[0])


def serve_sockets(dialler: socket.socket) -> None:
    """The dialler's loop: a fresh socket of this process's network for each byte, until the other end closes."""
    while dialler.recv(1):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as fresh:
            socket.send_fds(dialler, [b"s"], [fresh.fileno()])
