"""The client that checks use: requests one at a time or in a burst, each remembered as evidence."""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from operator import itemgetter
from typing import Any

from assessments.observation import Excerpt, Exchange
from assessments.outcome import Fault
from graders.http.dial import Dial
from graders.http.exchange import exchange
from graders.http.messages import UNSET, BadAnswer, Request, Response

DEFAULT_TIMEOUT_S = 10.0
_EVIDENCE_KEPT = 4
_EXCERPT_BYTES = 2048
_METHOD_CHARS = 20
_HEADERS_KEPT = 30
_MAX_CONCURRENCY = 64
_ANSWERS_BYTES = 16 * 1024 * 1024


class Witness:
    """Remembers the last exchanges of a check, and when the check must be done.

    What the submission asked its companions pushes out nothing that it was asked itself.
    """

    def __init__(self) -> None:
        self._asked: deque[tuple[int, Exchange]] = deque(maxlen=_EVIDENCE_KEPT)
        self._asked_companions: deque[tuple[int, Exchange]] = deque(maxlen=_EVIDENCE_KEPT)
        self._seen = count()
        self._lock = threading.Lock()
        self.deadline: float | None = None
        self._answered_bytes = 0

    def begin(self, deadline: float | None) -> None:
        """A new check starts; nothing it asks may run past `deadline` (CLOCK_MONOTONIC; None: not running yet)."""
        with self._lock:
            self._asked.clear()
            self._asked_companions.clear()
        self.deadline = deadline
        self._answered_bytes = 0

    def time_left(self, wanted_s: float) -> float:
        """`wanted_s`, or less if the check ends before. Raises BadAnswer when there is none left."""
        left = wanted_s if self.deadline is None else min(wanted_s, self.deadline - time.monotonic())
        if left <= 0:
            raise BadAnswer("the check's time was used up before its last request", Fault.NO_ANSWER)
        return left

    def saw(self, observation: Exchange) -> None:
        with self._lock:
            kept = self._asked_companions if observation.companion else self._asked
            kept.append((next(self._seen), observation))

    def answered(self, size_bytes: int) -> None:
        """Count an answer. Raises BadAnswer once a check has read more in all than any honest service says."""
        with self._lock:
            self._answered_bytes += size_bytes
            if self._answered_bytes > _ANSWERS_BYTES:
                raise BadAnswer(f"the answers of this check add up to more than {_ANSWERS_BYTES >> 20} MiB")

    @property
    def exchanges(self) -> tuple[Exchange, ...]:
        """In the order in which they ended."""
        with self._lock:
            both = sorted([*self._asked, *self._asked_companions], key=itemgetter(0))
        return tuple(observation for _, observation in both)


class Client:
    """Speaks to one service. Every request has a connection of its own, no redirects, no cookies."""

    def __init__(self, dial: Dial, witness: Witness) -> None:
        self._dial = dial
        self._witness = witness

    def get(
        self, path: str, headers: Mapping[str, str] | None = None, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> Response:
        return self.request("GET", path, headers=headers, timeout_s=timeout_s)

    def post(
        self,
        path: str,
        json: Any = UNSET,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Response:
        return self.request("POST", path, json=json, content=content, headers=headers, timeout_s=timeout_s)

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Any = UNSET,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
    ) -> Response:
        """Send one request and read its whole answer. Raises BadAnswer if none comes within `timeout_s`."""
        return self._ask(Request(method, path, json, content, headers or {}), timeout_s)

    def burst(
        self, requests: Sequence[Request], concurrency: int = 16, timeout_s: float = DEFAULT_TIMEOUT_S
    ) -> list[Response | BadAnswer]:
        """Send many at once, `concurrency` at a time. Answers stand in the order of the requests.

        An exchange that failed stands there as its BadAnswer.
        """

        def ask(request: Request) -> Response | BadAnswer:
            try:
                return self._ask(request, timeout_s)
            except BadAnswer as error:
                return error

        with ThreadPoolExecutor(min(concurrency, _MAX_CONCURRENCY, len(requests) or 1)) as pool:
            return list(pool.map(ask, requests))

    def _ask(self, request: Request, timeout_s: float) -> Response:
        allowed_s = self._witness.time_left(timeout_s)
        started = time.monotonic()
        try:
            response = exchange(self._dial, request, allowed_s)
            self._witness.answered(len(response.body))
        except BadAnswer as error:
            self._witness.saw(_observed(request, None, time.monotonic() - started, str(error)))
            raise
        self._witness.saw(_observed(request, response, response.elapsed_s, None))
        return response


def _observed(request: Request, response: Response | None, elapsed_s: float, error: str | None) -> Exchange:
    return observed(
        method=request.method,
        path=request.path,
        request_body=request.body(),
        status=response.status if response else None,
        response_headers=response.headers if response else {},
        response_body=response.body if response else b"",
        elapsed_s=elapsed_s,
        error=error,
    )


def observed(
    *,
    method: str,
    path: str,
    request_body: bytes,
    status: int | None,
    response_headers: Mapping[str, str],
    response_body: bytes,
    elapsed_s: float,
    error: str | None,
    companion: str = "",
) -> Exchange:
    """An exchange as evidence, cut to what a scorecard may hold of it."""
    return Exchange(
        method=method[:_METHOD_CHARS],
        path=path[:_EXCERPT_BYTES],
        request_body=excerpt(request_body),
        status=status,
        response_headers=_kept_headers(response_headers),
        response_body=excerpt(response_body),
        elapsed_s=elapsed_s,
        error=error,
        companion=companion,
    )


def _kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {name[:100]: value[:300] for name, value in list(headers.items())[:_HEADERS_KEPT]}


def excerpt(data: bytes) -> Excerpt:
    """The first bytes of a body, as text."""
    return Excerpt(data[:_EXCERPT_BYTES].decode("utf-8", "replace"), len(data))
