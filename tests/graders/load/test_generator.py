"""What an honest service's requests are charged with, and on which connections they go out."""

import gc
import itertools
import math
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

import pytest

from assessments.outcome import Fault
from graders.http import BadAnswer, Request, Response
from graders.http.dial import Dial, SandboxDial, serve_sockets
from graders.load import Ask, closed_loop, open_loop
from graders.load import wait as wait_module
from graders.load.pace import Callers
from graders.load.wait import Wait


class Peer(Protocol):
    socket: socket.socket
    number: int

    def path(self) -> str | None: ...
    def say(self, data: bytes) -> None: ...
    def ok(self, body: str, headers: str = "") -> None: ...


Serve = Callable[[Callable[[Peer], None]], Dial]


def asking(path: str, content: bytes | None = None) -> Ask:
    """A request whose right answer is its own path."""

    def judge(response: Response) -> None:
        assert (response.status, response.text) == (200, path), "not the path that was asked for"

    return Ask(Request("GET" if content is None else "POST", path, content=content), judge)


def numbered(count: int) -> list[Ask]:
    return [asking(f"/{place}") for place in range(count)]


def every(gap_s: float, count: int) -> list[float]:
    return [place * gap_s for place in range(count)]


def echo(peer: Peer) -> None:
    while (path := peer.path()) is not None:
        peer.ok(path)


@pytest.mark.parametrize("spin", [False, True])
def test_each_request_has_its_own_answer_and_its_own_times(serve: Serve, spin: bool) -> None:
    intended = every(0.005, 40)
    volley = open_loop(serve(echo), numbered(40), intended, timeout_s=20, connections=8, fresh_every=7, spin=spin)
    assert volley.failures == {}
    assert volley.intended_us == tuple(round(moment * 1e6) for moment in intended)
    assert all(sent >= due for sent, due in zip(volley.sent_us, volley.intended_us, strict=True))
    ended = [start + latency for start, latency in zip(volley.intended_us, volley.latency_us, strict=True)]
    assert all(end > sent for end, sent in zip(ended, volley.sent_us, strict=True))
    assert max(ended) <= volley.seconds * 1e6 + 1
    assert volley.lag_s >= 0


def test_a_block_of_nothing_is_over_at_once(serve: Serve) -> None:
    volley = open_loop(serve(echo), [], [], timeout_s=1, connections=1, fresh_every=0, spin=False)
    assert (volley.intended_us, volley.failures, volley.lag_s) == ((), {}, 0.0)


