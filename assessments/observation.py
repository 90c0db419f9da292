"""Observations: what the grader and the engine saw of a submission, as plain bounded data."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A bounded piece of untrusted text. `text` may be shorter than the whole, which had `total_bytes`."""

    text: str
    total_bytes: int

    @property
    def cut(self) -> bool:
        """Whether some of the original is not in `text`."""
        return len(self.text.encode("utf-8", "replace")) < self.total_bytes


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP request and what came of it, witnessed by the grader. `error` is set when no response was read.

    `companion` names the companion that the submission asked; empty: a check asked the submission.
    """

    method: str
    path: str
    request_body: Excerpt
    status: int | None
    response_headers: Mapping[str, str]
    response_body: Excerpt
    elapsed_s: float
    error: str | None
    companion: str = ""


class Breach(StrEnum):
    """A limit of the sandbox that ended a run, as the engine witnessed it."""

    TIME = "time"
    MEMORY = "memory"
    OUTPUT = "output"


@dataclass(frozen=True, slots=True)
class Usage:
    """Resources one sandbox used. None: not measured on this host."""

    peak_memory_bytes: int | None
    cpu_s: float | None
    oom_kills: int | None
    throttled_s: float | None = None
    """Time its processes were kept from the CPU by a quota."""


@dataclass(frozen=True, slots=True)
class SandboxRun:
    """One finished run of a sandbox, witnessed by the engine.

    `exit_code` follows the shell: 128 + N for death by signal N; None if the engine killed it.
    """

    purpose: str
    exit_code: int | None
    breach: Breach | None
    wall_s: float
    usage: Usage
    stdout: Excerpt
    stderr: Excerpt
