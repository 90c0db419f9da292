"""A gzipped file read piece by piece, inflated no further than was asked for."""

import zlib
from typing import Final

_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS
_FEED_BYTES: Final = 64 * 1024


class NotOneGzip(Exception):
    """The data is not exactly one whole gzip member; the message says what it is."""


class TooLong(Exception):
    """The data unpacks to more than the cap."""


class GzipStream:
    """Reads the one gzip member that `data` must be.

    `produced_bytes` counts what was inflated: at most one byte beyond the larger of what `read` was asked for
    and what it has given, and never more than `cap_bytes` + 1.
    """

    def __init__(self, data: bytes, cap_bytes: int) -> None:
        self._data = memoryview(data)
        self._position = 0
        self._waiting = b""
        self._inflater = zlib.decompressobj(_GZIP_ONLY)
        self._cap_bytes = cap_bytes
        self.produced_bytes = 0

    def read(self, size: int, /) -> bytes:
        """Up to `size` bytes, fewer only at the end. Raises NotOneGzip or TooLong."""
        chunks = []
        while size > 0 and (chunk := self._inflate(size)):
            chunks.append(chunk)
            size -= len(chunk)
        return b"".join(chunks)

    def finish(self) -> None:
        """Raise NotOneGzip unless the member has ended, with its checksum right and nothing behind it."""
        if self._inflate(1):
            raise NotOneGzip("has data after the end of its archive")
        if self._inflater.unused_data or self._position < len(self._data):
            raise NotOneGzip("has data after the end of its gzip stream")

    def _inflate(self, most: int) -> bytes:
        """Some bytes, at most `most`; none only at the end of the stream."""
        while not self._inflater.eof:
            if not self._waiting:
                self._waiting = bytes(self._data[self._position : self._position + _FEED_BYTES])
                self._position += len(self._waiting)
            fed = self._waiting
            try:
                chunk = self._inflater.decompress(fed, min(most, self._cap_bytes + 1 - self.produced_bytes))
            except zlib.error as error:
                raise NotOneGzip("is not a gzip file, or is a damaged one") from error
            self._waiting = self._inflater.unconsumed_tail
            self.produced_bytes += len(chunk)
            if self.produced_bytes > self._cap_bytes:
                raise TooLong
            if chunk:
                return chunk
            if not fed and not self._inflater.eof:
                raise NotOneGzip("is cut off")
        return b""
