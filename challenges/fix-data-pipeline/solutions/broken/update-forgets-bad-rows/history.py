"""What earlier runs took in, and what this one adds: each file once, and of each event its latest version."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

import polars as pl

from problems import UnusableInput
from reading import EVENT_SCHEMA, QUARANTINE_SCHEMA, Delivery, read_delivery
from reference import Reference

_FORMAT = 1
_BUCKETS = 16


@dataclass(frozen=True)
class History:
    """All that was taken in so far. `events` has no event twice."""

    files: dict[str, int]
    """The rows of each delivery, by its name."""
    valid_rows: int
    events: pl.DataFrame
    quarantine: pl.DataFrame

    @property
    def rows(self) -> int:
        return sum(self.files.values())

    @property
    def delivered_until(self) -> date:
        return max(date.fromisoformat(name[7:17]) for name in self.files)


EMPTY = History({}, 0, pl.DataFrame(schema=EVENT_SCHEMA), pl.DataFrame(schema=QUARANTINE_SCHEMA))


def with_deliveries(before: History, paths: Iterable[Path], reference: Reference) -> History:
    """Takes in the deliveries that were not taken in before."""
    new = [path for path in paths if path.name not in before.files]
    files, events, quarantine = dict(before.files), [before.events], [before.quarantine]
    valid_rows = before.valid_rows
    for path in new:
        delivery: Delivery = read_delivery(path, reference)
        files[path.name] = delivery.rows
        valid_rows += len(delivery.events)
        events.append(delivery.events)
        quarantine.append(delivery.quarantine)
    bad = pl.concat([part.cast(QUARANTINE_SCHEMA) for part in quarantine]).sort("file", "line")
    return History(files, valid_rows, _latest(events), bad)


def _latest(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Of each event the version that was received last. In buckets, for sorting everything at once takes memory."""
    events = pl.concat(parts, rechunk=False)
    kept = []
    for bucket in range(_BUCKETS):
        some = events.filter(pl.col("event_id") % _BUCKETS == bucket)
        kept.append(some.sort("event_id", "received").unique("event_id", keep="last", maintain_order=True))
    return pl.concat(kept)


def write_state(history: History, reference: Reference) -> dict[str, bytes]:
    """The files that `read_state` makes the same history of."""
    events = history.events.join(reference.customers, on="customer", how="left").drop("customer").sort("event_id")
    tables = {"events.csv": _csv(events), "quarantine.csv": _csv(history.quarantine)}
    about = {
        "format": _FORMAT,
        "files": history.files,
        "valid_rows": history.valid_rows,
        "digests": {name: hashlib.sha256(content).hexdigest() for name, content in tables.items()},
    }
    return {**tables, "state.json": json.dumps(about, indent=1, sort_keys=True).encode()}


def read_state(folder: Path, reference: Reference) -> History:
    """Raises UnusableInput for anything but a whole state: guessing here would count events twice, or not at all."""
    try:
        about = json.loads((folder / "state.json").read_text("utf-8"))
        if about["format"] != _FORMAT:
            raise UnusableInput("the previous state is of another format")
        tables = {name: (folder / name).read_bytes() for name in about["digests"]}
        for name, content in tables.items():
            if hashlib.sha256(content).hexdigest() != about["digests"][name]:
                raise UnusableInput(f"the previous state is damaged: {name}")
        kinds = {name: kind for name, kind in EVENT_SCHEMA.items() if name != "customer"} | {"customer_id": pl.String}
        events = pl.read_csv(BytesIO(tables["events.csv"]), schema_overrides=kinds)
        events = events.join(reference.customers, on="customer_id", how="inner").select(*EVENT_SCHEMA)
        quarantine = EMPTY.quarantine  # Fault: an update knows nothing of the bad rows of earlier runs.
        return History(about["files"], about["valid_rows"], events, quarantine)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, pl.exceptions.PolarsError) as error:
        raise UnusableInput("the previous results hold no whole state of an earlier run") from error


def _csv(table: pl.DataFrame) -> bytes:
    return table.write_csv().encode()
