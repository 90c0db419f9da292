"""Puts load on a hostile service and times each answer, in one thread that never blocks on a connection.

The loop takes small turns: send one request that is due, look for bytes and stamp them, read a bounded piece of one
answer. So a peer that floods one connection delays the others by a turn, and an answer's time is taken when its last
byte is there, however long the reading of it then takes.

A connection that a service closed while it was idle says nothing against the service: keep-alive allows it. So a
request that got not a byte on a reused connection is repeated once, on a fresh one, and still counts from its intended
start. What comes on an idle connection is charged to the request that was answered on it last.
"""

import math
import select
import socket
import time
from collections import deque
from dataclasses import dataclass

from graders.http.dial import Dial
from graders.http.framing import Reading
from graders.http.messages import BadAnswer, Response
from graders.load.connection import Connection, Shot, connect
from graders.load.judging import Answers, sentence
from graders.load.pace import Pace
from graders.load.volley import Volley, percentile
from graders.load.wait import Wait

_SPIN_S = 0.002
"""So long before a request is due, a generator with a core of its own stops sleeping."""
_SPARE_SOCKETS = 128


@dataclass(frozen=True, slots=True)
class Terms:
    """How a block is run, other than what is sent when. Raises ValueError for no connections."""

    timeout_s: float
    """Of a request, from its intended start."""
    connections: int
    """Most at once."""
    fresh_every: int
    """Every so many-th request gets a fresh connection; 0: none is forced to."""
    spin: bool
    """Whether this thread has a core of its own."""
    sockets: int
    """So many will probably be needed."""

    def __post_init__(self) -> None:
        if self.connections < 1:
            raise ValueError("at least one connection is needed")


