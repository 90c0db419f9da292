"""What is right, worked out from the bytes of the inputs: row by row, in exact fractions, with clocks by rule.

Plain Python, deliberately another way than a submission is likely to take, and slow. What is right for the large data
set follows from what is right for the one block that it repeats (large.py).
"""

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from large import LargeSet, make_large_set
from shop import MINOR_DIGITS, Files, last_sunday, nth_sunday

FEATURES = (
    *("customer_id", "segment", "purchases_28d", "spend_28d_eur", "avg_order_28d_eur", "refunds_28d_eur"),
    *("views_7d", "active_days_28d", "last_purchase_at", "label"),
)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LABEL_DAYS = 7
TOLERATED_BAD_SHARE = Fraction(1, 10)

_LOCAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}")
_OFFSET = re.compile(r"Z|[+-][0-9]{2}:[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Taken:
    """A row that was taken in. `euro_cents` is None where the amount is unknown, or where there is none."""

    id: str
    customer: str
    type: str
    at: datetime
    received: datetime
    euro_cents: int | None


@dataclass(frozen=True, slots=True)
class Expected:
    """The three results of a run, as values."""

    features: tuple[dict[str, str], ...]
    quarantine: tuple[tuple[str, int, str], ...]
    summary: dict[str, Any]

    @property
    def features_csv(self) -> bytes:
        rows = [",".join(FEATURES), *(",".join(row.values()) for row in self.features)]
        return ("\n".join(rows) + "\n").encode()

    @property
    def quarantine_csv(self) -> bytes:
        rows = ["file,line,reason", *(f"{file},{line},{reason}" for file, line, reason in self.quarantine)]
        return ("\n".join(rows) + "\n").encode()

    @property
    def summary_json(self) -> bytes:
        return json.dumps(self.summary).encode()

    @property
    def too_bad(self) -> bool:
        """Whether more rows than are tolerated were refused."""
        return self.summary["quarantined"] > TOLERATED_BAD_SHARE * self.summary["rows"]


@dataclass(frozen=True, slots=True)
class Reference:
    """The tables of a run."""

    segments: Mapping[str, list[tuple[date, str]]]
    zones: Mapping[str, str]
    rates: Mapping[str, Mapping[date, Fraction]]

    def segment(self, customer: str, day: date) -> str | None:
        """The one in force at the beginning of that day; None for somebody who was no customer yet."""
        past = [row for row in self.segments[customer] if row[0] <= day]
        return max(past)[1] if past else None

    def rate(self, currency: str, day: date) -> Fraction:
        """Of that day, or of the last one before it that has one."""
        if currency == "EUR":
            return Fraction(1)
        while day not in self.rates[currency]:
            day -= DAY
        return self.rates[currency][day]


class BadRow(Exception):
    """A row that goes to quarantine; the message is the reason."""


class Oracle:
    """Works out what a run over some inputs must leave."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._large: LargeSet | None = None

    def expect(self, events: Files, reference: Files, as_of: date) -> Expected:
        """The results for these deliveries, whether they came in one run or in many."""
        tables = read_reference(reference)
        taken: list[Taken] = []
        quarantine: list[tuple[str, int, str]] = []
        rows = 0
        for name in sorted(events):
            header, *body = events[name].removesuffix(b"\n").split(b"\n")
            columns = header.decode().split(",")
            for number, line in enumerate(body, start=2):
                rows += 1
                try:
                    taken.append(read_row(line, columns, tables))
                except BadRow as reason:
                    quarantine.append((name, number, str(reason)))
        kept: dict[str, Taken] = {}
        for row in sorted(taken, key=lambda row: row.received):
            kept[row.id] = row
        delivered = max(date.fromisoformat(name[7:17]) for name in events)
        summary = {
            "as_of": as_of.isoformat(),
            "files": len(events),
            "rows": rows,
            "quarantined": len(quarantine),
            "duplicates": len(taken) - len(kept),
            "events": len(kept),
        }
        features = tuple(features_of(tables, list(kept.values()), as_of, delivered))
        return Expected(features, tuple(sorted(quarantine)), summary)

    def large(self, folder: Path) -> LargeSet:
        """The data set of two million rows in `folder`, written when it is first asked for."""
        if self._large is None:
            self._large = make_large_set(self.seed, folder, self.expect)
        return self._large


def read_row(line: bytes, columns: Sequence[str], tables: Reference) -> Taken:
    """One data row, in the order of the brief's reasons. Raises BadRow."""
    try:
        cells = line.decode("utf-8").split(",")
    except UnicodeDecodeError:
        raise BadRow("not_utf8") from None
    if len(cells) != len(columns):
        raise BadRow("field_count")
    row = dict(zip(columns, cells, strict=True))
    if not re.fullmatch(r"[1-9][0-9]{0,17}", row["event_id"]):
        raise BadRow("bad_event_id")
    customer = row["customer_id"] if "customer_id" in row else row["user_id"]
    if customer not in tables.segments:
        raise BadRow("unknown_customer")
    if row["store_id"] not in tables.zones:
        raise BadRow("unknown_store")
    if row["type"] not in ("view", "purchase", "refund"):
        raise BadRow("bad_type")
    if "occurred_local" in row:
        at = to_utc(read_local(row["occurred_local"]), tables.zones[row["store_id"]])
    else:
        at = read_moment(row["occurred_at"])
    if row["received_at"][-1:] != "Z":
        raise BadRow("bad_time")
    received = read_moment(row["received_at"])
    cents = None if row["type"] == "view" else read_money(row, at.date(), tables)
    return Taken(row["event_id"], customer, row["type"], at, received, cents)


def read_local(text: str) -> datetime:
    """What a clock showed. Raises BadRow."""
    if not _LOCAL.fullmatch(text):
        raise BadRow("bad_time")
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        raise BadRow("bad_time") from None


def read_moment(text: str) -> datetime:
    """A time with its offset, as UTC. Raises BadRow."""
    shown, offset = read_local(text[:19]), text[19:]
    if not _OFFSET.fullmatch(offset):
        raise BadRow("bad_time")
    if offset == "Z":
        return shown
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    if hours > 14 or minutes > 59:
        raise BadRow("bad_time")
    ahead = timedelta(hours=hours, minutes=minutes)
    return shown - ahead if offset[0] == "+" else shown + ahead


def to_utc(shown: datetime, zone: str) -> datetime:
    """When a store's clock showed this: the first time of two. Raises BadRow for an hour that was skipped."""
    moments = {shown - offset for offset in offsets(zone) if offset_at(zone, shown - offset) == offset}
    if not moments:
        raise BadRow("bad_time")
    return min(moments)


def offsets(zone: str) -> tuple[timedelta, ...]:
    """The offsets of a zone over the year: winter's, and summer's where there is one."""
    standard = {
        "UTC": timedelta(0),
        "Europe/Berlin": HOUR,
        "America/New_York": -5 * HOUR,
        "Asia/Kolkata": 5.5 * HOUR,
        "Australia/Sydney": 10 * HOUR,
    }[zone]
    return (standard,) if zone in ("UTC", "Asia/Kolkata") else (standard, standard + HOUR)


def offset_at(zone: str, moment: datetime) -> timedelta:
    """What a zone's clocks are ahead of UTC by at a moment (written as UTC), by the rules of 2007 to 2026."""
    year = moment.year
    standard, summer = offsets(zone)[0], offsets(zone)[-1]
    match zone:
        case "Europe/Berlin":
            is_summer = at_hour(last_sunday(year, 3), 1) <= moment < at_hour(last_sunday(year, 10), 1)
        case "America/New_York":
            is_summer = at_hour(nth_sunday(year, 3, 2), 7) <= moment < at_hour(nth_sunday(year, 11, 1), 6)
        case "Australia/Sydney":
            ends, begins = nth_sunday(year, 4, 1) - DAY, nth_sunday(year, 10, 1) - DAY
            is_summer = moment < at_hour(ends, 16) or moment >= at_hour(begins, 16)
        case _:
            is_summer = False
    return summer if is_summer else standard


def at_hour(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)


def read_money(row: Mapping[str, str], day: date, tables: Reference) -> int | None:
    """The amount in euro cents, half a cent rounded up; None where it is unknown. Raises BadRow."""
    currency = row["currency"]
    if currency != "EUR" and currency not in tables.rates:
        raise BadRow("unknown_currency")
    digits = MINOR_DIGITS[currency]
    text = row["amount_minor"] if "amount_minor" in row else row["amount"]
    if text == "":
        return None
    if "amount_minor" in row:
        allowed = r"[0-9]{1,9}"
    else:
        allowed = r"[0-9]{1,7}" + (rf"(\.[0-9]{{1,{digits}}})?" if digits else "")
    if not re.fullmatch(allowed, text):
        raise BadRow("bad_amount")
    units = Fraction(int(text), 10**digits) if "amount_minor" in row else Fraction(text)
    return half_up(units * tables.rate(currency, day) * 100)


def half_up(value: Fraction) -> int:
    return math.floor(value + Fraction(1, 2))


def features_of(tables: Reference, events: Sequence[Taken], as_of: date, delivered: date) -> list[dict[str, str]]:
    """One row for each customer of that day, by id."""
    mine: dict[str, list[Taken]] = {}
    for event in events:
        mine.setdefault(event.customer, []).append(event)
    found = []
    for customer in sorted(tables.segments):
        segment = tables.segment(customer, as_of)
        if segment is not None:
            row = {"customer_id": customer, "segment": segment}
            found.append(row | behaviour(mine.get(customer, []), as_of, delivered))
    return found


def behaviour(events: Sequence[Taken], as_of: date, delivered: date) -> dict[str, str]:
    """What one customer did before the cut-off, and whether they bought after it."""
    cutoff = at_hour(as_of, 0)
    window = [event for event in events if cutoff - 28 * DAY <= event.at < cutoff]
    purchases = [event for event in window if event.type == "purchase"]
    known = [event.euro_cents for event in purchases if event.euro_cents is not None]
    bought = [event.at for event in events if event.type == "purchase"]
    last = max((at for at in bought if at < cutoff), default=None)
    label = ""
    if delivered >= as_of + LABEL_DAYS * DAY:
        label = str(int(any(cutoff <= at < cutoff + LABEL_DAYS * DAY for at in bought)))
    return {
        "purchases_28d": str(len(purchases)),
        "spend_28d_eur": total(purchases),
        "avg_order_28d_eur": euros(half_up(Fraction(sum(known), len(known)))) if known else "",
        "refunds_28d_eur": total([event for event in window if event.type == "refund"]),
        "views_7d": str(sum(event.type == "view" and event.at >= cutoff - 7 * DAY for event in window)),
        "active_days_28d": str(len({event.at.date() for event in window})),
        "last_purchase_at": f"{last:%Y-%m-%dT%H:%M:%SZ}" if last else "",
        "label": label,
    }


def total(events: Sequence[Taken]) -> str:
    """The sum of what is known; nothing where nothing is, though there was something."""
    known = [event.euro_cents for event in events if event.euro_cents is not None]
    return "" if events and not known else euros(sum(known))


def euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def read_reference(files: Files) -> Reference:
    """The tables; of two rates for one day the later line counts."""
    segments: dict[str, list[tuple[date, str]]] = {}
    for row in table(files["customers.csv"]):
        segments.setdefault(row["customer_id"], []).append((date.fromisoformat(row["valid_from"]), row["segment"]))
    rates: dict[str, dict[date, Fraction]] = {}
    for row in table(files["rates.csv"]):
        rates.setdefault(row["currency"], {})[date.fromisoformat(row["date"])] = Fraction(row["eur_per_unit"])
    zones = {row["store_id"]: row["time_zone"] for row in table(files["stores.csv"])}
    return Reference(segments, zones, rates)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def make_oracle(challenge_folder: Path, seed: int) -> Oracle:
    """The oracle fixture's value."""
    return Oracle(seed)
