"""A check's own connection to a program that serves the submission.

What the program says may be the submission's doing, and so may its silence: reads are bounded, every wait ends with the
check's time, and whatever goes wrong is a BadAnswer.
"""

import socket
import time
from collections.abc import Callable

from assessments.outcome import Fault
from graders.http import BadAnswer

_LINE_BYTES = 64 * 1024
_READ_BYTES = 16 * 1024 * 1024


class Conversation:
    """Bytes to and from the companion `name`. `time_left` cuts a wait, in seconds, to what the check has left."""

    def __init__(self, connection: socket.socket, name: str, time_left: Callable[[float], float]) -> None:
        self._socket = connection
        self._name = name
        self._time_left = time_left
        self._unread = b""

    def send(self, data: bytes, timeout_s: float = 5.0) -> None:
        """Raises BadAnswer when the program does not take it."""
        self._socket.settimeout(self._time_left(timeout_s))
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise self._broken(error) from error

    def read_line(self, timeout_s: float = 5.0) -> bytes:
        """Up to the next newline, which is part of it. Raises BadAnswer when none comes within 64 KiB and the time."""
        return self._read(lambda: self._unread.find(b"\n") + 1, _LINE_BYTES, timeout_s)

    def read(self, size: int, timeout_s: float = 5.0) -> bytes:
        """So many bytes. Raises BadAnswer when they do not come in time, or are more than 16 MiB."""
        if not 0 <= size <= _READ_BYTES:
            raise BadAnswer(f"the companion '{self._name}' announced {size} bytes", Fault.MALFORMED_ANSWER)
        return self._read(lambda: size if len(self._unread) >= size else 0, size, timeout_s) if size else b""

    def close(self) -> None:
        self._socket.close()

    def _read(self, complete: Callable[[], int], most: int, timeout_s: float) -> bytes:
        deadline = time.monotonic() + self._time_left(timeout_s)
        while not (size := complete()):
            if len(self._unread) > most:
                raise BadAnswer(f"the companion '{self._name}' said more than {most} bytes", Fault.MALFORMED_ANSWER)
            try:
                self._socket.settimeout(max(deadline - time.monotonic(), 0.001))
                got = self._socket.recv(_LINE_BYTES)
            except OSError as error:
                raise self._broken(error) from error
            if not got:
                raise BadAnswer(f"the companion '{self._name}' hung up", Fault.NO_ANSWER)
            self._unread += got
        said, self._unread = self._unread[:size], self._unread[size:]
        return said

    def _broken(self, error: OSError) -> BadAnswer:
        how = "said nothing in time" if isinstance(error, TimeoutError) else f"broke off: {error.strerror}"
        return BadAnswer(f"the companion '{self._name}' {how}", Fault.NO_ANSWER)
