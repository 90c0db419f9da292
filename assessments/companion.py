"""Companions: what a submission needs beside it to do its job, such as a provider of answers or a real server.

One that the grader answers stands in the sandbox's own network, at 127.0.0.1 and its port: the hidden tests see what it
is asked and decide what it says. One that is a program runs in a sandbox of its own, where the submission cannot reach
it; in there the submission's port leads to the submission.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """A real program from Debian packages, unpacked at /packages."""

    command: tuple[str, ...]
    packages: tuple[str, ...]
    ready_path: str
    """It is ready when GET of this answers 200 on the companion's port."""
    start_timeout_s: float
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class Companion:
    """One companion as the manifest declares it."""

    id: str
    port: int
    program: Program | None
    """None: the grader answers, by what `make_companions` in hidden_tests/companions.py makes."""

    @property
    def variable(self) -> str:
        """The environment variable that tells a submission where the companion is, such as LLM_URL."""
        return f"{self.id.upper().replace('-', '_')}_URL"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"
