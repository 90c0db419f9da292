"""What is sent and what comes back, and the one exception for an answer that is no answer."""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, TypeVar, overload

from assessments.outcome import Fault
from graders.http import strict_json

_T = TypeVar("_T", float, int, str, bool, list[Any], dict[str, Any])


class _Unset(Enum):
    UNSET = "unset"


UNSET: Final = _Unset.UNSET
"""No JSON body, as distinct from the JSON value null."""


_MESSAGE_CHARS = 400


class BadAnswer(Exception):
    """The submission gave no answer, or one that breaks the protocol. Always the candidate's fault."""

    def __init__(self, message: str, fault: Fault = Fault.MALFORMED_ANSWER) -> None:
        super().__init__(message[:_MESSAGE_CHARS])
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Request:
    """One request. A body comes from `json` (any JSON value) or from `content` (raw bytes), not both."""

    method: str
    path: str
    json: Any = UNSET
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        if self.json is not UNSET:
            return json.dumps(self.json).encode()
        return self.content or b""


@dataclass(frozen=True)
class Response:
    """One complete response. Header names are lower-case; of a repeated header the values are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_s: float
    """From the start of connecting to the last byte of the body."""
    arrivals: tuple[tuple[float, int], ...] = ()
    """How a streamed body came: after so many seconds there were so many bytes of it. Without its end."""

    @classmethod
    def recorded(cls, written: Mapping[str, Any]) -> "Response":
        """An answer as a file of judge_data holds it: `status` (else 200), `headers`, and `json` or `text`."""
        has_json = "json" in written
        body = json.dumps(written["json"]) if has_json else str(written.get("text", ""))
        kind = {"content-type": "application/json" if has_json else "text/plain"}
        headers = {str(name).lower(): str(value) for name, value in dict(written.get("headers", {})).items()}
        return cls(int(written.get("status", 200)), kind | headers, body.encode("utf-8", "surrogatepass"), 0.0)

    @property
    def text(self) -> str:
        """The body as UTF-8, with replacement characters for what is not."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as strict JSON, at most 1 MiB. Raises BadAnswer for anything else."""
        if isinstance(self._parsed, ValueError):
            raise BadAnswer(f"the body is not the JSON expected here: {self._parsed}") from self._parsed
        return self._parsed

    @functools.cached_property
    def _parsed(self) -> Any:
        """The value, or the ValueError that says why there is none: parsed once, however often a check asks."""
        try:
            return strict_json.parse(self.body)
        except ValueError as error:
            return error

    @overload
    def pick(self, *path: str | int) -> Any: ...
    @overload
    def pick(self, *path: str | int, type: type[_T]) -> _T: ...
    def pick(self, *path: str | int, type: type[Any] | None = None) -> Any:  # noqa: A002 - reads best where it is called
        """The value at `path` of the JSON body, of the given type. Raises BadAnswer if it is not there.

        A bool is no number; an int will do for a float.
        """
        value = self.json()
        walked = "the body"
        for step in path:
            value = _step(value, step, walked)
            walked = f"{walked}[{step!r}]"
        if type is not None and not _is(value, type):
            raise BadAnswer(f"{walked} should be a {_NAMES[type]}, but is {_shown(value)}")
        return float(value) if type is float else value


_NAMES: Final = {float: "number", int: "whole number", str: "string", bool: "boolean", list: "list", dict: "object"}


def _is(value: Any, wanted: type[Any]) -> bool:
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)


def _step(value: Any, step: str | int, walked: str) -> Any:
    if isinstance(step, str):
        if not isinstance(value, dict):
            raise BadAnswer(f"{walked} should be an object with the key {step!r}, but is {_shown(value)}")
        if step not in value:
            raise BadAnswer(f"{walked} has no key {step!r}")
        return value[step]
    if not isinstance(value, list):
        raise BadAnswer(f"{walked} should be a list, but is {_shown(value)}")
    if not -len(value) <= step < len(value):
        raise BadAnswer(f"{walked} should have an item {step}, but has {len(value)} items")
    return value[step]


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
