"""One connection that never blocks, and the request that is under way on it."""

import errno
import os
import socket
import time
from dataclasses import dataclass, field

import h11

from assessments.outcome import Fault
from graders.http.framing import AnswerReader, Reading, conversation
from graders.http.messages import BadAnswer
from graders.load.pace import Load

MAX_BODY_BYTES = 1024 * 1024
_PIECE_BYTES = 16 * 1024
_EVENTS_AT_ONCE = 16


@dataclass(slots=True, eq=False)
class Shot:
    """One request of the block. Times are CLOCK_MONOTONIC in seconds."""

    place: int
    load: Load
    intended: float
    deadline: float
    fresh: bool
    """Whether it must have a connection of its own."""
    sent: float | None = None
    repeated: bool = False
    done: bool = False
    connection: "Connection | None" = None


@dataclass(slots=True, eq=False)
class Connection:
    """A socket, what is still to be sent on it, and the reading of the answer."""

    socket: socket.socket
    shot: Shot | None = None
    last_place: int = -1
    """Of the request that was answered on it last; -1: none was yet."""
    outgoing: memoryview = field(default_factory=lambda: memoryview(b""))
    waits_to_send: bool = False
    """Whether the kernel was asked to tell when there is room for more of it."""
    stamp: float = 0.0
    """When bytes last came."""
    unread: bool = False
    """Whether there are received bytes that were not looked at yet."""
    _http: h11.Connection = field(default_factory=conversation)
    _reader: AnswerReader = field(init=False)
    _accepted: bool = False

    def __post_init__(self) -> None:
        self._reader = AnswerReader(self._http, MAX_BODY_BYTES)

    @property
    def reader(self) -> AnswerReader:
        return self._reader

    @property
    def unanswered(self) -> bool:
        """Whether an earlier answer came over it and not a byte of the present one: it may have been closed idle."""
        return self.last_place >= 0 and not self._reader.received_bytes

    def begin(self, shot: Shot) -> None:
        """Take a request on, and send what the peer has room for. Raises BadAnswer as `send` does."""
        self.shot = shot
        shot.connection = self
        self._reader = AnswerReader(self._http, MAX_BODY_BYTES)
        self.outgoing = memoryview(shot.load.wire.data)
        self.send()
        # Only now: what h11 does with it takes as long as the sending, which it would delay.
        shot.load.wire.tell(self._http)

    def send(self) -> None:
        """Send what the peer has room for. Raises BadAnswer if it does not accept the connection, or breaks it.

        When the peer stops reading, sending ends early: it may have answered already (413 before the whole body).
        """
        moment = time.monotonic()
        try:
            sent_bytes = self.socket.send(self.outgoing)
        except BlockingIOError:
            return
        except (BrokenPipeError, ConnectionResetError):
            self.outgoing = self.outgoing[len(self.outgoing) :]
            self._accepted = True
            return
        except OSError as error:
            raise BadAnswer(self._broken(error), Fault.NO_ANSWER) from error
        self._accepted = True
        if self.shot is not None and self.shot.sent is None:
            self.shot.sent = moment
        self.outgoing = self.outgoing[sent_bytes:]

    def receive(self) -> bytes | None:
        """A bounded piece of what the peer sent; empty when it closed its side, None when there is nothing.

        Raises BadAnswer when the connection is broken.
        """
        try:
            data = self.socket.recv(_PIECE_BYTES)
        except BlockingIOError:
            return None
        except OSError as error:
            raise BadAnswer(self._broken(error), Fault.NO_ANSWER) from error
        self.stamp = time.monotonic()
        return data

    def read(self) -> Reading:
        """Read on in what was received: not all at once, so that others get their turn. Raises BadAnswer."""
        return self._reader.advance(_EVENTS_AT_ONCE)

    def answered(self) -> bool:
        """The request has its answer. Whether another one may be sent on this connection."""
        assert self.shot is not None
        self.last_place, self.shot = self.shot.place, None
        done = self._http.our_state is h11.DONE and self._http.their_state is h11.DONE
        if not done or self.outgoing or self._reader.ended:
            return False
        self._http.start_next_cycle()
        return True

    def _broken(self, error: OSError) -> str:
        if self._accepted:
            return f"the connection broke: {error.strerror}"
        return f"the service did not accept a connection: {error.strerror}"


def connect(fresh: socket.socket, address: tuple[str, int]) -> Connection:
    """Begin to connect `fresh`, without waiting for it. Raises BadAnswer, and closes it, when that is refused."""
    fresh.setblocking(False)
    fresh.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    problem = fresh.connect_ex(address)
    if problem not in (0, errno.EINPROGRESS):
        fresh.close()
        raise BadAnswer(f"the service did not accept a connection: {os.strerror(problem)}", Fault.NO_ANSWER)
    return Connection(fresh)
