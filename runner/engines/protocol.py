"""What a sandbox engine promises. Both the grading flow and the engines' tests hold it to this page.

An `Engine` starts sandboxes; a `Sandbox` is one run of untrusted code. The submission in it has no way out but
what the spec mounts and what it prints; every call here returns within its stated time, whatever the code does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from assessments.challenge import Limits
from assessments.observation import Breach, SandboxRun, Usage
from assessments.scorecard import EngineRef
from runner.engines.collect import Collected, CollectLimits
from runner.engines.environments import Environment

OUTPUTS = "/outputs"
"""Where a sandbox that may hand files out writes them."""
STATE = "/state"
"""Where a sandbox that goes on from an earlier one finds what that one left, and leaves it in turn."""


@dataclass(frozen=True, slots=True)
class Mount:
    """A folder of the host that the sandbox sees read-only at `target`."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True)
class SandboxSpec:
    """One sandbox to start: `command` runs in `folder` with exactly the variables of `env`."""

    purpose: str
    command: tuple[str, ...]
    folder: str
    mounts: tuple[Mount, ...]
    limits: Limits
    env: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    kept_bytes: int = 64 * 1024
    """How much of each stream is kept: its start and, if there was more, its end."""
    environment: Environment | None = None
    """The packages it may import; the standard library's alone when None."""
    outputs: bool = False
    """Whether it may write files in `OUTPUTS`, as much as scratch space, for `Sandbox.collect`."""
    state: Mapping[str, bytes] | None = None
    """The files it finds in `STATE`, by relative path, and may change: for `Sandbox.collect`. None: there is no such
    place. A sandbox has outputs or a state, not both."""
    held: bool = False
    """Whether its command waits for `Sandbox.let_go`."""
    cores: tuple[int, ...] = ()
    """Run on exactly these cores of the host, with no quota; empty: wherever there is room, held to `limits.cpus`."""
    preferred: bool = False
    """Whether to give it far more of a contended CPU than others get, where this host lets us."""

    @property
    def kept_folder(self) -> str | None:
        """The folder whose files `Sandbox.collect` gives."""
        return OUTPUTS if self.outputs else STATE if self.state is not None else None

    @property
    def kept_limits(self) -> CollectLimits:
        """What of it is read."""
        return CollectLimits(holes=not self.outputs)


class Sandbox(Protocol):
    """One run of untrusted code, from start to the moment when every process in it is dead."""

    @property
    def started_at(self) -> float:
        """CLOCK_MONOTONIC, in seconds, when the submission's command was let go."""
        ...

    @property
    def network_fd(self) -> int:
        """A descriptor of the sandbox's network namespace, open for as long as the sandbox is."""
        ...

    def let_go(self) -> None:
        """Let the command of a held sandbox run. Nothing happens to one that runs already, or has ended."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to the command's main process; nothing happens if it has ended."""
        ...

    def wait(self, timeout_s: float) -> SandboxRun | None:
        """The finished run, or None when it is still going after `timeout_s`. Never raises for what the code did."""
        ...

    def usage(self) -> Usage:
        """What the sandbox has used so far; None for a figure this host cannot measure."""
        ...

    def freeze(self) -> None:
        """Stop every process of the sandbox where it is, within a second; it can neither see nor hinder that.

        A frozen one can be killed. Raises InfrastructureError when this host cannot do it.
        """
        ...

    def thaw(self) -> None:
        """Let a frozen sandbox go on. Nothing happens to one that is not frozen, or has ended."""
        ...

    def waited_s(self) -> float | None:
        """Time that its living threads could have run and did not, in seconds; None where that is not measured."""
        ...

    def output(self) -> tuple[bytes, bytes]:
        """The start and the end of what was written to stdout and to stderr so far, `kept_bytes` of each."""
        ...

    def collect(self) -> Collected:
        """The files it left in the kept folder, read after its end; no link is followed, and much of it is refused.

        Raises ValueError while it lives, or when its spec asked for neither outputs nor a state.
        """
        ...

    def kill(self, breach: Breach | None = None) -> SandboxRun:
        """End every process of the sandbox, release all it held, and say what came of it. Idempotent.

        Within 1 s where the host is well, and within 10 s or with an InfrastructureError where it is not.
        """
        ...


class Engine(Protocol):
    """What makes sandboxes. Raises InfrastructureError, and nothing else, when the host fails it."""

    def describe(self, *, unenforced_allowed: bool) -> EngineRef:
        """The engine's name and version, and every control with whether this host enforces it."""
        ...

    def prepare(self, environment: Environment | None) -> None:
        """Make whatever takes long to make for sandboxes with this environment (None: without packages).

        No `start` has to do it then, while a clock runs.
        """
        ...

    def start(self, spec: SandboxSpec) -> Sandbox:
        """Start a sandbox within 20 s, or fail. May be called from several threads at once."""
        ...

    @property
    def can_pin(self) -> bool:
        """Whether a sandbox can have cores of its own."""
        ...

    @property
    def can_prefer(self) -> bool:
        """Whether a sandbox that is to be preferred will be."""
        ...

    @property
    def freezes_by(self) -> str:
        """What stops the processes of a frozen sandbox, for people."""
        ...

    def shut(self) -> None:
        """Kill every living sandbox and start no more; `start` raises from now on. Callable from any thread."""
        ...
