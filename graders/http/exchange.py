"""One HTTP/1.1 request and response over one connection: a single deadline for all of it, every read bounded."""

import socket
import time

from assessments.outcome import Fault
from graders.http.dial import Dial
from graders.http.framing import AnswerReader, Reading, Wire, conversation
from graders.http.messages import BadAnswer, Request, Response

MAX_BODY_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_ARRIVALS_KEPT = 1000


def exchange(dial: Dial, request: Request, timeout_s: float) -> Response:
    """Connect, send, read the whole response, hang up. Raises BadAnswer when that fails within `timeout_s`."""
    started = time.monotonic()
    deadline = started + timeout_s
    with dial.connect(deadline) as connection:
        try:
            answer, arrived = _ask(connection, request, deadline)
        except TimeoutError as error:
            raise BadAnswer(f"no complete answer within {timeout_s:.1f} s", Fault.NO_ANSWER) from error
        except OSError as error:
            raise BadAnswer(f"the connection broke: {error.strerror}", Fault.NO_ANSWER) from error
    arrivals = tuple((at - started, size) for at, size in arrived)
    return Response(answer.status, answer.headers, bytes(answer.body), time.monotonic() - started, arrivals)


def _ask(connection: socket.socket, request: Request, deadline: float) -> tuple[AnswerReader, list[tuple[float, int]]]:
    http = conversation()
    wire = Wire.of(request, keep_alive=False)
    wire.tell(http)
    _send(connection, wire.data, deadline)
    reader = AnswerReader(http, MAX_BODY_BYTES)
    arrived: list[tuple[float, int]] = []
    while reader.advance() is not Reading.COMPLETE:
        if reader.body and len(arrived) < _ARRIVALS_KEPT:
            arrived.append((time.monotonic(), len(reader.body)))
        connection.settimeout(_left(deadline))
        reader.receive(connection.recv(_CHUNK_BYTES))
    return reader, arrived


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send, but stop early if the peer stops reading: it may have answered already (413 before the whole body)."""
    connection.settimeout(_left(deadline))
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        return


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
