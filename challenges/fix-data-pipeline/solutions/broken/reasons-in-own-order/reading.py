"""One delivery at a time: its rows become a small table of numbers, or lines of the quarantine with a reason."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

import clocks
import money
from problems import UnusableInput
from reference import Reference

EVENT_SCHEMA = {
    "event_id": pl.Int64,
    "customer": pl.UInt32,
    "type": pl.UInt8,
    "at": pl.Int64,
    "received": pl.Int64,
    "cents": pl.Int64,
}
"""What is kept of an event. Nothing in it says who a customer is."""

QUARANTINE_SCHEMA = {"file": pl.String, "line": pl.Int64, "reason": pl.String}
TYPES = ["view", "purchase", "refund"]
VIEW, PURCHASE, REFUND = range(3)

_ALWAYS = {"event_id", "store_id", "type", "currency", "received_at"}
_EITHER = [("user_id", "customer_id"), ("occurred_local", "occurred_at"), ("amount", "amount_minor")]
"""Version 1's name of a column, and the later one's."""


@dataclass(frozen=True)
class Delivery:
    events: pl.DataFrame
    quarantine: pl.DataFrame
    rows: int


def read_delivery(path: Path, reference: Reference) -> Delivery:
    """Raises UnusableInput when the header lacks a column."""
    header, _, body = path.read_bytes().partition(b"\n")
    columns = _columns(path.name, header)
    lines = body.removesuffix(b"\n").split(b"\n") if body else []
    texts = _decoded(lines)
    rows = _checked(_split(texts, columns), columns, reference)
    bad = rows.filter(pl.col("reason").is_not_null())
    quarantine = bad.select(pl.lit(path.name).alias("file"), "line", "reason")
    events = money.with_euro_cents(rows.filter(pl.col("reason").is_null()), reference)
    return Delivery(events.select(pl.col(name).cast(kind) for name, kind in EVENT_SCHEMA.items()), quarantine, len(lines))


def _columns(name: str, header: bytes) -> list[str]:
    columns = header.decode("utf-8", "replace").split(",")
    missing = _ALWAYS - set(columns)
    missing |= {new for old, new in _EITHER if old not in columns and new not in columns}
    if missing:
        raise UnusableInput(f"{name}: its header has no column {', '.join(sorted(missing))}")
    return columns


def _decoded(lines: list[bytes]) -> list[str | None]:
    """A line that is not UTF-8 is None."""
    try:
        return b"\n".join(lines).decode().split("\n")
    except UnicodeDecodeError:
        return [_decoded_line(line) for line in lines]


def _decoded_line(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None


def _split(texts: list[str | None], columns: list[str]) -> pl.DataFrame:
    """The fields as text, with the line's number and, where there are no such fields, the reason."""
    line = pl.col("text")
    reason = (
        pl.when(line.is_null())
        .then(pl.lit("not_utf8"))
        .when(line.str.count_matches(",", literal=True) != len(columns) - 1)
        .then(pl.lit("field_count"))
    )
    fields = line.str.split_exact(",", len(columns) - 1).struct.rename_fields(columns)
    table = pl.DataFrame({"text": texts}, schema={"text": pl.String}).with_row_index("line", offset=2)
    return table.select("line", reason.alias("reason"), fields.alias("fields")).unnest("fields")


def _checked(rows: pl.DataFrame, columns: list[str], reference: Reference) -> pl.DataFrame:
    """Adds what the columns mean, and the first reason against a row."""
    rows = rows.rename({"user_id": "customer_id"}, strict=False).with_columns(
        pl.col("type").replace_strict(TYPES, range(len(TYPES)), default=None, return_dtype=pl.UInt8)
    )
    for table, key in ((reference.customers, "customer_id"), (reference.stores, "store_id")):
        rows = rows.join(table, on=key, how="left", maintain_order="left")
    rows = rows.join(reference.currencies, on="currency", how="left", maintain_order="left")
    amount = pl.col("amount_minor" if "amount_minor" in columns else "amount")
    paid = pl.col("type") != VIEW
    rows = rows.with_columns(
        at=_occurred(columns, reference),
        received=clocks.from_utc(pl.col("received_at")),
        minor=pl.when(paid).then(money.minor_units(columns)),
    )
    against = [
        (~pl.col("event_id").str.contains("^[1-9][0-9]{0,17}$"), "bad_event_id"),
        (pl.col("customer").is_null(), "unknown_customer"),
        (pl.col("time_zone").is_null(), "unknown_store"),
        (pl.col("type").is_null(), "bad_type"),
        (pl.col("at").is_null() | pl.col("received").is_null(), "bad_time"),
        (paid & pl.col("digits").is_null(), "unknown_currency"),
        (paid & pl.col("minor").is_null() & (amount != ""), "bad_amount"),
    ]
    # Fault: the last reason counts, not the first.
    reasons = [pl.when(applies).then(pl.lit(reason)) for applies, reason in reversed(against)]
    return rows.with_columns(reason=pl.coalesce("reason", *reasons))


def _occurred(columns: list[str], reference: Reference) -> pl.Expr:
    if "occurred_at" in columns:
        return clocks.from_offset(pl.col("occurred_at"))
    zones = reference.stores["time_zone"].unique().sort().to_list()
    return clocks.from_local(pl.col("occurred_local"), pl.col("time_zone"), zones)
