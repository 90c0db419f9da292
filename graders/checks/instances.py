"""Running instances as checks use them: of the submission's service, and of companions that are programs."""

import time
from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from assessments.companion import Companion
from assessments.observation import Breach, SandboxRun, Usage
from assessments.outcome import Fault
from graders import wire
from graders.checks.errors import ChallengeError, Unmeasured
from graders.companions import Companion as Answering
from graders.companions.apart import CompanionsApart
from graders.companions.conversation import Conversation
from graders.companions.relay import Relay
from graders.companions.server import CompanionServer
from graders.http import BadAnswer, Client
from graders.http.client import Witness
from graders.http.dial import SandboxDial

_READY_POLL_S = 0.02
_READY_REQUEST_S = 5.0
_DYING_S = 0.25
_Reply = TypeVar("_Reply")

BREACH_FAULTS = {
    Breach.TIME: Fault.TIME_LIMIT,
    Breach.MEMORY: Fault.OUT_OF_MEMORY,
    Breach.OUTPUT: Fault.OUTPUT_FLOOD,
}


class _Link(Protocol):
    """What an instance needs of the grader's end of the wire."""

    assignment: wire.Assignment
    witness: Witness

    def ask(self, request: wire.FromGrader) -> wire.Reply: ...

    def told(self, request: wire.FromGrader, kind: type[_Reply]) -> _Reply: ...


class Instance:
    """One sandbox that listens on a port of its own network."""

    def __init__(self, link: _Link, target: int, dial: SandboxDial, ready_path: str, start_timeout_s: float) -> None:
        self._link = link
        self.target = target
        """Its number with the runner."""
        self._dial = dial
        self._ready_path = ready_path
        self._start_timeout_s = start_timeout_s
        self._started_at = 0.0
        self._run: SandboxRun | None = None
        self.startup_s = float("nan")
        self.http = Client(dial, link.witness)

    def let_go(self) -> None:
        """Let its process run, which has been held back until now."""
        self._started_at = self._link.told(wire.LetGo(target=self.target), wire.Running).started_at

    @property
    def alive(self) -> bool:
        return self.wait(0) is None

    def await_ready(self) -> None:
        """Ask the ready path until it answers 200; without one, connect until something accepts.

        Raises BadAnswer when the start's time is up or the process ends.
        """
        deadline = self._started_at + self._start_timeout_s
        last = "it never accepted a connection"
        while time.monotonic() < deadline:
            try:
                asked_s = min(_READY_REQUEST_S, max(deadline - time.monotonic(), 0.01))
                last = self._unready(self._link.witness.time_left(asked_s))
            except BadAnswer as error:
                last = str(error)
            if not last:
                self.startup_s = time.monotonic() - self._started_at
                return
            ended = self.wait(_READY_POLL_S)
            if ended is not None:
                raise BadAnswer(f"the service ended before it was ready: {end_in_words(ended)}", Fault.DID_NOT_START)
        within = f"within {self._start_timeout_s:g} s"
        raise BadAnswer(f"the service was not ready {within}: {last}", Fault.DID_NOT_START)

    def _unready(self, timeout_s: float) -> str:
        """Why it is not ready; empty if it is. Raises BadAnswer when it does not answer."""
        if not self._ready_path:
            self._dial.connect(time.monotonic() + timeout_s).close()
            return ""
        response = Client(self._dial, Witness()).get(self._ready_path, timeout_s=timeout_s)
        return "" if response.status == 200 else f"GET {self._ready_path} answered {response.status}"

    @property
    def dial(self) -> SandboxDial:
        return self._dial

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

    def peak_memory_bytes(self) -> int:
        peak = self.usage().peak_memory_bytes
        # Looked at second: of one that has ended nothing is told either, and that is not the host's doing.
        ended = self.wait(0)
        assert ended is None, f"the service has ended: {end_in_words(ended)}"
        if peak is None:
            raise Unmeasured("the kernel of this host does not tell the peak of a sandbox's memory")
        return peak

    def logs(self) -> str:
        return self._inspected().logs

    def freeze(self) -> None:
        """Stop every process of the instance, until it is thawed."""
        self._link.ask(wire.FreezeService(target=self.target, frozen=True))

    def thaw(self) -> None:
        self._link.ask(wire.FreezeService(target=self.target, frozen=False))

    def stop(self) -> SandboxRun | None:
        reply = self._link.ask(wire.StopService(target=self.target))
        self._dial.close()
        if isinstance(reply, wire.Ended):
            self._run = reply.run
        return self._run

    def _inspected(self) -> wire.Inspected:
        return self._link.told(wire.InspectService(target=self.target), wire.Inspected)


