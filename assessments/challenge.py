"""A challenge: one job with its environment, entry point, limits and checks."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assessments.budget import Plan
from assessments.check import Check
from assessments.companion import Companion


class EntryKind(StrEnum):
    """How a submission is driven."""

    SERVICE = "service"
    """A process that listens on a port and is spoken to over HTTP."""
    JOB = "job"
    """A command that is run over input and ends."""


@dataclass(frozen=True, slots=True)
class Entry:
    """How a submission is started. `command` runs in the submission's folder, with the environment's Python.

    A service gets its port in `PORT` and is ready when GET `ready_path` answers 200.
    """

    kind: EntryKind
    command: tuple[str, ...]
    required_files: tuple[str, ...]
    port: int
    ready_path: str
    start_timeout_s: float
    state: bool = False
    """Whether a service has a folder that its next instance goes on with, named in `STATE_DIR`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Hard limits of one sandbox."""

    memory_bytes: int
    processes: int
    cpus: float
    scratch_bytes: int
    output_bytes: int
    open_files: int
    job_s: float
    """Wall time of one run of a job; a service lives as long as the checks that use it."""

    @property
    def scratch_files(self) -> int:
        """How many files and folders each scratch place may hold: one a page, and never fewer than a thousand."""
        return max(self.scratch_bytes // 4096, 1000)


@dataclass(frozen=True, slots=True)
class Asset:
    """A folder of the challenge that the sandbox sees read-only at /assets/<mount>.

    A hidden asset is not in the kit; a check may put it in the place of the one mounted there.
    """

    name: str
    folder: str
    mount: str
    hidden: bool


@dataclass(frozen=True, slots=True)
class Baseline:
    """The most that handing in nothing of one's own may earn, as shares of all points."""

    starter_share_max: float = 0.2
    empty_share_max: float = 0.0


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge as read from its folder.

    challenges/<id>/
      challenge.toml   the manifest this is read from
      brief.md         what the candidate reads
      starter/         what the candidate starts from
      public_tests/    tests the candidate has
      hidden_tests/    pytest files that run on the grader's side only
      environment/     locked requirements
      data/            generators, assets, the oracle's data
      judge_data/      answers that checks must accept and refuse
      solutions/       sample solutions, by expectation
      certificate.json what `assay challenge verify` proved, and of which files
    """

    folder: Path
    id: str
    version: str
    title: str
    summary: str
    roles: tuple[str, ...]
    skills: tuple[str, ...]
    time_minutes: int
    pass_mark: float
    """The share of all points from which a submission passes, 0 to 1."""
    lock_file: str
    entry: Entry
    limits: Limits
    assets: tuple[Asset, ...]
    checks: tuple[Check, ...]
    plans: tuple[Plan, ...] = ()
    """How the budgets among the checks are measured."""
    companions: tuple[Companion, ...] = ()
    baseline: Baseline = Baseline()

    @property
    def points_possible(self) -> float:
        return sum(check.points for check in self.checks)

    @property
    def grading_deadline_s(self) -> float:
        """Longer than all checks and starts can take together: only a fault of ours goes past it.

        Were it shorter, a submission could run into it on purpose and have nothing held against it.
        """
        checks_s = sum(check.time_limit_s + _BETWEEN_CHECKS_S for check in self.checks)
        serving = (one.program for one in self.companions if one.program and one.program.serves)
        start_s = self.entry.start_timeout_s + sum(program.start_timeout_s for program in serving)
        return _MARGIN_S + checks_s + _STARTS * start_s


_MARGIN_S = 60.0
_BETWEEN_CHECKS_S = 10.0
_STARTS = 8
