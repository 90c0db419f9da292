"""Pairs of blocks, and gates: what the machine may do during a pair that counts.

A pair is one block of the reference and one of the submission, of the same session and number. If either block breaks
a gate the pair is void: it is kept as evidence, and decides nothing. No gate reads anything that a submission can
move, since one that could void its bad blocks would never fail. So gates read what the generator says of itself, what
belongs to neither side, and what the reference had to wait for while the submission was frozen.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assessments.budget import Plan, Scenario
from assessments.measurement import Block, Isolation, Measurement, Side
from graders.budgets.words import percent

LAG_S: Final = 0.005
"""About ten times the send lag of a generator with a core of its own (0.6 ms): later than that, it did not get its
core, and what it measures is itself."""
LAG_OF_BLOCK: Final = 0.005
"""The same as a share of a block as the plan has it, which is the smaller one in blocks under a second: one second
holds too many requests for 5 ms to matter, a tenth of a second does not."""
STARVED_OF_BLOCK: Final = 0.02
"""Waiting for a core of its own that others use, too. At 2 % one request in fifty is sent or read late at the most,
which a p95 does not see; what the generator's own work costs it is no waiting."""
STEAL_OF_CORE: Final = 0.05
"""Steal comes in slices of several milliseconds. At 5 % of a core one request in twenty meets one: the p95 is its."""
WAIT_OF_CPU: Final = 0.25
"""A reference that waited a quarter of its working time for a CPU is slower by about as much as it is allowed to be."""
WAIT_S: Final = 0.02
"""Waiting that any block may have: a reference that hardly works would break any share by waking up twice."""
FOREIGN_OF_CORE: Final = 0.20
"""What a Linux host does by itself, with its daemons and kernel threads, stays well under this; one busy neighbour is
five times as much."""


class Gate(StrEnum):
    """Why a pair is void, in words that follow a number of pairs."""

    STARVED = "as the load generator had to wait for its core"
    LAG = "as the load generator ran late"
    STEAL = "as the hypervisor gave the CPU to others"
    WAIT = "as the reference had to wait for a CPU"
    FOREIGN = "as other processes used the CPU"
    UNKNOWN = "as this host does not tell what else ran and gives no priority"
    REFERENCE = "as the reference itself gave no right answer in time"
    UNMEASURED = "as this host did not measure the figure"


@dataclass(frozen=True, slots=True)
class Pair:
    """One turn of either side."""

    session: int
    number: int
    reference: Block
    candidate: Block


@dataclass(frozen=True, slots=True)
class Void:
    """A pair that does not count. `why` says what happened, in figures."""

    session: int
    pair: int
    gate: Gate
    why: str


def pairs(measurement: Measurement, session: int) -> tuple[Pair, ...]:
    """The whole pairs of a session in the order of their numbers. A pair that lacks a side is none."""
    sides: dict[int, dict[Side, list[Block]]] = defaultdict(lambda: defaultdict(list))
    for block in measurement.blocks:
        if block.session == session:
            sides[block.pair][block.side].append(block)
    return tuple(
        Pair(session, number, both[Side.REFERENCE][0], both[Side.CANDIDATE][0])
        for number, both in sorted(sides.items())
        if len(both[Side.REFERENCE]) == 1 and len(both[Side.CANDIDATE]) == 1
    )


def void(pair: Pair, plan: Plan, isolation: Isolation) -> Void | None:
    """The first gate that either block of the pair breaks; None when it counts."""
    for block in (pair.reference, pair.candidate):
        for gate, why in _broken(block, plan, isolation):
            return Void(pair.session, pair.number, gate, f"In the {block.side}'s block {why}.")
    return None


def voids(measurement: Measurement) -> tuple[Void, ...]:
    """Every pair of the measurement that a gate makes void, by session and number."""
    sessions = sorted({block.session for block in measurement.blocks})
    found = (void(pair, measurement.plan, measurement.isolation) for s in sessions for pair in pairs(measurement, s))
    return tuple(one for one in found if one is not None)


