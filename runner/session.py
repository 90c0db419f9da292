"""One grader and its sandboxes: meets the grader's requests with an engine, and writes down what it says.

The grader asks, the runner acts: what a request can do is fixed here (the submission's own command, the challenge's
own assets), whatever it says. Every wait has a deadline; when the block of `judge` is left, the grader and all of its
sandboxes are dead.
"""

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from typing import assert_never

from assessments.challenge import Challenge
from assessments.check import CheckId
from assessments.errors import InfrastructureError
from assessments.measurement import Isolation, Side
from assessments.observation import Breach, Excerpt, SandboxRun
from assessments.outcome import Fault
from graders import wire
from graders.decision import Account
from runner.asked import spec_for
from runner.calibration import Calibrations
from runner.engines.collect import Collected
from runner.engines.protocol import Sandbox, SandboxSpec
from runner.gauges import read_gauges
from runner.nursery import Grader
from runner.placement import Placement, favoured, place
from runner.trial import Trial

_MAX_SANDBOXES = 16
_MAX_RUNS_KEPT = 100
_LOG_CHARS_KEPT = 16_000
_GLANCE_S = 0.05
"""How often a measured job is looked at: what its threads waited is known of living ones only."""
_MEASURED_OUTPUT = 16
"""How many times the output limit a service may write while it is measured."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the grader said, and the submission's runs that the engine witnessed (of more than 100, the worst)."""

    account: Account
    runs: tuple[SandboxRun, ...]


