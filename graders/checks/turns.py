"""The turns that reference and submission take."""

from dataclasses import dataclass

from assessments.measurement import Block, Side
from graders.checks.errors import ChallengeError


class ReferenceFailed(ChallengeError):
    """The challenge's own reference solution does not do what it is there for: nothing can be measured against it."""


@dataclass(frozen=True, slots=True)
class Turns:
    """One turn of each side. `ended` says why the submission gives no more of them; empty when it goes on."""

    blocks: tuple[Block, ...]
    ended: str = ""


def order(pair: int, first: Side) -> tuple[Side, Side]:
    """A B, B A, A B, ...: whatever drifts meets both alike."""
    second = Side.CANDIDATE if first is Side.REFERENCE else Side.REFERENCE
    return (first, second) if pair % 2 == 0 else (second, first)
