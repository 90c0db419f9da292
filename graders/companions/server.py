"""Serves one companion on a listener in a sandbox's network, from threads of the grader.

Who connects is hostile: sizes, times and the number of connections are bounded, and a broken request is met with the
end of its connection.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

import h11

from assessments.observation import Exchange
from graders.companions.evidence import witnessed
from graders.companions.messages import Answer, Asked, Companion

_MOST_CONNECTIONS = 128
_HEAD_BYTES = 64 * 1024
_BODY_BYTES = 8 * 1024 * 1024
_IDLE_S = 60.0
_READ_BYTES = 64 * 1024
_RESET = struct.pack("ii", 1, 0)


class CompanionServer:
    """Answers on a listener from when it is made until `stop`; `unplug` has connections refused until `plug`.

    `broke` hears what `answer` raised, `saw` of each request and what is about to be answered.
    """

    def __init__(
        self,
        name: str,
        companion: Companion,
        listener: socket.socket,
        broke: Callable[[str, Exception], None],
        saw: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.name = name
        self.companion = companion
        self._broke = broke
        self._saw = saw
        self._lock = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._stopped = threading.Event()
        self.plug(listener)

    @property
    def plugged(self) -> bool:
        return self._listener is not None

    def plug(self, listener: socket.socket) -> None:
        """Answer on this listener from now on."""
        with self._lock:
            self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def unplug(self) -> None:
        """Refuse connections from now on, and end those that there are."""
        with self._lock:
            listener, self._listener = self._listener, None
            connections, self._connections = self._connections, set()
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
            listener.close()
        for connection in connections:
            _cut_off(connection)

    def stop(self) -> None:
        self._stopped.set()
        self.unplug()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                taken = self._listener is listener and len(self._connections) < _MOST_CONNECTIONS
                if taken:
                    self._connections.add(connection)
            if taken:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
            else:
                _reset(connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(_IDLE_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            talk = _Talk(connection, self._stopped)
            while (asked := talk.next()) is not None:
                if not talk.say(self._answer(asked)):
                    break
        except (OSError, h11.ProtocolError):
            pass  # a broken request, or a caller that went away: the connection ends, and that is all
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def _answer(self, asked: Asked) -> Answer:
        with self._one_at_a_time:
            if self._stopped.is_set():  # it waited for its turn longer than its check lasted
                return Answer(503)
            began = time.monotonic()
            try:
                answer = self.companion.answer(asked)
                if self._saw:
                    self._saw(witnessed(self.name, asked, answer, time.monotonic() - began))
            except Exception as error:  # noqa: BLE001 - whatever it is, the check must hear of it
                self._broke(self.name, error)
                return Answer(500)
            return answer


class _Talk:
    """One connection's requests and answers."""

    def __init__(self, connection: socket.socket, stopped: threading.Event) -> None:
        self._socket = connection
        self._stopped = stopped
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)

    def next(self) -> Asked | None:
        """The next request, whole. None when there is no more. Raises h11.ProtocolError and OSError."""
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        head, body = None, bytearray()
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._socket.sendall(self._sent(h11.InformationalResponse(status_code=100, headers=[])))
                self._http.receive_data(self._socket.recv(_READ_BYTES))
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > _BODY_BYTES:
                    raise h11.RemoteProtocolError("the body is too large")
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _asked(head, bytes(body))
            else:
                return None

    def say(self, answer: Answer) -> bool:
        """Whether the connection goes on after the answer."""
        if self._stopped.wait(answer.delay_s):
            return False
        if answer.raw is not None:
            self._socket.sendall(answer.raw)
            return False
        whole = isinstance(answer.body, bytes)
        pieces = [answer.body] if isinstance(answer.body, bytes) else list(answer.body)
        length = ("Content-Length", str(len(pieces[0]))) if whole else ("Transfer-Encoding", "chunked")
        headers = [*((name, value) for name, value in answer.headers.items()), length]
        self._socket.sendall(self._sent(h11.Response(status_code=answer.status, headers=headers)))
        for number, piece in enumerate(pieces):
            if answer.cut_after is not None and number >= answer.cut_after:
                _reset(self._socket)
                return False
            if number and self._stopped.wait(answer.pause_s):
                return False
            self._socket.sendall(self._sent(h11.Data(data=piece)))
        self._socket.sendall(self._sent(h11.EndOfMessage()))
        return self._http.our_state is h11.DONE and self._http.their_state is h11.DONE

    def _sent(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""


def _asked(head: h11.Request, body: bytes) -> Asked:
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    method, target = head.method.decode("latin-1"), head.target.decode("latin-1")
    return Asked(method, target, headers, body, time.monotonic())


def _reset(connection: socket.socket) -> None:
    """End a connection as a host does that falls over: no goodbye, whatever was still to be read."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    connection.close()


def _cut_off(connection: socket.socket) -> None:
    """End a connection that another thread serves, which wakes up and closes it."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
