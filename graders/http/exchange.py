"""One HTTP/1.1 request and response over one connection: a single deadline for all of it, every read bounded.

h11 does the parsing and keeps it strict; this file adds what hostile peers call for: no content codings (they
inflate), no redirects, a cap on headers and body, and no bytes beyond the response.
"""

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass

import h11

from assessments.outcome import Fault
from graders.http.dial import Dial
from graders.http.messages import BadAnswer, Request, Response

MAX_BODY_BYTES = 4 * 1024 * 1024
_MAX_HEADER_BYTES = 64 * 1024
_MAX_INFORMATIONAL = 8
_CHUNK_BYTES = 64 * 1024


def exchange(dial: Dial, request: Request, timeout_s: float) -> Response:
    """Connect, send, read the whole response, hang up. Raises BadAnswer when that fails within `timeout_s`."""
    started = time.monotonic()
    deadline = started + timeout_s
    connection = dial.connect(deadline)
    conversation = _Conversation(connection, deadline)
    with connection:
        try:
            status, headers, body = conversation.ask(request)
        except TimeoutError as error:
            raise BadAnswer(f"no complete answer within {timeout_s:.1f} s", Fault.NO_ANSWER) from error
        except h11.RemoteProtocolError as error:
            if conversation.ended:
                raise BadAnswer(f"the service hung up {conversation.progress()}", Fault.NO_ANSWER) from error
            raise BadAnswer(f"the answer is not HTTP/1.1: {error}") from error
        except OSError as error:
            raise BadAnswer(f"the connection broke: {error.strerror}", Fault.NO_ANSWER) from error
    return Response(status, headers, body, time.monotonic() - started)


@dataclass
class _Conversation:
    connection: socket.socket
    deadline: float

    ended: bool = False
    """Whether the peer has closed its side."""

    def __post_init__(self) -> None:
        self._received_bytes = 0
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEADER_BYTES)

    def ask(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        self._send(request)
        head = self._head()
        headers = _joined(head.headers)
        coding = headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("identity", ""):
            raise BadAnswer(f"the body came in the coding {coding[:40]!r}, though only identity was accepted")
        return head.status_code, headers, self._body()

    def progress(self) -> str:
        return "before its answer was complete" if self._received_bytes else "without an answer"

    def _send(self, request: Request) -> None:
        body = request.body()
        headers = {"host": "service", "accept": "*/*", "accept-encoding": "identity", "connection": "close"}
        headers["user-agent"] = "python-httpx/0.28"
        if body or request.method in ("POST", "PUT", "PATCH"):
            headers["content-length"] = str(len(body))
            headers["content-type"] = "application/json"
        headers |= {name.lower(): value for name, value in request.headers.items()}
        head = h11.Request(method=request.method, target=request.path, headers=list(headers.items()))
        data = self._http.send(head) or b""
        if body:
            data += self._http.send(h11.Data(data=body)) or b""
        data += self._http.send(h11.EndOfMessage()) or b""
        self._send_all(data)

    def _send_all(self, data: bytes) -> None:
        """Send, but stop early if the peer stops reading: it may have answered already (413 before the whole body)."""
        self.connection.settimeout(self._left())
        try:
            self.connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            return

    def _head(self) -> h11.Response:
        for _ in range(_MAX_INFORMATIONAL):
            event = self._next_event()
            if isinstance(event, h11.Response):
                return event
            if not isinstance(event, h11.InformationalResponse):
                raise BadAnswer(f"the service hung up {self.progress()}", Fault.NO_ANSWER)
        raise BadAnswer(f"more than {_MAX_INFORMATIONAL} informational responses came before an answer")

    def _body(self) -> bytes:
        body = bytearray()
        while True:
            event = self._next_event()
            if isinstance(event, h11.EndOfMessage):
                break
            if isinstance(event, h11.Data):
                body += event.data
                if len(body) > MAX_BODY_BYTES:
                    raise BadAnswer(f"the body is larger than {MAX_BODY_BYTES // 1024 // 1024} MiB")
        if self._http.trailing_data[0]:
            raise BadAnswer("bytes came after the end of the answer")
        return bytes(body)

    def _next_event(self) -> object:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self.connection.settimeout(self._left())
            data = self.connection.recv(_CHUNK_BYTES)
            self._received_bytes += len(data)
            self.ended = not data
            self._http.receive_data(data)
        return event

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("ascii", "replace"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
