"""How true our load generator's figures are, against a server whose every delay is known.

    python benchmarks/loadgen.py [--seconds S] [--rates R ...]

The server is a process of its own, of one thread and raw sockets, and notes when it read each request and when it
answered. It behaves in four ways: a fixed delay of 2 ms; exponential delays of mean 2 ms from a seed; a stall of all of
it for 100 ms at every 50th request; one pause of a second, a second after its first request. Stalls overload it at 500
requests a second and more: its queue then grows until the block ends, and so do the latencies, as they should.

Expected: what the server's own notes and the intended starts give. With delays, the time from each request's reading to
its answer. With stalls, a queue in the order in which the server took the requests: one is served when it has arrived
and the ones before it are served, and takes as long as it kept the server's thread.

Beside it runs wrk (Debian: `apt-get install wrk`; left out if absent), with 4 connections. It has no timetable: a stall
delays 4 requests of it and then it asks as if nothing had been, so its percentiles hide it. They stand as it says them.

Last, how many requests a second our generator can send in time, against a server without delay.

Exits with 1 when a promise is broken: at each rate our p50 within 0.7 ms or 10 % of the expected one, p99 within 2 ms
or 10 %, no failures, and 1,500 requests a second sent with a lag under 5 ms. It holds on a machine with two idle cores.
"""

import argparse
import contextlib
import heapq
import itertools
import json
import os
import random
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from assessments.budget import Arrivals
from graders.http import Request, Response
from graders.load import Ask, Volley, arrivals, closed_loop, open_loop, percentile

_DELAY_S = 0.002
_STALL_S, _STALL_EVERY = 0.1, 50
_PAUSE_S, _PAUSE_AFTER_S = 1.0, 1.0
_SEED = 20
_SHARES = (0.5, 0.95, 0.99)
_TIMEOUT_S = 30.0
_CONNECTIONS = 64
_WRK_CONNECTIONS = 4
_P50_S, _P99_S, _RELATIVE = 0.0007, 0.002, 0.1
_FULL_RATE, _FULL_LAG_S = 1500, 0.005
_WRK_DONE = """
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %d %d\\n", latency:percentile(50), latency:percentile(95),
    latency:percentile(99), summary.requests, summary.duration))
end
"""


class Behaviour(StrEnum):
    FIXED = "fixed 2 ms"
    EXPONENTIAL = "exponential 2 ms"
    STALLS = "100 ms every 50th"
    PAUSE = "one pause of 1 s"
    INSTANT = "no delay"


