"""What a check needs of the thing it tests: a service it can talk to, or a job it can run.

The grader never starts a sandbox. It asks for one over its wire; these Protocols are what it gives the checks.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
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

    def peak_memory_bytes(self) -> int:
        """The most memory it has had at once since its start.

        Raises AssertionError when it has ended, and Unmeasured where this host does not tell.
        """
        ...

    def logs(self) -> str:
        """The start and the end of what it has printed, stdout then stderr."""
        ...

    def state(self) -> Mapping[str, bytes]:
        """The files it left in its state folder, by relative path, after its end.

        Raises BadAnswer when something there is no plain file, or all of them are too large.
        """
        ...

    @property
    def companions(self) -> Mapping[str, object]:
        """What `make_companions` made for this instance, and the programs that serve it, by id."""
        ...

    def unplug(self, companion: str) -> None:
        """Have connections to a companion refused, and end those that there are."""
        ...

    def plug(self, companion: str) -> None:
        """Let connections to it in again. Raises BadAnswer when the submission has taken its port meanwhile."""
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


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job to be measured, and the judge of its result."""

    judge: Callable[[JobResult], None]
    """Raises AssertionError or BadAnswer for a wrong result. Anything else that it raises is the challenge's fault."""
    args: Sequence[str] = ()
    stdin: bytes = b""
    env: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Path | Mapping[str, bytes]] = field(default_factory=dict)
    """As of `RunJob`. Each run has a fresh sandbox, so that several may have the same without one gaining by it."""


class RunJob(Protocol):
    """Runs the submission's command once, in a fresh sandbox."""

    def __call__(
        self,
        args: Sequence[str] = (),
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        inputs: Mapping[str, Path | Mapping[str, bytes]] | None = None,
    ) -> JobResult:
        """Raises BadAnswer when the run broke a limit (time, memory, output).

        `inputs`: by name, what is seen read-only at /inputs/<name>: a folder directly below the `scratch` fixture's,
        or files by relative path, such as an earlier run's.
        """
        ...
