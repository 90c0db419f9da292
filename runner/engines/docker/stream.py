"""The engine's one stream of a container's output, taken apart into stdout and stderr.

Each piece comes behind a header of eight bytes: which stream, three zeros, and the length as a big-endian word
(Docker's API, "Attach to a container", stream format).
"""

from runner.engines.output import KeptOutput

_HEADER_BYTES = 8
_STDERR = 2


class Demultiplexer:
    """Keeps what is fed to it in the right one of two outputs."""

    def __init__(self, stdout: KeptOutput, stderr: KeptOutput) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._current = stdout
        self._left = 0
        self._header = bytearray()

    def feed(self, chunk: bytes) -> int:
        """Take the next bytes of the stream, however they are cut; how many of them were output."""
        payload_bytes = 0
        rest = memoryview(chunk)
        while rest:
            if self._left:
                piece, rest = rest[: self._left], rest[self._left :]
                self._left -= len(piece)
                payload_bytes += self._current.add(bytes(piece))
                continue
            missing = _HEADER_BYTES - len(self._header)
            self._header += rest[:missing]
            rest = rest[missing:]
            if len(self._header) == _HEADER_BYTES:
                self._current = self._stderr if self._header[0] == _STDERR else self._stdout
                self._left = int.from_bytes(self._header[4:], "big")
                self._header.clear()
        return payload_bytes
