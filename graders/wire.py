"""The messages between a grader process and the runner, as pydantic models over length-prefixed JSON.

    runner -> grader   Assignment once, then a reply to each request
    grader -> runner   requests (start, signal, wait, ... one at a time), and events that need no reply:
                       Collected once, Checked for each check, Finished once as the very last

A grader that ends without Finished has given no verdict. Nothing here is pickled: the grader reads what hostile
code wrote, so what it says is data to the runner as well.
"""

import base64
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from assessments.budget import Plan, Ruling
from assessments.check import Check, CheckId, Visibility
from assessments.companion import Companion
from assessments.measurement import Isolation, Measurement, Side
from assessments.observation import Exchange, SandboxRun, Usage
from assessments.outcome import Fault, Outcome

_T = TypeVar("_T")
MAX_MESSAGE_BYTES = 32 * 1024 * 1024
SignalName = Literal["TERM", "KILL", "STOP", "CONT", "INT", "HUP"]


Word = Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=100_000)]
"""A string that a command line or an environment can hold: no zero byte in it."""
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""One step of a path, and no step up."""


def _inside(path: str) -> str:
    steps = PurePosixPath(path)
    if not steps.parts or steps.is_absolute() or ".." in steps.parts or str(steps) != path:
        msg = "is no plain path inside a folder"
        raise ValueError(msg)
    return path


Files = dict[Annotated[str, Field(pattern=r"^[^\x00]*$", max_length=1000), AfterValidator(_inside)], str]
"""Contents in base64 by path inside a folder: whoever writes them out cannot be led out of it."""
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class WireError(Exception):
    """The other end broke the protocol or went away."""


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Assignment(_Message):
    """What one grader process is to judge."""

    challenge_folder: Path
    checks: tuple[Check, ...]
    seed: int
    port: int
    ready_path: str
    start_timeout_s: float
    job_s: float
    plans: tuple[Plan, ...]
    measures: bool
    """Whether budgets are measured; if not, they stay undecided."""
    only_collect: bool
    """Say which checks there are, and run none."""
    only: tuple[CheckId, ...] | None = None
    """Run these alone, and take what a budget limits as kept: a control. None: all of them, for what they say."""
    companions: tuple[Companion, ...] = ()
    scratch: Path | None = None
    """A folder of the grader's own, whose folders sandboxes can be given as inputs."""
    submission: Path | None = None
    tries_judges: bool = False
    """Say also what the judges make of the challenge's judge_data (see graders.checks.judge_data)."""


class StartService(_Message):
    """Make an instance that is held back; the reply is Started, and a dialler's descriptor follows it."""

    ask: Literal["start-service"] = "start-service"
    env: dict[VariableName, Word] = {}
    assets: dict[Word, Word] = {}
    side: Side = Side.CANDIDATE
    """The submission, or the challenge's reference solution, which is there only to be measured against."""
    state_base64: Files = {}
    """The files that it goes on from, where the challenge gives it a state."""


class StartProgram(_Message):
    """Make a companion that is a program, held back; the reply is Started, and a dialler's descriptor follows it."""

    ask: Literal["start-program"] = "start-program"
    companion: str
    inputs: dict[FolderName, FolderName] = {}
    """By name at /inputs, a folder of the grader's scratch."""


class LetGo(_Message):
    """Let an instance run that is held back; the reply is Running."""

    ask: Literal["let-go"] = "let-go"
    target: int


class ReadState(_Message):
    """What an instance that has ended left in its state; the reply is Left."""

    ask: Literal["read-state"] = "read-state"
    target: int


class SignalService(_Message):
    ask: Literal["signal"] = "signal"
    target: int
    signal: SignalName


class WaitService(_Message):
    """The reply is Ended, with a run or None if it is still going."""

    ask: Literal["wait"] = "wait"
    target: int
    timeout_s: Seconds


class StopService(_Message):
    """Kill an instance; the reply is Ended."""

    ask: Literal["stop"] = "stop"
    target: int


class InspectService(_Message):
    """The reply is Inspected."""

    ask: Literal["inspect"] = "inspect"
    target: int


class StartJob(_Message):
    """Run the submission's command to its end; the reply is JobEnded."""

    ask: Literal["run-job"] = "run-job"
    side: Side = Side.CANDIDATE
    args: tuple[Word, ...] = ()
    inputs: dict[FolderName, FolderName] = {}
    env: dict[VariableName, Word] = {}
    stdin_base64: str = ""
    timeout_s: Seconds


class RunTool(_Message):
    """Run a command beside a companion's packages to its end; the reply is JobEnded."""

    ask: Literal["run-tool"] = "run-tool"
    companion: str
    command: tuple[Word, ...] = Field(min_length=1)
    inputs: dict[FolderName, FolderName] = {}
    timeout_s: Seconds


class BeginQuiet(_Message):
    """Let nothing else of ours run on this host until the grader ends. The reply is Quiet, when that is so."""

    ask: Literal["begin-quiet"] = "begin-quiet"


class FreezeService(_Message):
    """Stop every process of an instance, or let them go on; the reply is Done."""

    ask: Literal["freeze"] = "freeze"
    target: int
    frozen: bool


class ReadGauges(_Message):
    """The reply is Gauges."""

    ask: Literal["gauges"] = "gauges"
    targets: tuple[int, ...]


class CollectedCheck(_Message):
    """A check as its marker declares it."""

    id: str
    points: float
    skill: str
    visibility: Visibility


class Collected(_Message):
    """Every check the hidden tests hold, before any runs; `problems` are reasons not to trust the list."""

    event: Literal["collected"] = "collected"
    checks: tuple[CollectedCheck, ...]
    problems: tuple[str, ...]


