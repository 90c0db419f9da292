"""Reads what a sandbox prints, for as long as it prints, and keeps a bounded part: the start and the end."""

import os
import selectors
import threading
from collections.abc import Callable, Mapping

from assessments.observation import Breach, Excerpt, Usage

_CHUNK_BYTES = 64 * 1024
_CUT = b"\n[... %d bytes not kept ...]\n"


class KeptOutput:
    """The first and the last bytes of one stream, and how many there were in all."""

    def __init__(self, kept_bytes: int) -> None:
        self._head_bytes = kept_bytes * 3 // 4
        self._tail_bytes = kept_bytes - self._head_bytes
        self._head = bytearray()
        self._tail = bytearray()
        self.total_bytes = 0
        self._lock = threading.Lock()

    def add(self, chunk: bytes) -> int:
        """Take the next bytes of the stream; gives how many there were."""
        with self._lock:
            self.total_bytes += len(chunk)
            room = self._head_bytes - len(self._head)
            self._head += chunk[:room]
            if len(chunk) > room:
                self._tail += chunk[max(room, 0) :]
                del self._tail[: -self._tail_bytes]
        return len(chunk)

    def kept(self) -> bytes:
        with self._lock:
            lost = self.total_bytes - len(self._head) - len(self._tail)
            return bytes(self._head) + (_CUT % lost if lost else b"") + bytes(self._tail)

    def excerpt(self) -> Excerpt:
        """What was kept, as text."""
        return Excerpt(self.kept().decode("utf-8", "replace"), self.total_bytes)


Feed = Callable[[bytes], int]
"""Takes what was read from one descriptor, and gives how many bytes of it were output."""


class Drain:
    """Reads descriptors in a thread of its own until all have ended, or `close`. They are its own to close.

    A reader that stopped would let the writer block, and a flood would then hold up the kill as well. Beyond
    `limit_bytes` in all, `on_flood` is called once and reading goes on; `on_end` is called after the last byte.
    """

    def __init__(
        self,
        feeds: Mapping[int, Feed],
        limit_bytes: int,
        on_flood: Callable[[], None],
        on_end: Callable[[], None] | None = None,
    ) -> None:
        self._feeds = dict(feeds)
        self._limit_bytes = limit_bytes
        self._on_flood = on_flood
        self._on_end = on_end
        self.flooded = False
        """Whether there was more than the limit; certain only after `close`."""
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="assay-drain", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Wait for the streams to end. After `timeout_s`, stop reading whatever still holds them open."""
        self._thread.join(timeout_s)
        os.close(self._wake_write)
        self._thread.join()

    def _run(self) -> None:
        total_bytes = 0
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            for descriptor in self._feeds:
                selector.register(descriptor, selectors.EVENT_READ)
            living = set(self._feeds)
            while living:
                ready = [key.fd for key, _ in selector.select()]
                if self._wake_read in ready:
                    break
                for descriptor in ready:
                    chunk = _read(descriptor)
                    if chunk:
                        total_bytes += self._feeds[descriptor](chunk)
                    else:
                        selector.unregister(descriptor)
                        living.discard(descriptor)
                if not self.flooded and total_bytes > self._limit_bytes:
                    self.flooded = True
                    self._on_flood()
        for descriptor in (self._wake_read, *self._feeds):
            os.close(descriptor)
        if self._on_end:
            self._on_end()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, _CHUNK_BYTES)
    except OSError:  # the other end of a socket is gone
        return b""


def first_breach(usage: Usage, *, flooded: bool) -> Breach | None:
    """The limit that a run broke which came to its end by itself, as its accounts tell it."""
    if usage.oom_kills:
        return Breach.MEMORY
    return Breach.OUTPUT if flooded else None
