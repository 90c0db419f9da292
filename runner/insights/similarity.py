"""How much of two submissions is the same."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pair:
    first: str
    second: str
    share: float
    shared: int


@dataclass(frozen=True, slots=True)
class Match:
    """Line ranges that are the same; 1-based, ends included."""

    first_path: str
    first_start: int
    first_end: int
    second_path: str
    second_start: int
    second_end: int
