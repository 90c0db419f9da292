"""Winnowing: a few hashes of a token sequence, chosen so that what two sequences share shows in both. Pure.

Source: S. Schleimer, D. S. Wilkerson and A. Aiken, Winnowing: Local Algorithms for Document Fingerprinting, SIGMOD
2003. Of the hashes of all runs of `RUN` tokens (k there) the least of each `WINDOW` neighbours is kept (w there), the
rightmost where several are. So every common stretch of at least RUN + WINDOW - 1 tokens leaves a common fingerprint,
one that is shorter than RUN never does, and some 2 / (WINDOW + 1) of the hashes are kept.

Hashes are those of R. M. Karp and M. O. Rabin (1987), over token hashes that are the same in every process.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Final

RUN: Final = 12
"""Tokens of a run. With names and literals taken off, shorter ones are the language's idioms and not a person's work;
longer ones are broken by every small edit. `similarity` says what was measured."""
WINDOW: Final = 8
"""So a common stretch of 19 tokens, some two lines of Python, is always found."""

_PRIME: Final = (1 << 61) - 1
_BASE: Final = 0x1B873593CC9E2D51 % _PRIME


def run_hashes(tokens: Sequence[str]) -> list[int]:
    """The hash of each run of `RUN` tokens, by the place it starts at; none for less than a run."""
    if len(tokens) < RUN:
        return []
    values = [_token_hash(token) for token in tokens]
    leaving = pow(_BASE, RUN, _PRIME)
    rolling = 0
    hashes = []
    for place, value in enumerate(values):
        rolling = (rolling * _BASE + value) % _PRIME
        if place >= RUN:
            rolling = (rolling - values[place - RUN] * leaving) % _PRIME
        if place >= RUN - 1:
            hashes.append(rolling)
    return hashes


def winnowed(hashes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The hashes that are kept, each with its place, in order. Of less than a window the least one is kept."""
    window = min(WINDOW, len(hashes))
    waiting: deque[int] = deque()
    kept = -1
    for place, value in enumerate(hashes):
        # Places of a window whose hashes rise from the left; an equal one gives way to the one right of it.
        while waiting and hashes[waiting[-1]] >= value:
            waiting.pop()
        waiting.append(place)
        if waiting[0] <= place - window:
            waiting.popleft()
        if place >= window - 1 and waiting[0] != kept:
            kept = waiting[0]
            yield kept, hashes[kept]


@lru_cache(maxsize=4096)
def _token_hash(token: str) -> int:
    # Not hash(): that differs from process to process, and fingerprints are kept and compared later.
    return int.from_bytes(blake2b(token.encode("utf-8", "surrogatepass"), digest_size=8).digest()) % _PRIME
