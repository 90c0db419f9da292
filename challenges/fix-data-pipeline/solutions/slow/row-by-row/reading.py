"""One delivery at a time: its rows become a small table of numbers, or lines of the quarantine with a reason."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

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
_CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]"
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
    # Fault: every row is looked at by itself, in Python.
    customers = dict(reference.customers.select("customer_id", "customer").iter_rows())
    stores = dict(reference.stores.select("store_id", "time_zone").iter_rows())
    digits = dict(reference.currencies.select("currency", "digits").iter_rows())
    results = []
    for row in rows.iter_rows(named=True):
        found = {"line": row["line"], "reason": row["reason"], "currency": row["currency"]}
        if found["reason"] is None:
            found |= _checked_row(row, customers, stores, digits)
        results.append(found)
    schema = {
        **{"line": pl.Int64, "reason": pl.String, "event_id": pl.Int64, "customer": pl.UInt32, "type": pl.UInt8},
        **{"at": pl.Int64, "received": pl.Int64, "currency": pl.String, "digits": pl.Int64, "minor": pl.Int64},
    }
    return pl.DataFrame(results, schema=schema)


def _checked_row(row: dict, customers: dict, stores: dict, digits: dict) -> dict:
    customer = row.get("customer_id", row.get("user_id"))
    try:
        kind = row["type"]
        if not re.fullmatch("[1-9][0-9]{0,17}", row["event_id"]):
            raise ValueError("bad_event_id")
        if customer not in customers:
            raise ValueError("unknown_customer")
        if row["store_id"] not in stores:
            raise ValueError("unknown_store")
        if kind not in TYPES:
            raise ValueError("bad_type")
        at = _moment(row, stores[row["store_id"]])
        received = _utc(row["received_at"])
        if kind != "view" and row["currency"] not in digits:
            raise ValueError("unknown_currency")
        minor = _minor(row, digits[row["currency"]]) if kind != "view" else None
    except ValueError as reason:
        return {"reason": str(reason)}
    return {
        "event_id": int(row["event_id"]),
        "customer": customers[customer],
        "type": TYPES.index(kind),
        "at": at,
        "received": received,
        "digits": digits.get(row["currency"]),
        "minor": minor,
    }


def _utc(text: str) -> int:
    if not re.fullmatch(f"{_CLOCK}Z", text):
        raise ValueError("bad_time")
    return int(_clock(text[:19]).replace(tzinfo=UTC).timestamp())


def _clock(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("bad_time") from None


def _moment(row: dict, zone: str) -> int:
    if "occurred_at" in row:
        if not re.fullmatch(f"{_CLOCK}(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])", row["occurred_at"]):
            raise ValueError("bad_time")
        return int(_clock(row["occurred_at"]).timestamp())
    if not re.fullmatch(_CLOCK, row["occurred_local"]):
        raise ValueError("bad_time")
    shown = _clock(row["occurred_local"])
    moment = shown.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) != shown:
        raise ValueError("bad_time")
    return int(moment.timestamp())


def _minor(row: dict, digits: int) -> int | None:
    if "amount_minor" in row:
        text, pattern = row["amount_minor"], "[0-9]{1,9}"
    else:
        text, pattern = row["amount"], "[0-9]{1,7}" + (rf"(\.[0-9]{{1,{digits}}})?" if digits else "")
    if text == "":
        return None
    if not re.fullmatch(pattern, text):
        raise ValueError("bad_amount")
    return int(text) if "amount_minor" in row else int(Decimal(text).scaleb(digits))
