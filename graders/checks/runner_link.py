"""The grader's end of the wire: asks the runner for sandboxes, and wraps them as what checks use."""

import contextlib
import signal
import socket
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from multiprocessing.connection import Connection

from assessments.measurement import Side
from assessments.observation import Breach, SandboxRun, Usage
from assessments.outcome import Fault
from graders import wire
from graders.http import BadAnswer, Client
from graders.http.client import Witness
from graders.http.dial import SandboxDial
from graders.target import JobResult

_READY_POLL_S = 0.02
_READY_REQUEST_S = 5.0
_DYING_S = 0.25

_BREACH_FAULTS = {
    Breach.TIME: Fault.TIME_LIMIT,
    Breach.MEMORY: Fault.OUT_OF_MEMORY,
    Breach.OUTPUT: Fault.OUTPUT_FLOOD,
}


class ChallengeError(Exception):
    """The check asked the runner for something that does not exist."""


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

    def _reply_to(self, request: wire.FromGrader) -> wire.Reply:
        wire.send(self._connection, request)
        reply = wire.receive_reply(self._connection)
        if isinstance(reply, wire.Refused):
            raise ChallengeError(reply.message)
        return reply

    def tell(self, event: wire.Event) -> None:
        wire.send(self._connection, event)

    def begin_quiet(self) -> wire.Quiet:
        """Nothing else of ours runs on this host from now on. May take as long as others take to finish."""
        reply = self.ask(wire.BeginQuiet())
        if not isinstance(reply, wire.Quiet):
            msg = f"expected quiet, got {reply.reply}"
            raise wire.WireError(msg)
        return reply

    def gauges(self, services: Iterable["StartedService"]) -> wire.Gauges:
        """Readings of the host and of these instances, of one moment."""
        reply = self.ask(wire.ReadGauges(targets=tuple(service.target for service in services)))
        if not isinstance(reply, wire.Gauges):
            msg = f"expected gauges, got {reply.reply}"
            raise wire.WireError(msg)
        return reply

    def start_service(
        self, env: Mapping[str, str], assets: Mapping[str, str], side: Side = Side.CANDIDATE
    ) -> "StartedService":
        """A new instance, not yet ready."""
        with _alarm_held():
            reply = self._reply_to(wire.StartService(env=dict(env), assets=dict(assets), side=side))
            if not isinstance(reply, wire.Started):
                msg = f"expected a started service, got {reply.reply}"
                raise wire.WireError(msg)
            dialler = self._descriptor()
        dial = SandboxDial(socket.socket(fileno=dialler), self.assignment.port)
        return StartedService(self, reply.target, reply.started_at, dial)

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

    def run_job(self, args: Sequence[str] = (), stdin: bytes = b"", env: Mapping[str, str] | None = None) -> JobResult:
        """See `graders.target.RunJob`."""
        timeout_s = self.witness.time_left(self.assignment.job_s)
        request = wire.StartJob(
            args=tuple(args), env=dict(env or {}), stdin_base64=wire.encode(stdin), timeout_s=timeout_s
        )
        reply = self.ask(request)
        if not isinstance(reply, wire.JobEnded):
            msg = f"expected a finished job, got {reply.reply}"
            raise wire.WireError(msg)
        run = reply.run
        if run.breach is not None:
            raise BadAnswer(f"the run was ended for breaking its {run.breach} limit", _BREACH_FAULTS[run.breach])
        if run.exit_code is None:
            msg = "a run was killed, but for no limit"
            raise wire.WireError(msg)
        stdout, stderr = wire.decode(reply.stdout_base64), wire.decode(reply.stderr_base64)
        files = {path: wire.decode(content) for path, content in reply.files_base64.items()}
        return JobResult(run.exit_code, stdout, stderr, run.wall_s, run.usage, files, reply.refused)


