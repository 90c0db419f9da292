"""A shop made up from random numbers: its customers, stores and rates, what happened in it, and the files of that.

What is drawn differs with the seed; which traps lie in a scenario never does. Nothing here knows what the right answers
are: oracle.py works them out from the bytes of the files, as a submission has to.
"""

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

Files = dict[str, bytes]

HISTORY_DAYS = 35
"""How many days of deliveries come before the cut-off; 28 of them are a window of the features."""

MINOR_DIGITS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0, "KWD": 3}
TYPICAL_RATE = {"USD": 0.92, "GBP": 1.16, "JPY": 0.0062, "KWD": 3.01}
SEGMENTS = ("basic", "plus", "family", "student")

PLAIN_ZONE = "UTC"
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney")

VERSION_1 = ("event_id", "user_id", "store_id", "type", "occurred_local", "amount", "currency", "email", "received_at")
VERSION_2 = (
    *("received_at", "event_id", "type", "customer_id", "email", "channel"),
    *("store_id", "occurred_at", "currency", "amount_minor"),
)

_SYLLABLES = ("bra", "dor", "fen", "gul", "hest", "jor", "kva", "lim", "mok", "nyr", "osk", "pel", "rud", "svi", "tor")


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `local` is what the store's clock showed where it is not to follow from `at`.

    `amount` counts the smallest unit of its currency; None is unknown.
    """

    id: str
    customer: str
    store: str
    type: str
    at: datetime
    received: datetime
    amount: int | None = None
    currency: str = ""
    email: str = ""
    local: str = ""
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Column -> what stands there instead: how a row is spoilt."""


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer: from which day on they were in which segment, and what nobody else may learn of them."""

    id: str
    name: str
    email: str
    segments: tuple[tuple[date, str], ...]


class Shop:
    """A shop around one cut-off. Every method that draws takes its randomness from the generator given here."""

    def __init__(self, rng: random.Random, customers: int = 24, zones: Sequence[str] = (PLAIN_ZONE,)) -> None:
        self.rng = rng
        self.as_of = date(rng.choice((2023, 2024, 2025, 2026)), 4, rng.randint(9, 14))
        """Between 9 and 14 April, so that the clocks of three continents changed in the weeks before."""
        self.cutoff = datetime.combine(self.as_of, time(), UTC)
        self.stores = {f"s{index:02d}": zone for index, zone in enumerate(zones, start=1)}
        self._next_event = 10**13 + rng.randrange(10**10) * 100
        first = rng.randrange(10**7, 10**8 - 2 * customers)
        self.customers = tuple(self._customer(str(first + index)) for index in range(customers))
        self.rates = self._rates()

    # What happens

    def event(self, kind: str, at: datetime, customer: str | None = None, **given: Any) -> Event:
        """One event, taken in a few minutes later unless `received` says otherwise."""
        self._next_event += 1
        who = customer or self.any_customer()
        money: dict[str, Any] = {}
        if kind != "view":
            money = {"amount": self.rng.randrange(100, 20_000), "currency": "EUR"}
        return Event(
            **{
                "id": str(self._next_event),
                "customer": who,
                "store": self.rng.choice(sorted(self.stores)),
                "type": kind,
                "at": at,
                "received": at + timedelta(minutes=self.rng.randint(1, 9)),
                "email": self.emails.get(who, ""),
                **money,
                **given,
            }
        )

    def any_customer(self) -> str:
        return self.rng.choice(self.customers).id

    def moment(self, first_day: int, last_day: int, step: int = 1) -> datetime:
        """A moment at noon or so, from `first_day` to `last_day` days after the cut-off (negative: before)."""
        day = self.rng.randrange(first_day, last_day + 1, step)
        return self.cutoff + timedelta(days=day, hours=self.rng.randint(9, 15), seconds=self.rng.randrange(3600))

    def traffic(self, count: int, first_day: int = -HISTORY_DAYS, last_day: int = -1, step: int = 3) -> list[Event]:
        """Everyday events, none near the ends of the day, and none of them odd in any way.

        On every third day only, unless `step` says otherwise: few files are read sooner, and say as much.
        """
        kinds = ("view", "view", "view", "purchase", "purchase", "refund")
        return [self.event(self.rng.choice(kinds), self.moment(first_day, last_day, step)) for _ in range(count)]

    # Files

    def folder(self, events: Iterable[Event], columns: Sequence[str] = VERSION_1) -> Files:
        """The deliveries: each day's file (in UTC) holds what was received on that day, in the order of arrival."""
        days: dict[date, list[Event]] = {}
        for event in sorted(events, key=lambda event: event.received):
            days.setdefault(event.received.date(), []).append(event)
        return {delivery(day): self.file(rows, columns) for day, rows in days.items()}

    def file(self, events: Iterable[Event], columns: Sequence[str] = VERSION_1) -> bytes:
        return lines([",".join(columns), *(self.row(event, columns) for event in events)])

    def row(self, event: Event, columns: Sequence[str] = VERSION_1) -> str:
        """One line of a file with these columns."""
        return ",".join(event.overrides.get(column, self._cell(event, column)) for column in columns)

    def reference(self) -> Files:
        """The three tables that every run is given."""
        people = [
            f"{customer.id},{since},{segment},{customer.name},{customer.email}"
            for customer in self.customers
            for since, segment in customer.segments
        ]
        stores = [f"{store},{zone}" for store, zone in self.stores.items()]
        rates = [f"{day},{currency},{rate / 10**6:.6f}" for day, currency, rate in self.rates]
        return {
            "customers.csv": lines(["customer_id,valid_from,segment,name,email", *people]),
            "stores.csv": lines(["store_id,time_zone", *stores]),
            "rates.csv": lines(["date,currency,eur_per_unit", *rates]),
        }

    def personal(self) -> list[str]:
        """What must not be found outside of the inputs: names, addresses, and the part before the @."""
        secrets = [secret for customer in self.customers for secret in (customer.name, customer.email)]
        return secrets + [customer.email.partition("@")[0] for customer in self.customers]

    def rename(self, identifiers: Sequence[str]) -> None:
        """Give the customers other ids, in their order."""
        self.customers = tuple(
            replace(customer, id=identifier) for customer, identifier in zip(self.customers, identifiers, strict=True)
        )

    def set_segments(self, customer: str, *segments: tuple[date, str]) -> None:
        """Give a customer a history."""
        self.customers = tuple(replace(who, segments=segments) if who.id == customer else who for who in self.customers)

    @property
    def emails(self) -> dict[str, str]:
        return {customer.id: customer.email for customer in self.customers}

    # Drawing

    def _customer(self, identifier: str) -> Customer:
        given, family = ("".join(self.rng.choices(_SYLLABLES, k=count)).capitalize() for count in (2, 3))
        email = f"{given}.{family}{self.rng.randrange(1000, 9999)}@mail.example".lower()
        since = date(self.as_of.year - 1, self.rng.randint(1, 12), self.rng.randint(1, 28))
        return Customer(identifier, f"{given} {family}", email, ((since, self.rng.choice(SEGMENTS)),))

    def _rates(self) -> list[tuple[date, str, int]]:
        """Published on working days only, from well before the first event on; in millionths of a euro."""
        days = [self.as_of + timedelta(days=offset) for offset in range(-HISTORY_DAYS - 14, 15)]
        return [
            (day, currency, round(typical * 10**6 * self.rng.uniform(0.93, 1.07)))
            for day in days
            if day.weekday() < 5
            for currency, typical in TYPICAL_RATE.items()
        ]

    def _cell(self, event: Event, column: str) -> str:
        match column:
            case "event_id" | "store_id" | "type":
                return str(getattr(event, column.removeprefix("event_").removesuffix("_id")))
            case "user_id" | "customer_id":
                return event.customer
            case "occurred_local":
                return event.local or f"{event.at:%Y-%m-%dT%H:%M:%S}"
            case "occurred_at":
                return self._with_offset(event.at)
            case "received_at":
                return f"{event.received:%Y-%m-%dT%H:%M:%SZ}"
            case "amount":
                return "" if event.amount is None else decimal(event.amount, MINOR_DIGITS[event.currency])
            case "amount_minor":
                return "" if event.amount is None else str(event.amount)
            case "channel":
                return self.rng.choice(("app", "web", ""))
            case _:
                return str(getattr(event, column))

    def _with_offset(self, at: datetime) -> str:
        minutes = self.rng.choice((0, 0, 60, 120, -240, 330))
        if minutes == 0:
            return f"{at:%Y-%m-%dT%H:%M:%SZ}"
        sign = "-" if minutes < 0 else "+"
        hours, rest = divmod(abs(minutes), 60)
        return f"{at + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%S}{sign}{hours:02d}:{rest:02d}"


def lines(rows: Sequence[str]) -> bytes:
    """Rows as the bytes of a file, a line feed after each."""
    return ("\n".join(rows) + "\n").encode()


def delivery(day: date) -> str:
    """The name of a day's file."""
    return f"events-{day.isoformat()}.csv"


def decimal(amount: int, digits: int) -> str:
    """An amount of the smallest unit as people write it: 1250 with two digits is 12.50."""
    if digits == 0:
        return str(amount)
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{part:0{digits}d}"


def last_sunday(year: int, month: int) -> date:
    """Of a month with 31 days."""
    end = date(year, month, 31)
    return end - timedelta(days=(end.weekday() + 1) % 7)


def nth_sunday(year: int, month: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (number - 1))
