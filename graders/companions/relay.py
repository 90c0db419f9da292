"""Carries connections between a companion program's network and the submission's, one way round or the other."""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

from graders.http import BadAnswer

_MOST_CONNECTIONS = 64
_CONNECT_S = 5.0
_UNREAD = struct.pack("ll", 60, 0)
"""So many seconds one end may leave unread what the other sent; a connection on which nobody speaks may last."""
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
    """Both ways at once, until both have ended: a side that does not read must not keep the other from speaking."""
    for one in (near, far):
        one.settimeout(None)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _UNREAD)
    back = threading.Thread(target=_carry_over, args=(far, near), daemon=True)
    back.start()
    _carry_over(near, far)
    back.join()


def _carry_over(source: socket.socket, sink: socket.socket) -> None:
    """One way, until its source has ended; where it breaks, so does the other."""
    try:
        while data := source.recv(_READ_BYTES):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