def sound(many: Sequence[Pair], plan: Plan, isolation: Isolation) -> tuple[tuple[Pair, ...], tuple[Void, ...]]:
    """The pairs that break no gate, and the voids of the others."""
    found = [(pair, void(pair, plan, isolation)) for pair in many]
    return tuple(p for p, broken in found if broken is None), tuple(b for _, b in found if b is not None)


def lag_allowed_s(plan: Plan) -> float:
    """How late the generator may send in a block of this plan, in seconds."""
    one_event = plan.scenario in (Scenario.START_UP, Scenario.BATCH)
    return LAG_S if one_event else min(LAG_S, LAG_OF_BLOCK * plan.block_s)


def reference_waited_s(block: Block, isolation: Isolation) -> float | None:
    """How long the reference had to wait for a CPU that others had, in seconds; None where the host does not tell.

    The kernel adds up the waiting of all threads, also what one waits for another one of the same process. Of cores
    that are the reference's own, others had no more than what it left of them.
    """
    waited_s = block.noise.reference_wait_s
    if waited_s is None or block.cpu_s is None or not isolation.service_cores:
        return waited_s
    left_s = len(isolation.service_cores) * block.noise.seconds - block.cpu_s
    return min(waited_s, max(left_s, 0.0))


def core_share(busy_s: float, seconds: float) -> float:
    """CPU time over wall-clock time: how much of one core was used on average."""
    return busy_s / max(seconds, 1e-9)


def _broken(block: Block, plan: Plan, isolation: Isolation) -> Iterator[tuple[Gate, str]]:
    noise = block.noise
    if _lag_tells(block, plan) and noise.generator_lag_s > lag_allowed_s(plan):
        late_ms, allowed_ms = noise.generator_lag_s * 1e3, lag_allowed_s(plan) * 1e3
        yield Gate.LAG, f"the load generator sent {late_ms:.1f} ms late, and {allowed_ms:.1f} ms are allowed"
    if noise.generator_wait_s is not None and isolation.generator_core is not None:
        starved = core_share(noise.generator_wait_s, noise.seconds)
        if starved > STARVED_OF_BLOCK:
            share, allowed = percent(starved), percent(STARVED_OF_BLOCK)
            yield Gate.STARVED, f"the load generator waited {share} of the time for its core; {allowed} are allowed"
    if noise.steal_s is not None:
        stolen = core_share(noise.steal_s, noise.seconds)
        if stolen > STEAL_OF_CORE:
            yield (
                Gate.STEAL,
                f"the hypervisor took {percent(stolen)} of a core, and {percent(STEAL_OF_CORE)} are allowed",
            )
    waited_s = reference_waited_s(block, isolation) if block.side is Side.REFERENCE else None
    if waited_s is not None:
        allowed_s = WAIT_S + WAIT_OF_CPU * (block.cpu_s or 0.0)
        if waited_s > allowed_s:
            yield Gate.WAIT, f"it waited {waited_s * 1e3:.0f} ms for a CPU, and {allowed_s * 1e3:.0f} ms are allowed"
    # With priority a neighbour is pushed aside: what it uses is what nobody else wanted.
    if not isolation.priority:
        yield from _crowded(block)


def _lag_tells(block: Block, plan: Plan) -> bool:
    """Whether lag is the machine's alone: many answers at once keep the generator busy as well, and so a submission's
    blocks do not count, nor do callers whose every request waits for an answer."""
    return block.side is Side.REFERENCE and plan.scenario is not Scenario.CLOSED


def _crowded(block: Block) -> Iterator[tuple[Gate, str]]:
    noise = block.noise
    if noise.foreign_cpu_s is None:
        # Nothing else watches over the submission's blocks, so that a failure could be a neighbour's.
        yield Gate.UNKNOWN, "the host did not tell what else ran"
        return
    foreign = core_share(noise.foreign_cpu_s, noise.seconds)
    if foreign > FOREIGN_OF_CORE:
        yield (
            Gate.FOREIGN,
            f"other processes used {percent(foreign)} of a core, and {percent(FOREIGN_OF_CORE)} are allowed",
        )
