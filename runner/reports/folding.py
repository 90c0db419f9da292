"""From the blocks of a measurement to the figures that charts are drawn from."""

from collections.abc import Callable, Sequence, Set
from typing import Final

from assessments.measurement import Block, Side
from runner.reports.series import Answers, PairFigures, Turn, held_s

_LONGEST_US: Final = 10**12
PairKey = tuple[int, int]
"""Session and pair of a pair of blocks."""


def key_of(block: Block) -> PairKey:
    return block.session, block.pair


def _right_s(block: Block) -> list[float]:
    return [_held(us) for place, us in enumerate(block.latency_us) if place not in block.failures]


def _held(microseconds: int) -> float:
    return min(max(microseconds, 0), _LONGEST_US) / 1e6


def answers_of(blocks: Sequence[Block], side: Side) -> Answers:
    mine = [block for block in blocks if block.side is side]
    return Answers(
        tuple(seconds for block in mine for seconds in _right_s(block)), sum(len(block.latency_us) for block in mine)
    )


def turns_of(blocks: Sequence[Block], void: Set[PairKey]) -> list[Turn]:
    return [_turn(block, void=key_of(block) in void) for block in blocks if block.side is Side.CANDIDATE]


def _turn(block: Block, *, void: bool) -> Turn:
    intended = [_held(us) for us in block.intended_us]
    span = max(intended, default=0.0) or 1.0
    requests = tuple(
        (start / span, None if place in block.failures else _held(us))
        for place, (start, us) in enumerate(zip(intended, block.latency_us, strict=False))
    )
    return Turn(block.session, void, requests)


def cpu_of(block: Block) -> float | None:
    right = len(block.latency_us) - len(block.failures)
    return held_s(block.cpu_s / right) if block.cpu_s is not None and right > 0 else None


def memory_of(block: Block) -> float | None:
    return None if block.memory_bytes is None else float(min(max(block.memory_bytes, 0), 1 << 60))


def pairs_of(blocks: Sequence[Block], void: Set[PairKey], value: Callable[[Block], float | None]) -> list[PairFigures]:
    """A figure of both sides, pair by pair in the order in which the pairs began."""
    found = {(block.side, key_of(block)): value(block) for block in blocks}
    return [
        PairFigures(key[0], key in void, found.get((Side.CANDIDATE, key)), found.get((Side.REFERENCE, key)))
        for key in dict.fromkeys(map(key_of, blocks))
    ]