@dataclass
class Session:
    """The state of one judging: living sandboxes by number, and the runs that have ended."""

    trial: Trial
    calibrations: Calibrations
    _living: dict[int, Sandbox] = field(default_factory=dict)
    _ended: dict[int, SandboxRun] = field(default_factory=dict)
    _ours: set[int] = field(default_factory=set)
    """Of the reference solution and of companions."""
    _left: dict[int, Collected] = field(default_factory=dict)
    """What instances of the submission left in their state, until a check reads it."""
    _runs: list[SandboxRun] = field(default_factory=list)
    _count: int = 0
    _deadline: float = 0.0
    _overdue: bool = False
    _timer: threading.Timer = field(init=False)
    _collected: wire.Collected | None = None
    _checked: list[wire.Checked] = field(default_factory=list)
    _measured: list[wire.Measured] = field(default_factory=list)
    _lane_held: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)
    _placement: Placement | None = None
    """Set once nothing else of ours runs here."""
    _preferred: bool = False
    _finished: wire.Finished | None = None

    @property
    def challenge(self) -> Challenge:
        return self.trial.challenge

    def judge(self, seed: int, *, measures: bool = True, only: tuple[CheckId, ...] | None = None) -> Judged:
        """Have a fresh grader judge the submission. What fails on the way is in the account, and raises nothing.

        Without `measures` the budgets stay undecided. `only` names the checks to run; None: all of them.
        """
        broke: tuple[Fault, str] | None = None
        try:
            with self._lane_held:
                self._lane_held.enter_context(self.trial.bench.lane.shared())
                grader = self.trial.bench.nursery.grader(self.challenge.folder, self.trial.digest)
                with contextlib.closing(grader), contextlib.ExitStack() as sandboxes:
                    sandboxes.callback(self._end_all)
                    assigned = assignment(self.challenge, seed, measures=measures, only=only, trial=self.trial)
                    self._serve(grader, assigned)
        except wire.WireError as error:
            broke = Fault.GRADER_DIED, str(error)
        except InfrastructureError as error:
            broke = Fault.ENGINE_FAILED, str(error)
        if self._overdue:
            broke = Fault.GRADING_DEADLINE, f"{self.challenge.grading_deadline_s:.0f} s had passed"
        account = Account(self._collected, tuple(self._checked), self._finished, broke, tuple(self._measured))
        return Judged(account, _worth_keeping(self._runs))

    def _serve(self, grader: Grader, assigned: wire.Assignment) -> None:
        """Answer the grader until it is finished. At the deadline it is killed, and every wait for it ends."""
        self._set_deadline(grader, self.challenge.grading_deadline_s)
        try:
            wire.send(grader.wire, assigned)
            while self._finished is None:
                match wire.receive_from_grader(grader.wire):
                    case wire.Collected() as collected:
                        self._collected = collected
                    case wire.Checked() as checked:
                        self._note(checked)
                    case wire.Measured() as measured:
                        self._keep(measured)
                    case wire.Judged():
                        msg = "it tried judges, which nobody asked it to"
                        raise wire.WireError(msg)
                    case wire.Finished() as finished:
                        self._finished = finished
                    case request:
                        self._answer(grader, request)
        finally:
            self._cancel_deadline()

    def _set_deadline(self, grader: Grader, seconds: float) -> None:
        self._deadline = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._expire, (grader,))
        self._timer.start()

    def _cancel_deadline(self) -> float:
        """Seconds that were left."""
        self._timer.cancel()
        self._timer.join()
        return max(self._deadline - time.monotonic(), 0.0)

    def _begin_quiet(self, grader: Grader) -> wire.Quiet:
        """Wait until nothing else of ours runs here, and keep it so until this session ends."""
        if self._placement is None:
            left_s = self._cancel_deadline()  # waiting for one's turn is no part of grading
            self._lane_held.close()
            self._lane_held.enter_context(self.trial.bench.lane.alone())
            available = os.sched_getaffinity(0)
            self._placement = place(available, self.challenge.limits.cpus, can_pin=self.trial.bench.engine.can_pin)
            favour = favoured(grader.pid, self._placement.generator_core)
            self._preferred = self._lane_held.enter_context(favour) and self.trial.bench.engine.can_prefer
            self._set_deadline(grader, left_s)
        isolation = Isolation(
            exclusive=True,
            service_cores=self._placement.service_cores,
            generator_core=self._placement.generator_core,
            priority=self._preferred,
            frozen=self.trial.bench.engine.freezes_by,
        )
        return wire.Quiet(isolation=isolation, calibrations=self.calibrations.read())

    def _expire(self, grader: Grader) -> None:
        self._overdue = True
        grader.kill()

    def _end_all(self) -> None:
        """Kill every living sandbox, also when killing one of them fails."""
        with contextlib.ExitStack() as each:
            for target in tuple(self._living):
                each.callback(self._end, target)

    def _note(self, checked: wire.Checked) -> None:
        self._checked.append(checked)
        if len(self._checked) > len(self.challenge.checks):
            msg = "it reported more checks than there are"
            raise wire.WireError(msg)

    def _keep(self, measured: wire.Measured) -> None:
        self._measured.append(measured)
        if len(self._measured) > len(self.challenge.plans):
            msg = "it reported more measurements than there are plans"
            raise wire.WireError(msg)

    def _answer(self, grader: Grader, request: wire.FromGrader) -> None:
        if isinstance(request, wire.StartService | wire.StartProgram):
            self._start(grader.wire, request)
        else:
            wire.send(grader.wire, self._reply(grader, request))

    def _reply(self, grader: Grader, request: wire.PlainRequest) -> wire.Reply:
        match request:
            case wire.StartJob() | wire.RunTool():
                return self._run(request)
            case wire.LetGo():
                return self._let_go(request.target)
            case wire.SignalService() | wire.FreezeService():
                self._touch(request)
                return wire.Done()
            case wire.WaitService():
                return wire.Ended(run=self._wait(request.target, request.timeout_s))
            case wire.StopService():
                return wire.Ended(run=self._end(request.target))
            case wire.ReadState() | wire.InspectService():
                return self._told(request)
            case wire.BeginQuiet():
                return self._begin_quiet(grader)
            case wire.ReadGauges():
                living = {target: self._living[target] for target in request.targets if target in self._living}
                return read_gauges(living)
            case _:
                assert_never(request)

    def _touch(self, request: wire.SignalService | wire.FreezeService) -> None:
        """Do to a living sandbox what was asked; one that has ended is left alone."""
        sandbox = self._living.get(request.target)
        if sandbox is None:
            return
        if isinstance(request, wire.SignalService):
            sandbox.signal(signal.Signals[f"SIG{request.signal}"])
        elif request.frozen:
            sandbox.freeze()
        else:
            sandbox.thaw()

    def _start(self, connection: Connection, request: wire.StartService | wire.StartProgram) -> None:
        spec = spec_for(self.trial, request, self._count + 1)
        if isinstance(spec, wire.Refused):
            wire.send(connection, spec)
            return
        target, sandbox = self._started(spec)
        if isinstance(request, wire.StartProgram) or request.side is Side.REFERENCE:
            self._ours.add(target)
        with self.trial.bench.nursery.dialler(sandbox.network_fd) as dialler:
            wire.send(connection, wire.Started(target=target))
            _hand_over(connection, dialler)

    def _let_go(self, target: int) -> wire.Running:
        sandbox = self._living.get(target)
        if sandbox is None:
            msg = f"there is no sandbox {target} to let go"
            raise wire.WireError(msg)
        sandbox.let_go()
        return wire.Running(started_at=sandbox.started_at)

    def _run(self, request: wire.StartJob | wire.RunTool) -> wire.JobEnded | wire.Refused:
        spec = spec_for(self.trial, request, self._count + 1)
        if isinstance(spec, wire.Refused):
            return spec
        target, sandbox = self._started(replace(spec, kept_bytes=spec.limits.output_bytes))
        if isinstance(request, wire.RunTool) or request.side is Side.REFERENCE:
            self._ours.add(target)
        waited_s = self._to_its_end(sandbox, min(request.timeout_s, spec.limits.job_s))
        stdout, stderr = sandbox.output()
        run = self._end(target)
        left = sandbox.collect() if spec.kept_folder else Collected()
        return wire.JobEnded(
            run=run,
            waited_s=waited_s,
            stdout_base64=wire.encode(stdout),
            stderr_base64=wire.encode(stderr),
            files_base64=wire.encode_files(left.files),
            refused=left.problems,
        )

    def _to_its_end(self, sandbox: Sandbox, timeout_s: float) -> float | None:
        """Wait for a job, and kill it when its time is up. While measuring: how long its threads waited for a CPU."""
        if self._placement is None:
            if sandbox.wait(timeout_s) is None:
                sandbox.kill(Breach.TIME)
            return None
        waited_s, deadline = None, time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            if sandbox.wait(min(_GLANCE_S, left_s)) is not None:
                return waited_s
            waited_s = sandbox.waited_s()
        sandbox.kill(Breach.TIME)
        return waited_s

    def _started(self, spec: SandboxSpec) -> tuple[int, Sandbox]:
        if len(self._living) >= _MAX_SANDBOXES:
            msg = f"a check wants more than {_MAX_SANDBOXES} sandboxes at once"
            raise wire.WireError(msg)
        self._count += 1
        if self._placement:
            # A line for each of many thousand requests is no flood.
            limits = replace(spec.limits, output_bytes=_MEASURED_OUTPUT * spec.limits.output_bytes)
            cores = self._placement.service_cores
            spec = replace(spec, limits=limits, cores=cores, preferred=self._preferred)
        self._living[self._count] = self.trial.bench.engine.start(spec)
        return self._count, self._living[self._count]

    def _wait(self, target: int, timeout_s: float) -> SandboxRun | None:
        allowed_s = min(timeout_s, max(self._deadline - time.monotonic(), 0))
        if target in self._living and self._living[target].wait(allowed_s) is not None:
            self._end(target)
        return self._ended.get(target)

    def _end(self, target: int) -> SandboxRun:
        """Kill a sandbox if it still lives, and keep its run. Raises WireError for a number that never was one."""
        if target in self._living:
            sandbox = self._living.pop(target)
            run = _bounded(sandbox.kill())
            self._ended[target] = run
            if self.challenge.entry.state and target not in self._ours:
                self._left[target] = sandbox.collect()
            if target not in self._ours:  # what the reference did is in the measurement
                self._runs.append(run)
        if target not in self._ended:
            msg = f"there is no sandbox {target}"
            raise wire.WireError(msg)
        return self._ended[target]

    def _told(self, request: wire.ReadState | wire.InspectService) -> wire.Left | wire.Inspected:
        target = request.target
        if isinstance(request, wire.ReadState):
            left = self._left.pop(target, Collected())
            return wire.Left(files_base64=wire.encode_files(left.files), refused=left.problems)
        if target in self._living:
            sandbox = self._living[target]
            logs = b"\n".join(sandbox.output()).decode("utf-8", "replace")
            return wire.Inspected(usage=sandbox.usage(), logs=logs)
        run = self._end(target)
        return wire.Inspected(usage=run.usage, logs=f"{run.stdout.text}\n{run.stderr.text}")


