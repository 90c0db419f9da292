"""How a request becomes bytes, and by which rules an answer is read: what both of our clients hold to. No I/O.

h11 does the parsing and keeps it strict; this file adds what hostile peers call for: no content codings (they
inflate), no change of protocol, a cap on headers, informational answers and body, and no bytes beyond the answer.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto

import h11

from assessments.outcome import Fault
from graders.http.messages import BadAnswer, Request

_MAX_HEADER_BYTES = 64 * 1024
_MAX_INFORMATIONAL = 8


def conversation() -> h11.Connection:
    """The state of one connection, on which answers' heads have a bound."""
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEADER_BYTES)


@dataclass(frozen=True, slots=True)
class Wire:
    """One request as h11's events and as bytes."""

    head: h11.Request
    body: bytes
    data: bytes
    """Head and body as they are sent."""

    @classmethod
    def of(cls, request: Request, keep_alive: bool) -> "Wire":
        """Raises h11.LocalProtocolError if the request itself is not HTTP: its author's fault."""
        body = request.body()
        headers = {
            "host": "service",
            "accept": "*/*",
            "accept-encoding": "identity",
            "connection": "keep-alive" if keep_alive else "close",
            "user-agent": "python-httpx/0.28",
        }
        if body or request.method in ("POST", "PUT", "PATCH"):
            headers["content-length"] = str(len(body))
            headers["content-type"] = "application/json"
        headers |= {name.lower(): value for name, value in request.headers.items()}
        head = h11.Request(method=request.method, target=request.path, headers=list(headers.items()))
        return cls(head, body, b"".join(_sent(conversation(), head, body)))

    def tell(self, http: h11.Connection) -> None:
        """Let `http` know that this was sent, so that it knows which answers may follow."""
        _sent(http, self.head, self.body)


def _sent(http: h11.Connection, head: h11.Request, body: bytes) -> list[bytes]:
    events: list[h11.Event] = [head, h11.Data(data=body), h11.EndOfMessage()] if body else [head, h11.EndOfMessage()]
    return [piece for event in events for piece in http.send_with_data_passthrough(event) or ()]


class Reading(Enum):
    """How far the reading of an answer has come."""

    HUNGRY = auto()
    """More bytes are needed."""
    UNFINISHED = auto()
    """There is more to read in the bytes that were received."""
    COMPLETE = auto()


class AnswerReader:
    """Reads one answer. What was read is in `status`, `headers` and `body` once it is complete."""

    def __init__(self, http: h11.Connection, max_body_bytes: int) -> None:
        self._http = http
        self._max_body_bytes = max_body_bytes
        self._informational = 0
        self.status = 0
        """0 until the head has come."""
        self.headers: dict[str, str] = {}
        """Names are lower-case; of a repeated header the values are joined by commas."""
        self.body = bytearray()
        self.received_bytes = 0
        self.ended = False
        """Whether the peer has closed its side."""

    def receive(self, data: bytes) -> None:
        """Take what the peer sent; nothing at all means that it closed its side."""
        self.received_bytes += len(data)
        self.ended = not data
        self._http.receive_data(data)

    def advance(self, most_events: int | None = None) -> Reading:
        """Read on in what was received, at most so many events of it. Raises BadAnswer for what is no answer."""
        events = 0
        while most_events is None or events < most_events:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise self._hung_up() if self.ended else BadAnswer(f"the answer is not HTTP/1.1: {error}") from error
            if event is h11.NEED_DATA:
                return Reading.HUNGRY
            if isinstance(event, h11.EndOfMessage):
                if self._http.trailing_data[0]:
                    raise BadAnswer("bytes came after the end of the answer")
                return Reading.COMPLETE
            self._take(event)
            events += 1
        return Reading.UNFINISHED

    def _take(self, event: object) -> None:
        match event:
            case h11.Data():
                self.body += event.data
                if len(self.body) > self._max_body_bytes:
                    raise BadAnswer(f"the body is larger than {self._max_body_bytes >> 20} MiB")
            case h11.Response():
                self.status, self.headers = event.status_code, _joined(event.headers)
                coding = self.headers.get("content-encoding", "identity").strip().lower()
                if coding not in ("identity", ""):
                    raise BadAnswer(f"the body came in the coding {coding[:40]!r}, though only identity was accepted")
            case h11.InformationalResponse():
                self._informational += 1
                if self._informational > _MAX_INFORMATIONAL:
                    raise BadAnswer(f"more than {_MAX_INFORMATIONAL} informational responses came before an answer")
            case h11.ConnectionClosed():
                raise self._hung_up()
            case _:
                raise BadAnswer("the answer is not HTTP/1.1: the service changed to another protocol")

    def _hung_up(self) -> BadAnswer:
        progress = "before its answer was complete" if self.received_bytes else "without an answer"
        return BadAnswer(f"the service hung up {progress}", Fault.NO_ANSWER)


def _joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("ascii", "replace"), raw_value.decode("latin-1")
        joined[name] = f"{joined[name]}, {value}" if name in joined else value
    return joined
