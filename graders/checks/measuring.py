"""Measures a plan: reference and submission take turns under the same load, and whoever waits is frozen.

    session 0   start both; warm up; pairs of blocks in the order A B, B A, ... from the seed, until the rulings stand
    session 1   the same with fresh instances, when a budget would be failed: a second, independent session must agree
    2 and 3     the same after a wait for quiet, for budgets that stayed undecided; and so on, up to the plan's `tries`

What is seen is only written down here; `graders.budgets` says what it means, and when to stop.
"""

import contextlib
import itertools
import random
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from assessments.budget import Budget, Plan, Scenario
from assessments.measurement import Block, Measurement, Side
from graders import wire
from graders.budgets import Step, next_step
from graders.checks.batches import MakeRun, runs
from graders.checks.errors import ChallengeError
from graders.checks.instances import StartedService, end_in_words
from graders.checks.noise import await_quiet, difference, noise_between, own_wait_s
from graders.checks.runner_link import RunnerLink
from graders.checks.turns import ReferenceFailed, Turns, order
from graders.http import BadAnswer
from graders.load import Ask, Volley, arrivals, closed_loop, open_loop

MakeAsk = Callable[[random.Random], Ask]
"""From random numbers to one request, and how to judge its answer. Must not make the same request twice."""

Make = MakeAsk | MakeRun

_FRESH_EVERY = 8
"""Every eighth request has a connection of its own, as a client's first one does."""
_SETTLING_S = 0.02
_DYING_S = 0.1
_ASKS_A_SECOND = 2_000
_MOST_ASKS = 20_000
_MESSAGE_CHARS = 120


@dataclass
class Measuring:
    """The measurements of one grader, each made once however many checks rest on it."""

    link: RunnerLink
    _quiet: wire.Quiet | None = None
    _made: dict[str, Measurement | BadAnswer] = field(default_factory=dict)

    def measured(self, plan: Plan, make: Make | None) -> Measurement:
        """What the plan saw.

        Raises BadAnswer when the submission does not start and the reference does, ReferenceFailed for the reference.
        """
        if plan.id not in self._made:
            try:
                self._made[plan.id] = measurement = self._measure(plan, make)
                self.link.tell(wire.Measured(measurement=measurement))
            except BadAnswer as error:
                if plan.scenario is not Scenario.BATCH:
                    _ready(self.link, Side.REFERENCE).stop()  # nobody may be in time on this host
                self._made[plan.id] = error
        made = self._made[plan.id]
        if isinstance(made, BadAnswer):
            raise made
        return made

    def _measure(self, plan: Plan, make: Make | None) -> Measurement:
        quiet = self.begin()
        budgets = [
            check.budget for check in self.link.assignment.checks if check.budget and check.budget.plan == plan.id
        ]
        measurement = Measurement(
            plan=plan,
            seed=self.link.assignment.seed,
            isolation=quiet.isolation,
            calibration=quiet.calibrations.get(plan.id, {}),
        )
        deadline = time.monotonic() + plan.most_s(self.link.assignment.start_timeout_s)
        session = 0
        while True:
            pairs = _pairs(self.link, measurement, session, make)
            measurement, step = _until_decided(pairs, measurement, budgets, session, deadline)
            if step is Step.SECOND_SESSION:
                session += 1
            elif step is Step.AGAIN and time.monotonic() < deadline:
                session += 2 - session % 2
                await_quiet(lambda: self.link.gauges(()))
            else:
                return measurement

    def begin(self) -> wire.Quiet:
        """Have the host to ourselves, from now on."""
        if self._quiet is None:
            self._quiet = self.link.begin_quiet()
        return self._quiet


def _until_decided(
    pairs: Generator[Turns, None, None],
    measurement: Measurement,
    budgets: Sequence[Budget],
    session: int,
    deadline: float,
) -> tuple[Measurement, Step]:
    step = Step.MORE
    with contextlib.closing(pairs):
        for turns in pairs:
            if session > 1 and turns.ended and not turns.blocks:
                # A busy host can keep a start from being in time. What is only measured again does not fail by that.
                return measurement, Step.DONE
            measurement = replace(measurement, blocks=measurement.blocks + turns.blocks, ended=turns.ended)
            step = next_step(measurement, budgets)
            if step is not Step.MORE or time.monotonic() > deadline:
                break
    return measurement, step