class Checked(_Message):
    """What came of one check."""

    event: Literal["checked"] = "checked"
    id: str
    outcome: Outcome
    fault: Fault | None
    sentence: str
    message: str
    evidence: tuple[Exchange, ...]
    duration_s: float
    ruling: Ruling | None = None


class Measured(_Message):
    """Everything that one plan saw, before the first check that rests on it is reported."""

    event: Literal["measured"] = "measured"
    measurement: Measurement


class JudgeVerdict(_Message):
    """What a judge said of one answer of judge_data. `broke`: it raised what is no verdict."""

    file: str
    accepts: bool
    broke: bool
    message: str


class Judged(_Message):
    """Which judges there are and what they said; `problem` is why there are none, if so."""

    event: Literal["judged"] = "judged"
    judges: tuple[str, ...]
    verdicts: tuple[JudgeVerdict, ...]
    problem: str


class Finished(_Message):
    """All checks have been reported; the grader ends now. `problem`: what broke in it, if something did."""

    event: Literal["finished"] = "finished"
    problem: str


PlainRequest = (
    LetGo
    | ReadState
    | StartJob
    | RunTool
    | SignalService
    | WaitService
    | StopService
    | InspectService
    | BeginQuiet
    | FreezeService
    | ReadGauges
)
"""A request that is answered by one reply and nothing else."""
FromGrader = Annotated[StartService | StartProgram | PlainRequest, Field(discriminator="ask")]
Event = Annotated[Collected | Checked | Measured | Judged | Finished, Field(discriminator="event")]


class Started(_Message):
    reply: Literal["started"] = "started"
    target: int


class Running(_Message):
    """`started_at` is CLOCK_MONOTONIC in seconds, which both processes share."""

    reply: Literal["running"] = "running"
    started_at: float


class Left(_Message):
    reply: Literal["left"] = "left"
    files_base64: Files
    refused: tuple[str, ...]


class Refused(_Message):
    """The check asked for what does not exist; the challenge's fault."""

    reply: Literal["refused"] = "refused"
    message: str


class Done(_Message):
    reply: Literal["done"] = "done"


class Ended(_Message):
    reply: Literal["ended"] = "ended"
    run: SandboxRun | None


class Inspected(_Message):
    reply: Literal["inspected"] = "inspected"
    usage: Usage
    logs: str


class Quiet(_Message):
    """`calibrations`: by plan and metric, what the reference did on this host when it was quiet."""

    reply: Literal["quiet"] = "quiet"
    isolation: Isolation
    calibrations: dict[str, dict[str, float]]


class Gauge(_Message):
    """What one instance has used so far; None: not measured here."""

    cpu_s: float | None
    memory_bytes: int | None
    """At its peak."""
    waited_s: float | None


class Gauges(_Message):
    """Readings of one moment. All but `targets` are of the whole host, and only their growth means something."""

    reply: Literal["gauges"] = "gauges"
    busy_s: float | None
    """CPU time of all processes, over all cores."""
    steal_s: float | None
    pressure_s: float | None
    runner_s: float
    """CPU time of the runner itself, which is part of `busy_s`."""
    targets: dict[int, Gauge]


class JobEnded(_Message):
    reply: Literal["job-ended"] = "job-ended"
    run: SandboxRun
    waited_s: float | None
    """Time that its threads could have run and did not, as of shortly before its end; while measuring only."""
    stdout_base64: str
    stderr_base64: str
    files_base64: Files
    refused: tuple[str, ...]


Reply = Annotated[
    Started | Running | Left | Refused | Done | Ended | Inspected | JobEnded | Quiet | Gauges,
    Field(discriminator="reply"),
]

_ASSIGNMENT: TypeAdapter[Assignment] = TypeAdapter(Assignment)
_FROM_GRADER: TypeAdapter[FromGrader | Event] = TypeAdapter(FromGrader | Event)
_REPLY: TypeAdapter[Reply] = TypeAdapter(Reply)


def send(connection: Connection, message: _Message) -> None:
    """Raises WireError when the other end is gone."""
    try:
        connection.send_bytes(message.model_dump_json().encode())
    except OSError as error:
        msg = "the other end of the wire is gone"
        raise WireError(msg) from error


def receive_assignment(connection: Connection) -> Assignment:
    """Raises WireError, as the other two do."""
    return _parsed(_ASSIGNMENT, _receive(connection))


def receive_from_grader(connection: Connection) -> FromGrader | Event:
    """Raises WireError for anything but a well-formed message, the end of the stream included."""
    return _parsed(_FROM_GRADER, _receive(connection))


def receive_reply(connection: Connection) -> Reply:
    return _parsed(_REPLY, _receive(connection))


def _parsed(adapter: TypeAdapter[_T], data: bytes) -> _T:
    try:
        return adapter.validate_json(data)
    except ValidationError as error:
        msg = f"a message of {len(data)} bytes was not understood: {error.errors(include_url=False)[0]['msg']}"
        raise WireError(msg) from error


def _receive(connection: Connection) -> bytes:
    try:
        return connection.recv_bytes(MAX_MESSAGE_BYTES)
    except (EOFError, OSError) as error:
        msg = "the other end of the wire is gone"
        raise WireError(msg) from error


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def encode_files(files: Mapping[str, bytes]) -> Files:
    return {path: encode(content) for path, content in files.items()}


def decode_files(files: Files) -> dict[str, bytes]:
    """Raises WireError, as `decode` does."""
    return {path: decode(content) for path, content in files.items()}


def decode(text: str) -> bytes:
    """Raises WireError for what is no base64."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        msg = "bytes were not sent as base64"
        raise WireError(msg) from error
