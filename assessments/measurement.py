"""Measurements: what a plan saw, whole, so that anyone can work the verdict out again.

Nothing here is an average. Each request's own times are kept, with the seed that they were planned from, the order of
the blocks, and what else the machine did meanwhile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assessments.budget import Plan


class Side(StrEnum):
    """Whose block it was."""

    REFERENCE = "reference"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class Noise:
    """What the machine did during one block. None: this host does not tell.

    `reference_wait_s` is kept for the reference's blocks only: what a gate reads, the candidate must not move.
    """

    seconds: float
    """How long the block took by the wall clock."""
    foreign_cpu_s: float | None
    """CPU time of everything but reference, candidate and grader, over all cores."""
    steal_s: float | None
    """Time that the hypervisor gave to others, over all cores."""
    pressure_s: float | None
    """Time in which some task of this host waited for a CPU (PSI, cpu, some)."""
    reference_wait_s: float | None
    """Time in which the reference's threads could have run and did not (schedstat)."""
    generator_lag_s: float
    """How late the generator itself sent, at worst but for one request in a hundred. It has more to do the more answers
    come at once, so what a gate reads are the reference's blocks only."""
    generator_wait_s: float | None = None
    """Time in which the generator could have run and did not (schedstat): nobody on another core can move it."""


@dataclass(frozen=True, slots=True)
class Block:
    """One turn of one side. Times are whole microseconds from the block's start, one entry a request.

    A start-up block has one request, whose latency is the start-up time; a batch block one, whose latency is the run's
    time by the clock.
    """

    side: Side
    session: int
    """0, and 1 for the second, independent session that a failure needs. Of a second try 2 and 3, and so on."""
    pair: int
    intended_us: tuple[int, ...]
    sent_us: tuple[int, ...]
    latency_us: tuple[int, ...]
    """From the intended start to the last byte, or to when it was given up."""
    failures: Mapping[int, str]
    """Why a request has no right answer, by its place in the block."""
    cpu_s: float | None
    """CPU time of the side's sandbox in this block."""
    memory_bytes: int | None
    """Its peak memory so far."""
    noise: Noise


@dataclass(frozen=True, slots=True)
class Isolation:
    """What kept the measured processes apart from the rest of the host."""

    exclusive: bool
    """Nothing else of ours ran on this host."""
    service_cores: tuple[int, ...]
    """The cores that both sides run on, in turns; empty: wherever the kernel puts them."""
    generator_core: int | None
    """None: it has no core of its own."""
    priority: bool
    """The kernel prefers the measured processes to others."""
    frozen: str
    """By what the waiting side is kept still."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """Everything that one plan saw of one submission and of the reference."""

    plan: Plan
    seed: int
    isolation: Isolation
    calibration: Mapping[str, float]
    """By metric, the best median of the reference that a quiet session on this host has seen; empty: none has."""
    blocks: tuple[Block, ...] = field(default=())
    ended: str = ""
    """Why the candidate's side gave no more blocks, such as that it died; empty when it went on."""