def _pairs(link: RunnerLink, measurement: Measurement, session: int, make: Make | None) -> Generator[Turns, None, None]:
    plan = measurement.plan
    numbers = random.Random(f"{measurement.seed}:{plan.id}:{session}")  # noqa: S311 - reproducible on purpose
    if plan.scenario is Scenario.START_UP:
        return _starts(link, session, numbers)
    if make is None:
        msg = f"the plan '{plan.id}' needs something to measure: measure(make_ask), or measure(make_run) of a job"
        raise ChallengeError(msg)
    if plan.scenario is Scenario.BATCH:
        return runs(link, plan, session, numbers, cast(MakeRun, make))
    return _loads(link, measurement, session, numbers, cast(MakeAsk, make))


# Start-up


def _starts(link: RunnerLink, session: int, numbers: random.Random) -> Generator[Turns, None, None]:
    first = numbers.choice(list(Side))
    for pair in itertools.count():
        blocks = []
        for side in order(pair, first):
            before = link.gauges(())
            began = time.process_time()
            service = link.start_service({}, {}, side)
            try:
                service.await_ready()
                after = link.gauges((service,))
            except BadAnswer as error:
                if side is Side.REFERENCE:
                    raise ReferenceFailed(f"the reference solution did not start: {error}") from error
                if not pair and not session:
                    raise
                yield Turns((), f"a further instance did not start: {error}")
                return
            finally:
                service.stop()
            gauge = after.targets.get(service.target) or wire.Gauge(cpu_s=None, memory_bytes=None, waited_s=None)
            own_s = time.process_time() - began
            noise = noise_between(before, after, service.startup_s, {side: gauge.cpu_s}, own_s, 0.0)
            if side is Side.REFERENCE:
                noise = replace(noise, reference_wait_s=gauge.waited_s)
            took_us = round(service.startup_s * 1e6)
            blocks.append(
                Block(side, session, pair, (0,), (0,), (took_us,), {}, gauge.cpu_s, gauge.memory_bytes, noise)
            )
        yield Turns(tuple(blocks))


# Load


def _loads(
    link: RunnerLink, measurement: Measurement, session: int, numbers: random.Random, make_ask: MakeAsk
) -> Generator[Turns, None, None]:
    plan = measurement.plan
    services = {}
    try:
        for side in (Side.CANDIDATE, Side.REFERENCE):
            try:
                services[side] = _ready(link, side)
            except BadAnswer as error:
                if not session:
                    raise
                yield Turns((), f"a further instance did not start: {error}")
                return
            services[side].freeze()
        # Companions run on the generator's core when it waits: it must wait then, and not turn in circles.
        spin = measurement.isolation.generator_core is not None and not link.answered
        driver = _Driver(link, plan, services, spin=spin)
        for side in services:
            driver.drive(side, _volley(plan, plan.warm_up_s, numbers, make_ask))
        first = numbers.choice(list(Side))
        for pair in itertools.count():
            load = _volley(plan, plan.block_s, numbers, make_ask)
            blocks = tuple(driver.block(side, session, pair, load) for side in order(pair, first))
            ended = driver.why_ended(blocks)
            yield Turns(blocks, ended)
            if ended:
                return
    finally:
        for service in services.values():
            service.stop()


def _ready(link: RunnerLink, side: Side) -> StartedService:
    service = link.start_service({}, {}, side, loaded=True)
    try:
        service.await_ready()
    except BadAnswer as error:
        service.stop()
        if side is Side.REFERENCE:
            raise ReferenceFailed(f"the reference solution did not start: {error}") from error
        raise
    return service


@dataclass(frozen=True, slots=True)
class _Load:
    """The same for both sides of a pair, and never used for another."""

    asks: tuple[Ask, ...]
    intended_s: tuple[float, ...]
    """Of an open plan."""
    seconds: float


