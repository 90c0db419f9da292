"""Companions: what a submission needs beside it to do its job, such as a provider of answers or a real server.

One that the grader answers stands in the sandbox's own network, at 127.0.0.1 and its port: the hidden tests see what it
is asked and decide what it says. One that is a program runs in a sandbox of its own. Either it uses the submission, as
a Prometheus does, and in there the submission's port leads to the submission; or it serves the submission, as a broker
does, and its own port leads from the submission's network to it.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """A real program from Debian packages, unpacked at /packages."""

    command: tuple[str, ...]
    packages: tuple[str, ...]
    ready_path: str
    """It is ready when GET of this answers 200 on the companion's port; empty: when it accepts a connection there."""
    start_timeout_s: float
    memory_bytes: int
    serves: bool
    """Whether one stands beside each instance of the service, within its reach."""


@dataclass(frozen=True, slots=True)
class Companion:
    """One companion as the manifest declares it."""

    id: str
    port: int
    program: Program | None
    """None: the grader answers, by what `make_companions` in hidden_tests/companions.py makes."""
    scheme: str
    """Of its address."""

    @property
    def within_reach(self) -> bool:
        """Whether the submission can connect to it."""
        return self.program is None or self.program.serves

    @property
    def variable(self) -> str:
        """The environment variable that tells a submission where the companion is, such as LLM_URL."""
        return f"{self.id.upper().replace('-', '_')}_URL"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"
