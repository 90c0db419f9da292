"""What a companion is asked, and what it answers; faults on cue are answers like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the submission, whole. Hostile: bounded in size, and nothing else is promised of it."""

    method: str
    target: str
    """The path, and the query if there is one."""
    headers: Mapping[str, str]
    """Names are lower-case; of a repeated header the values are joined by commas."""
    body: bytes
    at_s: float
    """CLOCK_MONOTONIC, in seconds, when it was complete."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a companion says. All waits are in seconds, and happen while other requests are answered."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Sequence[bytes] = b""
    """In pieces: sent one by one, in chunked encoding."""
    delay_s: float = 0.0
    """Before the first byte."""
    pause_s: float = 0.0
    """Between two pieces."""
    cut_after: int | None = None
    """Reset the connection after so many pieces; a body that is one piece is announced whole and never comes."""
    raw: bytes | None = None
    """Sent as it is instead of all that, before the connection is closed."""


class Companion(Protocol):
    """What `make_companions` in hidden_tests/companions.py makes, one for each instance of the service."""

    def answer(self, request: Asked) -> Answer:
        """Called for one request at a time. Whatever it raises is the challenge's fault."""
        ...
