"""Reads what a sandbox prints, for as long as it prints, and keeps a bounded part: the start and the end."""

import os
import selectors
import threading
from collections.abc import Callable
from typing import IO

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

    def add(self, chunk: bytes) -> None:
        with self._lock:
            self.total_bytes += len(chunk)
            room = self._head_bytes - len(self._head)
            self._head += chunk[:room]
            if len(chunk) > room:
                self._tail += chunk[max(room, 0) :]
                del self._tail[: -self._tail_bytes]

    def kept(self) -> bytes:
        with self._lock:
            lost = self.total_bytes - len(self._head) - len(self._tail)
            return bytes(self._head) + (_CUT % lost if lost else b"") + bytes(self._tail)


class Drain:
    """Reads stdout and stderr in a thread of its own until both end, or `close`.

    A reader that stopped would let the writer block, and a flood would then hold up the kill as well. Beyond
    `limit_bytes` in all, `on_flood` is called once and reading goes on.
    """

    def __init__(
        self, stdout: IO[bytes], stderr: IO[bytes], limit_bytes: int, kept_bytes: int, on_flood: Callable[[], None]
    ) -> None:
        self.stdout = KeptOutput(kept_bytes)
        self.stderr = KeptOutput(kept_bytes)
        self._files = (stdout, stderr)
        self._streams = {stdout.fileno(): self.stdout, stderr.fileno(): self.stderr}
        self._limit_bytes = limit_bytes
        self._on_flood = on_flood
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="assay-drain", daemon=True)
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Wait for the streams to end. After `timeout_s`, stop reading whatever still holds them open."""
        self._thread.join(timeout_s)
        os.close(self._wake_write)
        self._thread.join()

    def _run(self) -> None:
        flooded = False
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            for descriptor in self._streams:
                selector.register(descriptor, selectors.EVENT_READ)
            open_streams = set(self._streams)
            while open_streams:
                ready = [key.fd for key, _ in selector.select()]
                if self._wake_read in ready:
                    break
                for descriptor in ready:
                    chunk = os.read(descriptor, _CHUNK_BYTES)
                    if chunk:
                        self._streams[descriptor].add(chunk)
                    else:
                        selector.unregister(descriptor)
                        open_streams.discard(descriptor)
                if not flooded and self.stdout.total_bytes + self.stderr.total_bytes > self._limit_bytes:
                    flooded = True
                    self._on_flood()
        os.close(self._wake_read)
        for file in self._files:
            file.close()
