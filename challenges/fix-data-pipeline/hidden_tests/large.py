"""Two million rows in seconds: one block of everyday rows, written a hundred times over with other ids.

Every copy has customers and events of its own, so what is right for the whole follows from what is right for the block.
The set is plain on purpose: clocks at UTC, two currencies, some duplicates, corrections and bad rows, both versions of
the files. It is there to be large; the traps are in the small ones.
"""

import csv
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from shop import VERSION_1, VERSION_2, Event, Files, Shop

COPIES = 100
BLOCK_ROWS = 20_000
BLOCK_CUSTOMERS = 300
FUTURE_DAYS = 9
"""So that the label's seven days are delivered."""

VERSION_2_FROM_DAY = -14

_PERSON, _EVENT = b"@P@", b"@E@"
"""What stands in the block for the part of an id that differs from copy to copy."""


@dataclass(frozen=True, slots=True)
class LargeSet:
    """Where the inputs lie, and what a run over them must leave."""

    events: Path
    reference: Path
    as_of: date
    features_csv: bytes
    summary: dict[str, Any]

    @property
    def features(self) -> list[dict[str, str]]:
        """The rows of features_csv."""
        return list(csv.DictReader(io.StringIO(self.features_csv.decode())))


def make_large_set(
    seed: int, folder: Path, expect: Callable[[Files, Files, date], Any], copies: int = COPIES
) -> LargeSet:
    """Write the set below `folder`. `expect` is the oracle's, asked once, about one copy of the block."""
    shop = Shop(random.Random(f"{seed}:large"), BLOCK_CUSTOMERS)
    shop.rename([f"{_PERSON.decode()}{index:07d}" for index in range(BLOCK_CUSTOMERS)])
    block, reference = _block(shop), shop.reference()
    one_copy = {name: _copy(content, 0) for name, content in block.items()}
    one = expect(one_copy, {name: _copy(content, 0) for name, content in reference.items()}, shop.as_of)

    events_folder, reference_folder = folder / "large-events", folder / "large-reference"
    events_folder.mkdir()
    reference_folder.mkdir()
    for name, content in block.items():
        _write_copies(events_folder / name, content, copies)
    for name, content in reference.items():
        _write_copies(reference_folder / name, content, copies if name == "customers.csv" else 1)

    header, rows = one.features_csv.split(b"\n", 1)
    lines = b"\n" + rows.removesuffix(b"\n")
    features = header + b"".join(lines.replace(b"\n000", b"\n%03d" % copy) for copy in range(copies)) + b"\n"
    counts = {key: one.summary[key] * copies for key in ("rows", "quarantined", "duplicates", "events")}
    return LargeSet(events_folder, reference_folder, shop.as_of, features, {**one.summary, **counts})


def _block(shop: Shop) -> Files:
    """The deliveries of one copy, with marks in the ids."""
    rng = shop.rng
    events = [
        replace(event, currency="USD") if event.type != "view" and rng.random() < 0.3 else event
        for event in shop.traffic(BLOCK_ROWS * 95 // 100, last_day=FUTURE_DAYS - 1, step=1)
    ]
    events = [replace(event, id=f"{_EVENT.decode()}{index:012d}") for index, event in enumerate(events)]
    again = rng.sample(events, BLOCK_ROWS * 4 // 100)
    spoilt = rng.sample(events, BLOCK_ROWS // 100)
    events += [replace(event, received=event.received + timedelta(hours=rng.randint(1, 40))) for event in again]
    events += [replace(event, overrides={"store_id": rng.choice(("s99", "", "S01"))}) for event in spoilt]
    since = shop.cutoff + timedelta(days=VERSION_2_FROM_DAY)
    old: list[Event] = [event for event in events if event.received < since]
    new: list[Event] = [event for event in events if event.received >= since]
    return shop.folder(old, VERSION_1) | shop.folder(new, VERSION_2)


def _copy(content: bytes, copy: int) -> bytes:
    return content.replace(_PERSON, b"%03d" % copy).replace(_EVENT, b"%03d" % (100 + copy))


def _write_copies(path: Path, content: bytes, copies: int) -> None:
    """The header once, and the rows once for each copy."""
    header, rows = content.split(b"\n", 1)
    with path.open("wb") as file:
        file.write(header + b"\n")
        for copy in range(copies):
            file.write(_copy(rows, copy))