Note = tuple[int, float, float, float]
"""A request's place, when the server read and answered it (CLOCK_MONOTONIC), and how long it kept the thread busy."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rates", type=int, nargs="+", default=[100, 500, 1000])
    parser.add_argument("--serve", type=Behaviour, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        Server(asked.serve).run()
        return
    broken: list[str] = []
    print(f"{'':44} {'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9} {'lag ms':>7} {'req/s':>7} {'failed':>7}")
    for behaviour in (Behaviour.FIXED, Behaviour.EXPONENTIAL, Behaviour.STALLS, Behaviour.PAUSE):
        for rate in asked.rates:
            broken += _accuracy(behaviour, rate, asked.seconds)
        _wrk(behaviour, asked.seconds)
    broken += _capacity(asked.seconds)
    for promise in broken:
        _say(promise)
    sys.exit(1 if broken else 0)


def _accuracy(behaviour: Behaviour, rate: int, seconds: float) -> Iterator[str]:
    """Print a row of what was expected and one of what we measured. Yields the promises that were broken."""
    intended = arrivals(Arrivals.POISSON, rate, seconds, _SEED)
    volley, notes = _ours(behaviour, intended)
    expected = _percentiles(_expected_s(behaviour, intended, notes))
    measured = _percentiles([latency / 1e6 for latency in volley.latency_us])
    _row(f"{behaviour}, {rate}/s, expected", expected)
    _row(f"{behaviour}, {rate}/s, ours", measured, volley)
    if volley.failures:
        why = next(iter(volley.failures.values()))
        yield f"{behaviour} at {rate}/s: {len(volley.failures)} failures, such as: {why}"
    for name, place, promised_s in (("p50", 0, _P50_S), ("p99", 2, _P99_S)):
        error_s = abs(measured[place] - expected[place])
        if error_s > max(promised_s, _RELATIVE * expected[place]):
            yield f"{behaviour} at {rate}/s: {name} is {error_s * 1000:.2f} ms off"


def _expected_s(behaviour: Behaviour, intended: Sequence[float], notes: Sequence[Note]) -> list[float]:
    if behaviour in (Behaviour.FIXED, Behaviour.EXPONENTIAL):
        return [answered - read for _, read, answered, _ in notes]
    latencies: list[float] = []
    free = 0.0
    for place, _, _, busy in notes:
        free = max(free, intended[place]) + busy
        latencies.append(free - intended[place])
    return latencies


def _ours(behaviour: Behaviour, intended: Sequence[float]) -> tuple[Volley, list[Note]]:
    with _server(behaviour) as server:
        volley = open_loop(
            Loopback(server.port),
            [Ask(Request("GET", f"/{place}"), _judge) for place in range(len(intended))],
            intended,
            timeout_s=_TIMEOUT_S,
            connections=_CONNECTIONS,
            fresh_every=20,
            spin=(os.cpu_count() or 1) > 1,
        )
        return volley, server.notes()


def _wrk(behaviour: Behaviour, seconds: float) -> None:
    wrk = shutil.which("wrk")
    if wrk is None:
        _say("wrk: left out: it is not installed")
        return
    with _server(behaviour) as server, tempfile.TemporaryDirectory() as scratch:
        script = Path(scratch) / "done.lua"
        script.write_text(_WRK_DONE)
        command = [wrk, "-t1", f"-c{_WRK_CONNECTIONS}", f"-d{max(round(seconds), 1)}s", "-s", str(script)]
        done = subprocess.run(
            [*command, f"http://127.0.0.1:{server.port}/0"], capture_output=True, text=True, check=True
        )
    result = next(line for line in done.stdout.splitlines() if line.startswith("RESULT")).split()[1:]
    *latencies_us, count, duration_us = map(int, result)
    _row(f"{behaviour}, closed, wrk", [latency / 1e6 for latency in latencies_us], rate=count / duration_us * 1e6)


def _capacity(seconds: float) -> Iterator[str]:
    for rate in (_FULL_RATE, 2 * _FULL_RATE, 3 * _FULL_RATE):
        volley, _ = _ours(Behaviour.INSTANT, arrivals(Arrivals.POISSON, rate, seconds, _SEED))
        _row(f"{Behaviour.INSTANT}, {rate}/s, ours", _percentiles([us / 1e6 for us in volley.latency_us]), volley)
        if rate == _FULL_RATE and (volley.lag_s > _FULL_LAG_S or volley.failures):
            yield f"at {rate}/s the lag is {volley.lag_s * 1000:.2f} ms, with {len(volley.failures)} failures"
    with _server(Behaviour.INSTANT) as server:
        asks = itertools.repeat(Ask(Request("GET", "/0"), _judge))
        volley = closed_loop(
            Loopback(server.port), asks, seconds=seconds, concurrency=8, timeout_s=_TIMEOUT_S, fresh_every=0, spin=False
        )
    _row(f"{Behaviour.INSTANT}, closed, ours, 8 callers", _percentiles([us / 1e6 for us in volley.latency_us]), volley)


def _judge(response: Response) -> None:
    assert (response.status, response.text) == (200, "ok")


def _percentiles(values_s: Sequence[float]) -> list[float]:
    return [percentile(values_s, share) for share in _SHARES]


def _row(name: str, percentiles_s: Sequence[float], volley: Volley | None = None, rate: float | None = None) -> None:
    figures = " ".join(f"{value * 1000:9.2f}" for value in percentiles_s)
    if volley is not None:
        rate = len(volley.latency_us) / volley.seconds
    lag = f"{volley.lag_s * 1000:7.2f}" if volley else " " * 7
    failed = f"{len(volley.failures):7}" if volley else ""
    print(f"{name:44} {figures} {lag} {f'{rate:7.0f}' if rate else '':7} {failed}", flush=True)


class Loopback:
    """A dial to a port of this host."""

    def __init__(self, port: int) -> None:
        self.address = ("127.0.0.1", port)

    def fresh_socket(self) -> socket.socket:
        return socket.socket(socket.AF_INET, socket.SOCK_STREAM)

    def connect(self, deadline: float) -> socket.socket:
        return socket.create_connection(self.address, deadline - time.monotonic())


@dataclass
class Running:
    """A server process, which ends and says its notes when its standard input is closed."""

    process: subprocess.Popen[str]
    port: int

    def notes(self) -> list[Note]:
        out, _ = self.process.communicate(timeout=60)
        return [tuple(note) for note in json.loads(out)]


@contextlib.contextmanager
def _server(behaviour: Behaviour) -> Iterator[Running]:
    command = [sys.executable, __file__, "--serve", behaviour]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Running(process, int(process.stdout.readline()))
        finally:
            process.kill()


@dataclass
class Server:
    """One thread, raw sockets, requests without bodies. Every time that it takes is noted."""

    behaviour: Behaviour
    _poll: select.epoll = field(default_factory=select.epoll)
    _peers: dict[int, socket.socket] = field(default_factory=dict)
    _heads: dict[int, bytes] = field(default_factory=dict)
    _waiting: list[tuple[float, int, int, float]] = field(default_factory=list)
    """A heap: when to answer, on which descriptor, which place, and when it was read."""
    _notes: list[Note] = field(default_factory=list)
    _served: int = 0
    _first: float | None = None
    _busy_since: float = 0.0
    _draw: random.Random = field(default_factory=lambda: random.Random(_SEED))

    def run(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listener.setblocking(False)
        print(listener.getsockname()[1], flush=True)
        self._poll.register(listener, select.EPOLLIN)
        self._poll.register(sys.stdin, select.EPOLLIN)
        while True:
            self._answer_due()
            self._sleep()
            for descriptor, _ in self._poll.poll(0):
                if descriptor == sys.stdin.fileno():
                    print(json.dumps(self._notes))
                    return
                if descriptor == listener.fileno():
                    self._accept(listener)
                else:
                    self._read(descriptor)

    def _sleep(self) -> None:
        left_s = max(self._waiting[0][0] - time.monotonic(), 0.0) if self._waiting else 60.0
        # The last part of a delay is looked through: a timer would be 50 microseconds late.
        select.select([self._poll], [], [], max(left_s - 0.0002, 0.0))
        self._busy_since = time.monotonic()

    def _accept(self, listener: socket.socket) -> None:
        """Accept all that wait: one in each round would let them starve behind the stalls of the others."""
        with contextlib.suppress(BlockingIOError):
            while True:
                peer, _ = listener.accept()
                peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._peers[peer.fileno()] = peer
                self._heads[peer.fileno()] = b""
                self._poll.register(peer, select.EPOLLIN)

    def _read(self, descriptor: int) -> None:
        try:
            data = self._peers[descriptor].recv(65536)
        except ConnectionError:
            data = b""
        if not data:
            self._poll.unregister(descriptor)
            self._peers.pop(descriptor).close()
            return
        head = self._heads[descriptor] + data
        self._heads[descriptor] = head
        if head.endswith(b"\r\n\r\n"):
            self._heads[descriptor] = b""
            self._take(descriptor, int(head.split(b" ", 2)[1][1:]))

    def _take(self, descriptor: int, place: int) -> None:
        now = time.monotonic()
        delay_s, stall_s = self._behave(now)
        if stall_s:
            time.sleep(stall_s)
        if delay_s:
            heapq.heappush(self._waiting, (now + delay_s, descriptor, place, now))
        else:
            self._answer(descriptor, place, now)

    def _behave(self, now: float) -> tuple[float, float]:
        """The request's own delay, and for how long everything stalls."""
        self._served += 1
        self._first = now if self._first is None else self._first
        match self.behaviour:
            case Behaviour.FIXED:
                return _DELAY_S, 0.0
            case Behaviour.EXPONENTIAL:
                return self._draw.expovariate(1 / _DELAY_S), 0.0
            case Behaviour.STALLS if self._served % _STALL_EVERY == 0:
                return 0.0, _STALL_S
            case Behaviour.PAUSE if now - self._first >= _PAUSE_AFTER_S:
                self._first = float("inf")
                return 0.0, _PAUSE_S
            case _:
                return 0.0, 0.0

    def _answer_due(self) -> None:
        while self._waiting and self._waiting[0][0] <= time.monotonic():
            _, descriptor, place, read = heapq.heappop(self._waiting)
            self._answer(descriptor, place, read)

    def _answer(self, descriptor: int, place: int, read: float) -> None:
        peer = self._peers.get(descriptor)
        if peer is not None:
            with contextlib.suppress(ConnectionError):
                peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        answered = time.monotonic()
        self._notes.append((place, read, answered, answered - self._busy_since))
        self._busy_since = answered


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
