"""Carries connections from a companion program's network to the submission's, and nothing else between the two."""

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable

from graders.http import BadAnswer

_MOST_CONNECTIONS = 64
_CONNECT_S = 5.0
_IDLE_S = 60.0
_READ_BYTES = 64 * 1024


class Relay:
    """From a listener to whatever `dial` reaches, until `stop`."""

    def __init__(self, listener: socket.socket, dial: Callable[[float], socket.socket]) -> None:
        self._listener = listener
        self._dial = dial
        self._slots = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._slots.acquire(blocking=False):
                threading.Thread(target=self._carry, args=(near,), daemon=True).start()
            else:
                near.close()

    def _carry(self, near: socket.socket) -> None:
        with contextlib.closing(near):
            try:
                with self._dial(time.monotonic() + _CONNECT_S) as far:
                    _pump(near, far)
            except (OSError, BadAnswer):
                pass  # who asked sees a connection that ends, as it would of a service that is down
            finally:
                self._slots.release()


def _pump(near: socket.socket, far: socket.socket) -> None:
    """Both ways at once, until both have ended or nothing came for a minute."""
    ways = {near: far, far: near}
    with selectors.DefaultSelector() as selector:
        for one in ways:
            one.settimeout(_IDLE_S)
            selector.register(one, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(_IDLE_S)
            if not ready:
                return
            for key, _ in ready:
                source = key.fileobj
                assert isinstance(source, socket.socket)
                if data := source.recv(_READ_BYTES):
                    ways[source].sendall(data)
                else:
                    selector.unregister(source)
                    with contextlib.suppress(OSError):
                        ways[source].shutdown(socket.SHUT_WR)
