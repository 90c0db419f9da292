"""Carries connections between a companion program's network and the submission's, one way round or the other."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable

from graders.http import BadAnswer

_MOST_CONNECTIONS = 64
_CONNECT_S = 5.0
_UNREAD_S = 60.0
"""So long one end may leave unread what the other sent; a connection on which nobody speaks may last."""
_READ_BYTES = 64 * 1024


class Relay:
    """From a listener to whatever `dial` reaches, until `stop`, which ends the connections that there are."""

    def __init__(self, listener: socket.socket, dial: Callable[[float], socket.socket]) -> None:
        self._listener = listener
        self._dial = dial
        self._lock = threading.Lock()
        self._connections: set[socket.socket] | None = set()
        """None once it has stopped."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections, self._connections = self._connections or set(), None
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # the thread that carries it wakes up, and closes it

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._taken(near):
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()
            else:
                near.close()

    def _taken(self, near: socket.socket) -> bool:
        with self._lock:
            if self._connections is None or len(self._connections) >= _MOST_CONNECTIONS:
                return False
            self._connections.add(near)
            return True

    def _carry(self, near: socket.socket) -> None:
        try:
            with self._dial(time.monotonic() + _CONNECT_S) as far:
                _pump(near, far)
        except (OSError, BadAnswer):
            pass  # who asked sees a connection that ends, as it would of a service that is down
        finally:
            with self._lock:
                if self._connections is not None:
                    self._connections.discard(near)
                near.close()  # under the lock: `stop` must not meet a descriptor that is somebody else's by then


def _pump(near: socket.socket, far: socket.socket) -> None:
    """Both ways at once, until both have ended."""
    ways = {near: far, far: near}
    with selectors.DefaultSelector() as selector:
        for one in ways:
            one.settimeout(_UNREAD_S)
            selector.register(one, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                source = key.fileobj
                assert isinstance(source, socket.socket)
                if data := source.recv(_READ_BYTES):
                    ways[source].sendall(data)
                else:
                    selector.unregister(source)
                    with contextlib.suppress(OSError):
                        ways[source].shutdown(socket.SHUT_WR)