class StartedService(Instance):
    """One instance of the service; see `graders.target.Service` for what each call promises."""

    def __init__(self, link: _Link, target: int, dial: SandboxDial) -> None:
        super().__init__(link, target, dial, link.assignment.ready_path, link.assignment.start_timeout_s)
        self._servers: dict[str, CompanionServer] = {}
        self._programs: dict[str, StartedProgram] = {}
        self._relays: dict[str, Relay] = {}
        self._borrowed = False
        self._apart: CompanionsApart | None = None
        self._broken: list[str] = []
        self._state: Mapping[str, bytes] | None = None

    def accompany(self, companions: Mapping[str, Answering], *, apart: bool, seen: bool) -> None:
        """Have these companions stand beside it: in threads, where checks can reach them, or in a process apart.

        `seen`: what they are asked there is evidence.
        """
        listeners = {name: self._dial.listen(self._port(name)) for name in companions}
        if apart:
            self._apart = CompanionsApart(companions, listeners)
            return
        for name, companion in companions.items():
            saw = self._link.witness.saw if seen else None
            self._servers[name] = CompanionServer(name, companion, listeners[name], self._note, saw)

    def reach(self, programs: Mapping[str, "StartedProgram"], *, borrowed: bool) -> None:
        """Have these programs' ports lead to them from its network. Unless `borrowed`, they end when it is stopped."""
        self._programs = dict(programs)
        self._borrowed = borrowed
        for name in programs:
            self._lead(name)

    def _lead(self, name: str) -> None:
        self._relays[name] = Relay(self._dial.listen(self._port(name)), self._programs[name].dial.connect)

    @property
    def companions(self) -> Mapping[str, object]:
        return {name: server.companion for name, server in self._servers.items()} | self._programs

    @property
    def programs(self) -> Mapping[str, "StartedProgram"]:
        """The companions that are programs and serve it."""
        return self._programs

    @property
    def unplugged(self) -> bool:
        """Whether a check left one of them out of its reach."""
        return any(name not in self._relays for name in self._programs)

    @property
    def served(self) -> bool:
        """Whether each of them lives and can be reached."""
        return not self.unplugged and all(program.alive for program in self._programs.values())

    @property
    def companions_cpu_s(self) -> float:
        """CPU time of companions in a process apart, so far."""
        return self._apart.cpu_s if self._apart else 0.0

    def plug(self, companion: str) -> None:
        try:
            if companion in self._programs:
                if companion not in self._relays:
                    self._lead(companion)
            elif not (server := self._server(companion)).plugged:
                server.plug(self._dial.listen(self._port(companion)))
        except OSError as error:
            raise BadAnswer(f"the submission itself listens on the port of its companion '{companion}'") from error

    def unplug(self, companion: str) -> None:
        if companion not in self._programs:
            self._server(companion).unplug()
        elif relay := self._relays.pop(companion, None):
            relay.stop()

    def signal(self, name: str) -> None:
        self._link.ask(wire.SignalService.model_validate({"target": self.target, "signal": name}))

    def state(self) -> Mapping[str, bytes]:
        if self.alive:
            raise ChallengeError("a service's state can be read after its end only; signal it, and wait")
        if self._state is None:
            left = self._link.told(wire.ReadState(target=self.target), wire.Left)
            if left.refused:
                raise BadAnswer(f"the state holds what cannot be kept: {'; '.join(left.refused)}")
            self._state = wire.decode_files(left.files_base64)
        return self._state

    def stop(self) -> SandboxRun | None:
        """Kill it, and then let its companions go."""
        try:
            return super().stop()
        finally:
            for server in self._servers.values():
                server.stop()
            for relay in self._relays.values():
                relay.stop()
            if not self._borrowed:
                for program in self._programs.values():
                    program.stop()
            if self._apart:
                self._apart.stop()
                self._apart = None

    def broken_companions(self) -> tuple[str, ...]:
        """How companions that the grader answers broke since this was last asked, in words."""
        broken = tuple(filter(None, (*self._broken, self._apart.broke if self._apart else "")))
        self._broken.clear()
        return broken

    def _note(self, name: str, error: Exception) -> None:
        self._broken.append(f"the companion '{name}' broke: {type(error).__name__}: {error}")

    def _port(self, companion: str) -> int:
        return next(one.port for one in self._link.assignment.companions if one.id == companion)

    def _server(self, companion: str) -> CompanionServer:
        if companion not in self._servers:
            msg = f"there is no companion '{companion}' within the submission's reach"
            raise ChallengeError(msg)
        return self._servers[companion]


class StartedProgram(Instance):
    """One instance of a companion that is a program."""

    def __init__(self, link: _Link, target: int, dial: SandboxDial, companion: Companion) -> None:
        assert companion.program is not None
        super().__init__(link, target, dial, companion.program.ready_path, companion.program.start_timeout_s)
        self.name = companion.id
        self._relays: list[Relay] = []

    def connect(self, timeout_s: float = 5.0) -> Conversation:
        """A connection of the check's own to its port. Raises BadAnswer when nothing accepts it in time."""
        time_left = self._link.witness.time_left
        try:
            connection = self._dial.connect(time.monotonic() + time_left(timeout_s))
        except BadAnswer as error:
            raise BadAnswer(f"the companion '{self.name}' accepts no connection", Fault.NO_ANSWER) from error
        return Conversation(connection, self.name, time_left)

    def lead(self, port: int, to: SandboxDial) -> None:
        """Have connections to this port of its network go to where `to` leads."""
        self._relays.append(Relay(self._dial.listen(port), to.connect))

    def stop(self) -> SandboxRun | None:
        for relay in self._relays:
            relay.stop()
        return super().stop()


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
    return end_in_words(run), BREACH_FAULTS[run.breach] if run.breach else Fault.DIED
