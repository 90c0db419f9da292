"""The grader's end of the wire: asks the runner for sandboxes, and takes what it answers apart."""

import contextlib
import signal
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from assessments.companion import Companion
from assessments.measurement import Side
from graders import wire
from graders.checks.authored import companion_maker
from graders.checks.errors import ChallengeError
from graders.checks.instances import BREACH_FAULTS, Instance, StartedProgram, StartedService
from graders.checks.scratch import Inputs, Scratch
from graders.http import BadAnswer
from graders.http.client import Witness
from graders.http.dial import SandboxDial
from graders.target import JobResult

_Reply = TypeVar("_Reply")
_WORDS_KEPT = 600


@contextlib.contextmanager
def _alarm_held() -> Iterator[None]:
    """Hold back the alarm of a check's time limit: it would leave half an exchange on the wire.

    The runner answers everything in bounded time, so the alarm comes late, not never.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class RunnerLink:
    """One request at a time; checks that send bursts do so over diallers, not over this."""

    def __init__(self, connection: Connection, assignment: wire.Assignment, witness: Witness) -> None:
        self._connection = connection
        self.assignment = assignment
        self.witness = witness

    def ask(self, request: wire.FromGrader) -> wire.Reply:
        """Raises ChallengeError when the request cannot be met, WireError when the runner is gone."""
        with _alarm_held():
            return self._reply_to(request)

    def told(self, request: wire.FromGrader, kind: type[_Reply]) -> _Reply:
        """As `ask`, for the one kind of reply that the request has."""
        return _expected(self.ask(request), kind)

    def _reply_to(self, request: wire.FromGrader) -> wire.Reply:
        wire.send(self._connection, request)
        reply = wire.receive_reply(self._connection)
        if isinstance(reply, wire.Refused):
            raise ChallengeError(reply.message)
        return reply

    def tell(self, event: wire.Event) -> None:
        wire.send(self._connection, event)

    @cached_property
    def scratch(self) -> Scratch:
        """The grader's own folder. Raises ChallengeError where nothing is graded."""
        if self.assignment.scratch is None:
            raise ChallengeError("there is no scratch folder while tests are only collected")
        return Scratch(self.assignment.scratch)

    @cached_property
    def _make_companions(self) -> Callable[[], Mapping[str, Any]]:
        return companion_maker(self.assignment.challenge_folder, self.assignment.seed)

    def begin_quiet(self) -> wire.Quiet:
        """Nothing else of ours runs on this host from now on. May take as long as others take to finish."""
        return self.told(wire.BeginQuiet(), wire.Quiet)

    def gauges(self, services: Iterable[Instance]) -> wire.Gauges:
        """Readings of the host and of these instances, of one moment."""
        return self.told(wire.ReadGauges(targets=tuple(service.target for service in services)), wire.Gauges)

    def start_service(
        self,
        env: Mapping[str, str],
        assets: Mapping[str, str],
        side: Side = Side.CANDIDATE,
        state: Mapping[str, bytes] | None = None,
        *,
        loaded: bool = False,
        beside: StartedService | None = None,
    ) -> StartedService:
        """A new instance, not yet ready. Its companions stand before its process is let go.

        `loaded`: load is going to be put on it, so that its companions have a process of their own. `beside`: it is
        served by the very programs that serve this instance.
        """
        files = wire.encode_files(state or {})
        request = wire.StartService(env=dict(env), assets=dict(assets), side=side, state_base64=files)
        with contextlib.ExitStack() as undone:
            programs = beside.programs if beside else self._served(undone)
            target, dial = self._started(request, self.assignment.port)
            undone.pop_all()
            service = StartedService(self, target, dial)
            undone.callback(service.stop)
            service.reach(programs, borrowed=beside is not None)
            if self.answered:
                service.accompany(self._companions(), apart=loaded, seen=side is Side.CANDIDATE)
            service.let_go()
            undone.pop_all()
        return service

    def _served(self, undone: contextlib.ExitStack) -> Mapping[str, StartedProgram]:
        """The programs that serve an instance, ready; `undone` stops them.

        Raises ChallengeError when one does not start, and BadAnswer when the check's time is up before.
        """
        programs: dict[str, StartedProgram] = {}
        for name in (one.id for one in self.assignment.companions if one.program and one.program.serves):
            programs[name] = self.start_program(name, {}, None)
            undone.callback(programs[name].stop)
            try:
                programs[name].await_ready()
            except BadAnswer as error:
                self.witness.time_left(1)  # who has used it up has failed by that
                said = programs[name].logs()[-_WORDS_KEPT:]
                raise ChallengeError(f"the companion '{name}' did not start: {error}; it said: {said}") from error
        return programs

    def start_program(self, name: str, inputs: Inputs, beside: StartedService | None) -> StartedProgram:
        """A companion's program, not yet ready; in its network the submission's port leads to `beside`."""
        companion = self._program(name)
        request = wire.StartProgram(companion=name, inputs=self.scratch.names(inputs))
        target, dial = self._started(request, companion.port)
        program = StartedProgram(self, target, dial, companion)
        if beside:
            program.lead(self.assignment.port, beside.dial)
        program.let_go()
        return program

    def run_tool(self, name: str, command: Sequence[str], inputs: Inputs, timeout_s: float) -> JobResult:
        """A command beside a companion's packages, to its end. Raises BadAnswer when it breaks a limit."""
        self._program(name)
        request = wire.RunTool(
            companion=name,
            command=tuple(command),
            inputs=self.scratch.names(inputs),
            timeout_s=self.witness.time_left(timeout_s),
        )
        return job_result(self.told(request, wire.JobEnded))

    def run_job(
        self,
        args: Sequence[str] = (),
        stdin: bytes = b"",
        env: Mapping[str, str] | None = None,
        inputs: Inputs | None = None,
    ) -> JobResult:
        """See `graders.target.RunJob`."""
        timeout_s = self.witness.time_left(self.assignment.job_s)
        return job_result(self.job(args, stdin, env or {}, self.scratch.names(inputs or {}), timeout_s))

    def job(
        self,
        args: Sequence[str],
        stdin: bytes,
        env: Mapping[str, str],
        inputs: Mapping[str, str],
        timeout_s: float,
        side: Side = Side.CANDIDATE,
    ) -> wire.JobEnded:
        """One run of the command, to its end. `inputs`: by name, a folder's name below the scratch."""
        request = wire.StartJob(
            side=side,
            args=tuple(args),
            env=dict(env),
            stdin_base64=wire.encode(stdin),
            inputs=dict(inputs),
            timeout_s=timeout_s,
        )
        return self.told(request, wire.JobEnded)

    def _started(self, request: wire.StartService | wire.StartProgram, port: int) -> tuple[int, SandboxDial]:
        with _alarm_held():
            reply = _expected(self._reply_to(request), wire.Started)
            dialler = self._descriptor()
        return reply.target, SandboxDial(socket.socket(fileno=dialler), port)

    def _descriptor(self) -> int:
        """The descriptor that follows a reply on the same wire."""
        with socket.socket(fileno=self._connection.fileno()) as channel:
            try:
                _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
            finally:
                channel.detach()  # the wire's own descriptor stays the connection's
        if not descriptors:
            msg = "the runner went away before it gave a dialler"
            raise wire.WireError(msg)
        return descriptors[0]

    @property
    def answered(self) -> tuple[str, ...]:
        """The companions that the grader answers."""
        return tuple(companion.id for companion in self.assignment.companions if companion.program is None)

    def _companions(self) -> Mapping[str, Any]:
        made = self._make_companions()
        if sorted(made) != sorted(self.answered):
            msg = f"make_companions made {sorted(made)}, the manifest has {sorted(self.answered)}"
            raise ChallengeError(msg)
        return made

    def _program(self, name: str) -> Companion:
        for companion in self.assignment.companions:
            if companion.id == name and companion.program:
                return companion
        msg = f"there is no companion '{name}' that is a program"
        raise ChallengeError(msg)


def _expected(reply: wire.Reply, kind: type[_Reply]) -> _Reply:
    if not isinstance(reply, kind):
        msg = f"expected {kind.__name__}, got {reply.reply}"
        raise wire.WireError(msg)
    return reply


def job_result(ended: wire.JobEnded) -> JobResult:
    """What came of a run. Raises BadAnswer when it broke a limit."""
    run = ended.run
    if run.breach is not None:
        raise BadAnswer(f"the run was ended for breaking its {run.breach} limit", BREACH_FAULTS[run.breach])
    if run.exit_code is None:
        msg = "a run was killed, but for no limit"
        raise wire.WireError(msg)
    stdout, stderr = wire.decode(ended.stdout_base64), wire.decode(ended.stderr_base64)
    files = wire.decode_files(ended.files_base64)
    return JobResult(run.exit_code, stdout, stderr, run.wall_s, run.usage, files, ended.refused)