def _volley(plan: Plan, seconds: float, numbers: random.Random, make_ask: MakeAsk) -> _Load:
    if plan.scenario is Scenario.OPEN:
        intended_s = arrivals(plan.arrivals, plan.rate_per_s, seconds, numbers.getrandbits(64))
        return _Load(tuple(make_ask(numbers) for _ in intended_s), intended_s, seconds)
    return _Load(tuple(make_ask(numbers) for _ in range(_most_asks(plan, seconds))), (), seconds)


def _most_asks(plan: Plan, seconds: float) -> int:
    """More than a service of Python answers in that time; one that is faster than this ends its block early."""
    return min(round(_ASKS_A_SECOND * seconds * max(plan.concurrency / 16, 1)), _MOST_ASKS)


@dataclass
class _Driver:
    """Puts load on one side while the other is frozen, and reads the gauges before and after."""

    link: RunnerLink
    plan: Plan
    services: dict[Side, StartedService]
    spin: bool

    def block(self, side: Side, session: int, pair: int, load: _Load) -> Block:
        before, own_before_s, waited_before_s = self._gauges(), self._own_s(), own_wait_s()
        volley = self.drive(side, load)
        after, own_s = self._gauges(), self._own_s() - own_before_s
        for service in self.services.values():
            for words in service.broken_companions():
                raise ChallengeError(words)
        used = {one: self._grown(before, after, one, "cpu_s") for one in self.services}
        noise = noise_between(before, after, volley.seconds, used, own_s, volley.lag_s)
        noise = replace(noise, generator_wait_s=difference(own_wait_s(), waited_before_s))
        if side is Side.REFERENCE:
            noise = replace(noise, reference_wait_s=self._grown(before, after, side, "waited_s"))
        gauge = after.targets.get(self.services[side].target)
        return Block(
            side=side,
            session=session,
            pair=pair,
            intended_us=volley.intended_us,
            sent_us=volley.sent_us,
            latency_us=volley.latency_us,
            failures={at: text[:_MESSAGE_CHARS] for at, text in volley.failures.items()},
            cpu_s=used[side],
            memory_bytes=gauge.memory_bytes if gauge else None,
            noise=noise,
        )

    def drive(self, side: Side, load: _Load) -> Volley:
        service = self.services[side]
        service.thaw()
        try:
            time.sleep(_SETTLING_S)  # timers that ran out while it was frozen go off now, before anything is timed
            if self.plan.scenario is Scenario.OPEN:
                return open_loop(
                    service.dial,
                    load.asks,
                    load.intended_s,
                    timeout_s=self.plan.timeout_s,
                    connections=self.plan.concurrency,
                    fresh_every=_FRESH_EVERY,
                    spin=self.spin,
                )
            return closed_loop(
                service.dial,
                iter(load.asks),
                seconds=load.seconds,
                concurrency=self.plan.concurrency,
                timeout_s=self.plan.timeout_s,
                fresh_every=_FRESH_EVERY,
                spin=self.spin,
            )
        finally:
            service.freeze()

    def why_ended(self, blocks: Sequence[Block]) -> str:
        """Why the submission can give no more blocks; empty when it lives. Raises ReferenceFailed for the reference."""
        for side, service in self.services.items():
            if any(block.failures for block in blocks if block.side is side):
                service.thaw()  # one that is frozen cannot come to its end
                run = service.ended_within(_DYING_S)
                service.freeze()
                if run is not None and side is Side.REFERENCE:
                    raise ReferenceFailed(f"the reference solution came to an end under load: {end_in_words(run)}")
                if run is not None:
                    return f"the service came to an end under load: {end_in_words(run)}"
        return ""

    def _own_s(self) -> float:
        """CPU time of the grader and of the companions that it answers for, in seconds."""
        return time.process_time() + sum(service.companions_cpu_s for service in self.services.values())

    def _gauges(self) -> wire.Gauges:
        return self.link.gauges(self.services.values())

    def _grown(self, before: wire.Gauges, after: wire.Gauges, side: Side, name: str) -> float | None:
        target = self.services[side].target
        ends = (getattr(gauges.targets.get(target), name, None) for gauges in (after, before))
        return difference(*ends)
