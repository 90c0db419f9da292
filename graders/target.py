"""What a check needs of the thing it tests: a service it can talk to, or a job it can run.

The grader never starts a sandbox. It asks for one over its wire; these Protocols are what it gives the checks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from assessments.observation import SandboxRun, Usage
from graders.http import BadAnswer, Client


class Service(Protocol):
    """One instance of the submission's service, in a sandbox and a network of its own."""

    @property
    def http(self) -> Client: ...

    @property
    def startup_s(self) -> float:
        """From the start of the process to the first ready answer, in seconds."""
        ...

    @property
    def alive(self) -> bool: ...

    def signal(self, name: str) -> None:
        """Send TERM, KILL, STOP, CONT, INT or HUP to the service's main process."""
        ...

    def wait(self, timeout_s: float) -> SandboxRun | None:
        """The finished run, or None if the service is still running after `timeout_s`."""
        ...

    def usage(self) -> Usage: ...

    def logs(self) -> str:
        """The start and the end of what it has printed, stdout then stderr."""
        ...


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of one run of a job. `exit_code` follows the shell: 128 + signal."""

    exit_code: int
    stdout: bytes
    stderr: bytes
    wall_s: float
    usage: Usage
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What it left in /outputs, by relative path: read after its end, whole, and none of it followed."""
    refused: tuple[str, ...] = ()
    """A sentence for each thing in /outputs that was no honest file, such as a link."""

    def file(self, path: str) -> bytes:
        """One file of /outputs. Raises BadAnswer when it is not there, or was refused."""
        if path in self.files:
            return self.files[path]
        why = next((sentence for sentence in self.refused if sentence.startswith(f"{path}: ")), f"{path}: is not there")
        raise BadAnswer(f"the file {why}, in /outputs")


class RunJob(Protocol):
    """Runs the submission's command once, in a fresh sandbox."""

    def __call__(self, args: Sequence[str] = (), stdin: bytes = b"", env: Mapping[str, str] | None = None) -> JobResult:
        """Raises BadAnswer when the run broke a limit (time, memory, output)."""
        ...