def test_a_services_delay_is_in_every_latency(serve: Serve) -> None:
    def slow(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            time.sleep(0.02)
            peer.ok(path)

    volley = open_loop(
        serve(slow), numbered(20), every(0.005, 20), timeout_s=20, connections=20, fresh_every=0, spin=False
    )
    assert volley.failures == {}
    assert min(volley.latency_us) >= 20_000


@pytest.mark.parametrize("connections", [1, 40])
def test_a_stalled_service_is_charged_for_the_requests_it_delayed(serve: Serve, connections: int) -> None:
    one_at_a_time = threading.Lock()
    order: list[int] = []

    def stalls_once(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            with one_at_a_time:
                order.append(int(path[1:]))
                if path == "/10":
                    time.sleep(2)
                peer.ok(path)

    volley = open_loop(
        serve(stalls_once),
        numbered(40),
        every(0.01, 40),
        timeout_s=30,
        connections=connections,
        fresh_every=0,
        spin=False,
    )
    assert volley.failures == {}
    stalled_until = volley.sent_us[10] + 2_000_000
    ended = [start + latency for start, latency in zip(volley.intended_us, volley.latency_us, strict=True)]
    # On connections of their own, requests may come to the service in another order than they were sent in.
    delayed = order[order.index(10) :]
    assert all(ended[place] >= stalled_until for place in delayed)
    assert volley.lag_s < 1.5, "the service's stall is not the generator's lag"
    if connections == 1:
        assert delayed == list(range(10, 40))
        assert all(volley.sent_us[place] >= stalled_until for place in range(11, 40))


def test_a_request_that_is_not_answered_in_time_fails_and_its_connection_is_closed(serve: Serve) -> None:
    hung_up = threading.Event()

    def silent(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            if path != "/1":
                peer.ok(path)
        if path is None:
            hung_up.set()

    volley = open_loop(
        serve(silent), numbered(3), [0.0, 0.01, 2.5], timeout_s=2, connections=1, fresh_every=0, spin=False
    )
    assert volley.failures == {1: "no complete answer within 2 s"}
    assert volley.latency_us[1] >= 2_000_000
    assert hung_up.wait(20)


def test_a_request_that_found_no_connection_in_time_fails_without_being_sent(serve: Serve) -> None:
    asked: list[str] = []

    def silent(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            asked.append(path)

    volley = open_loop(
        serve(silent), numbered(3), [0.0, 0.0, 0.0], timeout_s=0.5, connections=1, fresh_every=0, spin=False
    )
    assert set(volley.failures) == {0, 1, 2}
    assert asked == ["/0"]
    assert all(latency >= 500_000 for latency in volley.latency_us)
    assert volley.sent_us[2] >= 500_000


def on_which(serve: Serve, headers: str = "", version: bytes = b"1.1") -> tuple[Dial, dict[str, int]]:
    """A service that notes on which of its connections each request came."""
    seen: dict[str, int] = {}

    def noting(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            seen[path] = peer.number
            peer.say(
                b"HTTP/%s 200 OK\r\nContent-Length: %d\r\n%s\r\n%s"
                % (version, len(path), headers.encode(), path.encode())
            )

    return serve(noting), seen


@pytest.mark.parametrize(
    ("fresh_every", "expected"), [(0, [0] * 9), (1, list(range(9))), (3, [0, 0, 1, 1, 1, 2, 2, 2, 3])]
)
def test_every_so_many_th_request_is_on_a_fresh_connection_and_the_others_are_not(
    serve: Serve, fresh_every: int, expected: list[int]
) -> None:
    dial, seen = on_which(serve)
    volley = open_loop(dial, numbered(9), [0.0] * 9, timeout_s=20, connections=1, fresh_every=fresh_every, spin=False)
    assert volley.failures == {}
    assert [seen[f"/{place}"] for place in range(9)] == expected


@pytest.mark.parametrize(("headers", "version"), [("Connection: close\r\n", b"1.1"), ("", b"1.0")])
def test_a_connection_that_the_service_wants_closed_is_not_used_again(
    serve: Serve, headers: str, version: bytes
) -> None:
    dial, seen = on_which(serve, headers, version)
    volley = open_loop(dial, numbered(4), [0.0] * 4, timeout_s=20, connections=1, fresh_every=0, spin=False)
    assert volley.failures == {}
    assert [seen[f"/{place}"] for place in range(4)] == [0, 1, 2, 3]


def test_a_request_on_a_connection_that_was_closed_idle_is_repeated_on_a_fresh_one(serve: Serve) -> None:
    seen: list[str] = []

    def closes_at_the_second(peer: Peer) -> None:
        first = peer.path()
        if first is not None:
            seen.append(first)
            peer.ok(first)
            second = peer.path()
            if second is not None:
                seen.append(second)

    volley = open_loop(
        serve(closes_at_the_second), numbered(3), [0.0] * 3, timeout_s=20, connections=1, fresh_every=0, spin=False
    )
    assert volley.failures == {}
    assert seen == ["/0", "/1", "/1", "/2", "/2"]
    assert volley.intended_us == (0, 0, 0)


def test_a_service_that_closes_every_connection_unannounced_loses_no_request(serve: Serve) -> None:
    def once(peer: Peer) -> None:
        path = peer.path()
        if path is not None:
            peer.ok(path)

    volley = open_loop(
        serve(once), numbered(50), every(0.002, 50), timeout_s=20, connections=4, fresh_every=0, spin=False
    )
    assert volley.failures == {}


def test_a_request_is_repeated_once_only(serve: Serve) -> None:
    seen: list[str] = []

    def answers_the_first_only(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            seen.append(path)
            if path != "/0":
                return
            peer.ok(path)

    volley = open_loop(
        serve(answers_the_first_only), numbered(3), [0.0] * 3, timeout_s=20, connections=1, fresh_every=0, spin=False
    )
    assert set(volley.failures) == {1, 2}
    assert volley.failures[1] == "the service hung up without an answer"
    assert seen == ["/0", "/1", "/1", "/2"], "one that failed on a fresh connection is not repeated"


def test_a_wrong_answer_is_a_failure_at_its_place(serve: Serve) -> None:
    def wrong_at_two(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            peer.ok("no" if path == "/2" else path)

    def refuse(response: Response) -> None:
        raise BadAnswer("never right\n" + "x" * 100_000)

    asks = [*numbered(4), Ask(Request("GET", "/4"), refuse)]
    volley = open_loop(serve(wrong_at_two), asks, [0.0] * 5, timeout_s=20, connections=2, fresh_every=0, spin=False)
    assert list(volley.failures) == [2, 4]
    assert volley.failures[2].startswith("not the path")
    assert volley.failures[4].startswith("never right xxx")
    assert len(volley.failures[4]) <= 400


def test_a_judges_own_mistake_is_not_the_candidates(serve: Serve) -> None:
    def mistaken(response: Response) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        open_loop(
            serve(echo),
            [Ask(Request("GET", "/"), mistaken)],
            [0.0],
            timeout_s=20,
            connections=1,
            fresh_every=0,
            spin=False,
        )


def test_nothing_stays_open_and_the_collector_is_as_it_was(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def sometimes_silent(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            if path != "/7":
                peer.ok(path)

    dial, given = serve(sometimes_silent), []
    fresh_socket = dial.fresh_socket

    def noted() -> socket.socket:
        given.append(fresh_socket())
        return given[-1]

    monkeypatch.setattr(dial, "fresh_socket", noted)
    open_loop(dial, numbered(20), [0.0] * 20, timeout_s=1, connections=5, fresh_every=3, spin=False)
    assert len(given) >= 5
    assert all(each.fileno() == -1 for each in given)
    assert gc.isenabled()


def test_nobody_listening_is_a_failure_of_each_request(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    dial = type(serve(echo))(port)  # type: ignore[call-arg]
    volley = open_loop(dial, numbered(3), [0.0] * 3, timeout_s=5, connections=2, fresh_every=0, spin=False)
    assert set(volley.failures) == {0, 1, 2}
    assert all("did not accept a connection: Connection refused" in why for why in volley.failures.values())


def test_a_dial_that_fails_is_a_failure_of_each_request() -> None:
    class Dead:
        address = ("127.0.0.1", 1)

        def fresh_socket(self) -> socket.socket:
            raise BadAnswer("the service has ended", Fault.DIED)

        def connect(self, deadline: float) -> socket.socket:
            raise BadAnswer("the service has ended", Fault.DIED)

    volley = open_loop(Dead(), numbered(3), [0.0] * 3, timeout_s=5, connections=2, fresh_every=0, spin=False)
    assert volley.failures == dict.fromkeys(range(3), "the service has ended")


def test_connections_come_through_a_sandboxes_dialler(serve: Serve) -> None:
    ours, theirs = socket.socketpair()
    dialler = threading.Thread(target=serve_sockets, args=(theirs,))
    dialler.start()
    dial = SandboxDial(ours, serve(echo).address[1])
    try:
        volley = open_loop(dial, numbered(9), [0.0] * 9, timeout_s=20, connections=3, fresh_every=2, spin=False)
    finally:
        dial.close()
        dialler.join(20)
        theirs.close()
    assert volley.failures == {}


@pytest.mark.parametrize(
    ("asks", "intended", "words"), [(2, [0.0], "2 requests"), (2, [1.0, 0.5], "ascending"), (0, [], "connection")]
)
def test_a_plan_that_does_not_fit_is_the_callers_mistake(
    serve: Serve, asks: int, intended: list[float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        open_loop(serve(echo), numbered(asks), intended, timeout_s=1, connections=0, fresh_every=0, spin=False)


def test_a_closed_loop_ends_when_there_is_nothing_more_to_ask(serve: Serve) -> None:
    volley = closed_loop(
        serve(echo), iter(numbered(50)), seconds=60, concurrency=3, timeout_s=20, fresh_every=4, spin=False
    )
    assert len(volley.latency_us) == 50
    assert volley.failures == {}
    assert volley.seconds < 60


def test_a_closed_loop_asks_until_its_time_is_over_and_never_more_at_once(serve: Serve) -> None:
    lock = threading.Lock()
    counts = {"now": 0, "most": 0, "all": 0}

    def counting(peer: Peer) -> None:
        while (path := peer.path()) is not None:
            with lock:
                counts["now"] += 1
                counts["all"] += 1
                counts["most"] = max(counts["most"], counts["now"])
            time.sleep(0.01)
            with lock:
                counts["now"] -= 1
            peer.ok(path)

    volley = closed_loop(
        serve(counting),
        (asking(f"/{place}") for place in itertools.count()),
        seconds=0.5,
        concurrency=3,
        timeout_s=20,
        fresh_every=5,
        spin=True,
    )
    assert volley.failures == {}
    assert len(volley.latency_us) == counts["all"]
    assert 3 <= counts["all"] <= 3 * 51
    assert counts["most"] <= 3
    assert all(intended < 500_000 for intended in volley.intended_us)
    assert list(volley.intended_us) == sorted(volley.intended_us)
    assert volley.seconds >= 0.5


def test_a_dead_service_does_not_make_a_closed_loop_race(serve: Serve) -> None:
    def hangs_up(peer: Peer) -> None:
        peer.path()

    volley = closed_loop(
        serve(hangs_up),
        itertools.repeat(asking("/")),
        seconds=0.5,
        concurrency=2,
        timeout_s=5,
        fresh_every=0,
        spin=False,
    )
    assert 2 <= len(volley.failures) == len(volley.latency_us) <= 2 * 51


def test_waiting_is_exact_without_select_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait_module, "_SELECT_LIMIT", 0)
    waiting = Wait()
    ours, theirs = socket.socketpair()
    try:
        waiting.watch(ours.fileno())
        started = time.monotonic()
        assert waiting.ready(0.0105) == []
        assert time.monotonic() - started >= 0.0105
        theirs.send(b"x")
        assert [descriptor for descriptor, _ in waiting.ready(20)] == [ours.fileno()]
        assert time.monotonic() - started < 15
    finally:
        waiting.close()
        ours.close()
        theirs.close()


def test_after_its_time_a_closed_loop_asks_no_more_however_late_it_looks() -> None:
    """A generator that was held up finds callers that came free in time. Their requests would begin too late."""
    callers = Callers((asking(f"/{place}") for place in itertools.count()), seconds=1.0, concurrency=2)
    callers.start(10.0)
    assert callers.due(10.0) == 10.0
    callers.take(10.0)
    callers.freed(10.9, failed=False)
    assert callers.due(10.95) == 10.0
    assert callers.due(11.0) == math.inf