class Block:
    """One block, from its first request until the last one has its answer or was given up."""

    def __init__(self, dial: Dial, pace: Pace, terms: Terms) -> None:
        self._dial = dial
        self._pace = pace
        self._terms = terms
        self._spare: list[socket.socket] = []
        self._wait = Wait()
        self._open: dict[int, Connection] = {}
        self._idle: list[Connection] = []
        self._unread: deque[Connection] = deque()
        self._under_way: deque[Shot] = deque()
        self._running = 0
        self._room_since = -math.inf
        self._intended: list[float] = []
        self._sent: list[float] = []
        self._ended: list[float] = []
        self._lags: list[float] = []
        self._failures: dict[int, str] = {}
        self._answers = Answers()

    def run(self) -> Volley:
        try:
            self._fetch_spare()
            started = time.monotonic()
            self._pace.start(started)
            while self._running or self._pace.due(time.monotonic()) < math.inf:
                self._turn()
            seconds = time.monotonic() - started
        finally:
            self._close_all()
        self._failures |= self._answers.judged()
        return Volley(
            intended_us=tuple(_microseconds(moment - started) for moment in self._intended),
            sent_us=tuple(_microseconds(moment - started) for moment in self._sent),
            latency_us=tuple(
                _microseconds(ended - intended) for intended, ended in zip(self._intended, self._ended, strict=True)
            ),
            failures=dict(sorted(self._failures.items())),
            lag_s=percentile(self._lags, 0.99) if self._lags else 0.0,
            seconds=seconds,
        )

    def _turn(self) -> None:
        now = time.monotonic()
        self._give_up_late(now)
        due = self._pace.due(now)
        if due <= now and (self._has_room() or due + self._terms.timeout_s <= now):
            self._take(due, now)
        sleep_s = self._sleep_s()
        if sleep_s > 0 and self._pace.prepare():
            sleep_s = 0.0
        ready = self._wait.ready(sleep_s)
        for descriptor, events in ready:
            connection = self._open.get(descriptor)
            if connection is not None:
                self._attend(connection, events)
        if self._unread:
            self._read(self._unread.popleft())

    def _sleep_s(self) -> float:
        """How long nothing needs to be done unless bytes come."""
        if self._unread:
            return 0.0
        due = self._pace.due(time.monotonic())
        start = due if self._has_room() else due + self._terms.timeout_s
        expiry = self._under_way[0].deadline if self._running and self._under_way else math.inf
        until = min(start - _SPIN_S if self._terms.spin else start, expiry)
        return 0.0 if until == math.inf else until - time.monotonic()

    def _has_room(self) -> bool:
        return bool(self._idle) or len(self._open) < self._terms.connections

    def _take(self, due: float, now: float) -> None:
        """Start the request that is due, or give it up if it has waited too long already."""
        place = len(self._intended)
        load, intended = self._pace.take(now)
        fresh = bool(self._terms.fresh_every) and place % self._terms.fresh_every == self._terms.fresh_every - 1
        shot = Shot(place, load, intended, intended + self._terms.timeout_s, fresh)
        self._intended.append(intended)
        self._sent.append(now)
        self._ended.append(now)
        self._running += 1
        could_start = max(due, self._room_since) if self._has_room() else None
        if now >= shot.deadline:
            self._fail(shot, self._late(), now)
        else:
            self._under_way.append(shot)
            self._start(shot)
        if could_start is not None:
            self._lags.append(max((shot.sent or time.monotonic()) - could_start, 0.0))

    def _start(self, shot: Shot) -> None:
        try:
            connection = (None if shot.fresh else self._reusable()) or self._connect()
        except BadAnswer as error:
            self._fail(shot, str(error), time.monotonic())
            return
        try:
            connection.begin(shot)
        except BadAnswer as error:
            self._break(connection, str(error))
            return
        self._watch(connection)

    def _reusable(self) -> Connection | None:
        """The idle connection that was used last, if there is one that is still good."""
        while self._idle:
            connection = self._idle[-1]
            try:
                data = connection.receive()
            except BadAnswer:
                self._close(connection)
                continue
            if data is None:
                return self._idle.pop()
            self._disturbed(connection, data)
        return None

    def _connect(self) -> Connection:
        """A fresh connection, in the place of an idle one if there is any.

        So no more are open than are needed at once: some services keep a worker for each.
        """
        if self._idle:
            self._close(self._idle[0])
        fresh = self._spare.pop() if self._spare else self._dial.fresh_socket()
        connection = connect(fresh, self._dial.address)
        self._open[connection.socket.fileno()] = connection
        self._wait.watch(connection.socket.fileno())
        return connection

    def _send(self, connection: Connection) -> None:
        try:
            connection.send()
        except BadAnswer as error:
            self._break(connection, str(error))
            return
        self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Let the kernel tell when there is room for what is still to be sent, and not otherwise."""
        if bool(connection.outgoing) is not connection.waits_to_send:
            connection.waits_to_send = not connection.waits_to_send
            self._wait.change(connection.socket.fileno(), connection.waits_to_send)

    def _attend(self, connection: Connection, events: int) -> None:
        """The kernel has something of this connection to tell."""
        if connection.outgoing and events & ~select.EPOLLIN:
            self._send(connection)
        if connection.unread or connection.socket.fileno() not in self._open or events == select.EPOLLOUT:
            return
        try:
            data = connection.receive()
        except BadAnswer as error:
            self._break(connection, str(error))
            return
        if data is None:
            return
        if connection.shot is None:
            self._disturbed(connection, data)
        elif not data and connection.unanswered:
            self._break(connection, "the service hung up without an answer")
        else:
            connection.reader.receive(data)
            connection.unread = True
            self._unread.append(connection)

    def _disturbed(self, connection: Connection, data: bytes) -> None:
        """An idle connection was closed by the service, or bytes came on it that nobody had asked for."""
        if data and connection.last_place not in self._failures:
            self._answers.drop(connection.last_place)
            self._failures[connection.last_place] = "bytes came after the end of the answer"
        self._close(connection)

    def _read(self, connection: Connection) -> None:
        shot = connection.shot
        if shot is None:
            return
        try:
            reading = connection.read()
        except BadAnswer as error:
            self._close(connection)
            self._fail(shot, str(error), connection.stamp)
            return
        match reading:
            case Reading.UNFINISHED:
                self._unread.append(connection)
            case Reading.HUNGRY:
                connection.unread = False
            case Reading.COMPLETE:
                connection.unread = False
                self._complete(connection, shot)

    def _complete(self, connection: Connection, shot: Shot) -> None:
        if connection.stamp >= shot.deadline:
            self._close(connection)
            self._fail(shot, self._late(), connection.stamp)
            return
        reader = connection.reader
        elapsed_s = connection.stamp - (shot.sent if shot.sent is not None else shot.intended)
        response = Response(reader.status, reader.headers, bytes(reader.body), elapsed_s)
        had_room = self._has_room()
        if connection.answered():
            self._idle.append(connection)
        else:
            self._close(connection)
        if not had_room:
            self._room_since = connection.stamp
        try:
            self._answers.keep(shot.place, shot.load.judge, response)
        except BadAnswer as error:
            self._failures[shot.place] = str(error)
        self._end(shot, connection.stamp, failed=False)

    def _break(self, connection: Connection, reason: str) -> None:
        """The connection is of no use any more; its request may deserve another."""
        shot, unanswered = connection.shot, connection.unanswered
        self._close(connection)
        if shot is None:
            return
        if unanswered and not shot.repeated:
            shot.repeated = shot.fresh = True
            shot.sent = None
            self._start(shot)
        else:
            self._fail(shot, reason, time.monotonic())

    def _give_up_late(self, now: float) -> None:
        while self._under_way and (self._under_way[0].done or self._under_way[0].deadline <= now):
            shot = self._under_way[0]
            if not shot.done:
                connection = shot.connection
                if connection is not None and connection.unread and connection.stamp < shot.deadline:
                    return  # what came in time is read first; no more is taken from the peer until it was
                if connection is not None:
                    self._close(connection)
                self._fail(shot, self._late(), now)
            self._under_way.popleft()

    def _late(self) -> str:
        return f"no complete answer within {self._terms.timeout_s:g} s"

    def _fail(self, shot: Shot, reason: str, moment: float) -> None:
        self._failures[shot.place] = sentence(reason)
        self._end(shot, moment, failed=True)

    def _end(self, shot: Shot, moment: float, failed: bool) -> None:
        shot.done = True
        shot.connection = None
        self._sent[shot.place] = moment if shot.sent is None else shot.sent
        self._ended[shot.place] = moment
        self._running -= 1
        self._pace.freed(moment, failed)

    def _close(self, connection: Connection) -> None:
        if not self._has_room():
            self._room_since = time.monotonic()
        if connection in self._idle:
            self._idle.remove(connection)
        connection.shot = None
        descriptor = connection.socket.fileno()
        del self._open[descriptor]
        self._wait.forget(descriptor)
        connection.socket.close()

    def _fetch_spare(self) -> None:
        """Fetch sockets before the block starts, so that the dialler's own delay is not counted in it."""
        try:
            while len(self._spare) < min(self._terms.sockets, _SPARE_SOCKETS):
                self._spare.append(self._dial.fresh_socket())
        except BadAnswer:
            return  # whoever needs one in the block will be told

    def _close_all(self) -> None:
        for connection in list(self._open.values()):
            self._close(connection)
        for fresh in self._spare:
            fresh.close()
        self._wait.close()


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
