"""Measures runs of a job: a block is one run over the pair's input, in a fresh sandbox; nobody waits meanwhile."""

import itertools
import random
import time
from collections.abc import Callable, Generator
from dataclasses import replace

from assessments.budget import Plan
from assessments.measurement import Block, Side
from graders import wire
from graders.checks.noise import noise_between, own_wait_s
from graders.checks.runner_link import RunnerLink, job_result
from graders.checks.turns import ReferenceFailed, Turns, order
from graders.http import BadAnswer
from graders.target import Run

MakeRun = Callable[[random.Random], Run]
"""From random numbers to one run, and how to judge its result."""
_MESSAGE_CHARS = 120


def runs(
    link: RunnerLink, plan: Plan, session: int, numbers: random.Random, make_run: MakeRun
) -> Generator[Turns, None, None]:
    """Pairs of runs, endlessly. With a warm-up in the plan each side runs once before, which counts for nothing."""
    first = numbers.choice(list(Side))
    if plan.warm_up_s:
        run = make_run(numbers)
        for side in order(0, first):
            _block(link, plan, side, session, 0, run)
    for pair in itertools.count():
        run = make_run(numbers)
        yield Turns(tuple(_block(link, plan, side, session, pair, run) for side in order(pair, first)))


def _block(link: RunnerLink, plan: Plan, side: Side, session: int, pair: int, run: Run) -> Block:
    inputs = link.scratch.names(run.inputs)  # written before anything is timed
    before, own_before_s, waited_before_s = link.gauges(()), time.process_time(), own_wait_s()
    ended = link.job(run.args, run.stdin, run.env, inputs, plan.timeout_s, side)
    after, own_s = link.gauges(()), time.process_time() - own_before_s
    failure = _failure(ended, run)
    if failure and side is Side.REFERENCE:
        raise ReferenceFailed(f"the reference solution's own run is wrong: {failure}")
    noise = noise_between(before, after, ended.run.wall_s, {side: ended.run.usage.cpu_s}, own_s, 0.0)
    if waited_before_s is not None:
        noise = replace(noise, generator_wait_s=0.0)  # it does nothing while a job runs
    if side is Side.REFERENCE:
        noise = replace(noise, reference_wait_s=ended.waited_s)
    return Block(
        side=side,
        session=session,
        pair=pair,
        intended_us=(0,),
        sent_us=(0,),
        latency_us=(round(ended.run.wall_s * 1e6),),
        failures={0: failure[:_MESSAGE_CHARS]} if failure else {},
        cpu_s=ended.run.usage.cpu_s,
        memory_bytes=ended.run.usage.peak_memory_bytes,
        noise=noise,
    )


def _failure(ended: wire.JobEnded, run: Run) -> str:
    """Why the run's result is not right; empty when it is."""
    try:
        run.judge(job_result(ended))
    except (AssertionError, BadAnswer) as error:
        return str(error) or "an assertion without words failed"
    return ""