class StartedService:
    """One instance of the service; see `graders.target.Service` for what each call promises."""

    def __init__(self, link: RunnerLink, target: int, started_at: float, dial: SandboxDial) -> None:
        self._link = link
        self.target = target
        """Its number with the runner."""
        self._started_at = started_at
        self._dial = dial
        self._run: SandboxRun | None = None
        self.startup_s = float("nan")
        self.http = Client(dial, link.witness)

    @property
    def alive(self) -> bool:
        return self.wait(0) is None

    def await_ready(self) -> None:
        """Ask the ready path until it answers 200. Raises BadAnswer when the start's time is up or the process ends."""
        assignment = self._link.assignment
        deadline = self._started_at + assignment.start_timeout_s
        last = "it never accepted a connection"
        while time.monotonic() < deadline:
            try:
                asked_s = min(_READY_REQUEST_S, max(deadline - time.monotonic(), 0.01))
                asked_s = self._link.witness.time_left(asked_s)
                response = Client(self._dial, Witness()).get(assignment.ready_path, timeout_s=asked_s)
            except BadAnswer as error:
                last = str(error)
            else:
                if response.status == 200:
                    self.startup_s = time.monotonic() - self._started_at
                    return
                last = f"GET {assignment.ready_path} answered {response.status}"
            ended = self.wait(_READY_POLL_S)
            if ended is not None:
                raise BadAnswer(f"the service ended before it was ready: {end_in_words(ended)}", Fault.DID_NOT_START)
        within = f"within {assignment.start_timeout_s:g} s"
        raise BadAnswer(f"the service was not ready {within}: {last}", Fault.DID_NOT_START)

    @property
    def dial(self) -> SandboxDial:
        return self._dial

    def freeze(self) -> None:
        """Stop every process of the instance, until it is thawed."""
        self._link.ask(wire.FreezeService(target=self.target, frozen=True))

    def thaw(self) -> None:
        self._link.ask(wire.FreezeService(target=self.target, frozen=False))

    def signal(self, name: str) -> None:
        self._link.ask(wire.SignalService.model_validate({"target": self.target, "signal": name}))

    def wait(self, timeout_s: float) -> SandboxRun | None:
        return self.ended_within(self._link.witness.time_left(timeout_s) if timeout_s > 0 else 0)

    def ended_within(self, timeout_s: float) -> SandboxRun | None:
        """As `wait`, but also after the check's time is up."""
        if self._run is None:
            reply = self._link.ask(wire.WaitService(target=self.target, timeout_s=timeout_s))
            self._run = reply.run if isinstance(reply, wire.Ended) else None
        return self._run

    def usage(self) -> Usage:
        return self._inspected().usage

    def logs(self) -> str:
        return self._inspected().logs

    def stop(self) -> SandboxRun | None:
        reply = self._link.ask(wire.StopService(target=self.target))
        self._dial.close()
        if isinstance(reply, wire.Ended):
            self._run = reply.run
        return self._run

    def _inspected(self) -> wire.Inspected:
        reply = self._link.ask(wire.InspectService(target=self.target))
        if not isinstance(reply, wire.Inspected):
            msg = f"expected figures, got {reply.reply}"
            raise wire.WireError(msg)
        return reply


def end_in_words(run: SandboxRun) -> str:
    """A run's end in words, with the last line it printed to stderr."""
    if run.breach is not None:
        end = f"ended for breaking its {run.breach} limit"
    elif run.exit_code is None:
        end = "killed by the grader"
    elif run.exit_code > 128:
        end = f"died of signal {run.exit_code - 128}"
    else:
        end = f"exit code {run.exit_code}"
    lines = run.stderr.text.strip().splitlines()
    return f"{end} (its last words: {lines[-1][:300]})" if lines else end


def how_one_ended(services: Iterable[StartedService]) -> tuple[str, Fault] | None:
    """Of the first of these services that has ended: how, in words, and as which fault that counts.

    One that hung up because it is dying gets a moment to be dead.
    """
    run = next((run for service in services if (run := service.ended_within(_DYING_S)) is not None), None)
    if run is None:
        return None
    return end_in_words(run), _BREACH_FAULTS[run.breach] if run.breach else Fault.DIED
