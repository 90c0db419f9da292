"""Waits for sockets and for moments, to a fraction of a millisecond."""

import select
import time

_SELECT_LIMIT = 1024
"""select(2) knows no descriptors from here on."""
_COARSE_S = 0.001


class Wait:
    """An epoll whose timeouts are not rounded to its timer of 1 ms."""

    def __init__(self) -> None:
        self._epoll = select.epoll()

    def watch(self, descriptor: int) -> None:
        """Watch one more descriptor for bytes to read."""
        self._epoll.register(descriptor, select.EPOLLIN)

    def change(self, descriptor: int, writable: bool) -> None:
        """Watch it for room to write, too, or no longer."""
        self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if writable else 0))

    def forget(self, descriptor: int) -> None:
        self._epoll.unregister(descriptor)

    def ready(self, timeout_s: float) -> list[tuple[int, int]]:
        """Descriptors and their epoll events; after `timeout_s` at the latest, and at once for 0 or less."""
        if timeout_s > 0:
            self._sleep(timeout_s)
        return self._epoll.poll(0)

    def _sleep(self, timeout_s: float) -> None:
        # select counts in microseconds, and an epoll can itself be waited for: so no connection's descriptor is ever
        # given to select, which knows the first 1,024 of them only.
        if self._epoll.fileno() < _SELECT_LIMIT:
            select.select([self._epoll], [], [], timeout_s)
            return
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            # The last millisecond is too fine for epoll's timer and is looked through without sleeping.
            if self._epoll.poll(max(left_s - _COARSE_S, 0.0), 1):
                return

    def close(self) -> None:
        self._epoll.close()
