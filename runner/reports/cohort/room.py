"""How much of a cohort's page each part may take, in entries."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

COHORT_BYTES: Final = 1_500_000
"""No page of a cohort is this large or larger, whoever is in it."""


@dataclass(frozen=True, slots=True)
class Room:
    """Bounds of a page's parts."""

    rows: int = 2_000
    profiles: int = 0
    """Rows that have a picture of their skills."""
    concerns: int = 12
    pairs: int = 60
    challenges: int = 12
    checks: int = 150
    """Of each challenge."""
    strips: int = 12

    def less(self, factor: float) -> "Room":
        """Room for about `factor` of the page: pictures of skills go before anybody's row does."""
        if self.profiles:
            # A picture is about a third of its row.
            profiles = int(self.profiles * max(1 - 3 * (1 - factor), 0))
            return replace(self, profiles=profiles if profiles > 10 else 0)
        return replace(
            self, rows=int(self.rows * factor), pairs=int(self.pairs * factor), checks=int(self.checks * factor)
        )


def fitted(make: Callable[[Room], str], rows: int, *, profiles: bool = False) -> str:
    """The page with as much on it as there is room for; `rows` is how many there are at the most."""
    rows = min(Room().rows, rows)
    room = Room(rows=rows, profiles=rows if profiles else 0)
    text = make(room)
    while (size := len(text.encode())) >= COHORT_BYTES and room.rows:
        room = room.less(0.98 * COHORT_BYTES / size)
        text = make(room)
    return text


def left_out(number: int, noun: str) -> str:
    """What a page says of that which did not fit."""
    return (
        f"{number:,} more {noun if number == 1 else noun + 's'} left out to keep this page small" if number > 0 else ""
    )