def assignment(
    challenge: Challenge,
    seed: int,
    *,
    measures: bool = True,
    only: tuple[CheckId, ...] | None = None,
    only_collect: bool = False,
    trial: Trial | None = None,
    tries_judges: bool = False,
) -> wire.Assignment:
    """What a grader is told of its challenge."""
    return wire.Assignment(
        challenge_folder=challenge.folder.resolve(),
        checks=challenge.checks,
        seed=seed,
        port=challenge.entry.port,
        ready_path=challenge.entry.ready_path,
        start_timeout_s=challenge.entry.start_timeout_s,
        job_s=challenge.limits.job_s,
        plans=challenge.plans,
        measures=measures,
        only=only,
        only_collect=only_collect,
        companions=challenge.companions,
        scratch=trial.scratch if trial else None,
        submission=trial.workspace if trial else None,
        tries_judges=tries_judges,
    )


def _worth_keeping(runs: Sequence[SandboxRun]) -> tuple[SandboxRun, ...]:
    """All runs, or of very many the first ones, those that ended badly before others."""
    if len(runs) <= _MAX_RUNS_KEPT:
        return tuple(runs)
    good_last = sorted(range(len(runs)), key=lambda at: runs[at].breach is None and runs[at].exit_code in (0, None))
    return tuple(runs[at] for at in sorted(good_last[:_MAX_RUNS_KEPT]))


def _hand_over(connection: Connection, dialler: socket.socket) -> None:
    channel = socket.socket(fileno=connection.fileno())
    try:
        socket.send_fds(channel, [b"d"], [dialler.fileno()])
    except OSError as error:
        msg = "the other end of the wire is gone"
        raise wire.WireError(msg) from error
    finally:
        channel.detach()  # the descriptor is the connection's


def _bounded(run: SandboxRun) -> SandboxRun:
    """The run with no more log text than a scorecard keeps."""
    return replace(run, stdout=_shortened(run.stdout), stderr=_shortened(run.stderr))


def _shortened(log: Excerpt) -> Excerpt:
    if len(log.text) <= _LOG_CHARS_KEPT:
        return log
    half = _LOG_CHARS_KEPT // 2
    return Excerpt(f"{log.text[:half]}\n[... cut ...]\n{log.text[-half:]}", log.total_bytes)
