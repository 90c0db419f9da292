"""The reference tables: customers and their segments over time, stores and their zones, exchange rates."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from problems import UnusableInput

EURO = "EUR"
DEFAULT_DIGITS = 2
DIGITS: dict[str, int] = {}  # Fault: every currency has two digits.
"""Digits after the point, where they are not two."""

MICROS = 10**6
"""Rates have six digits, and are kept as whole millionths: sums of money are exact that way."""


@dataclass(frozen=True)
class Reference:
    customers: pl.DataFrame  # customer_id, customer (its number, in the order of the ids)
    segments: pl.DataFrame  # customer_id, valid_from, segment
    stores: pl.DataFrame  # store_id, time_zone
    currencies: pl.DataFrame  # currency, digits
    rates: pl.DataFrame  # currency, day, micros; by day


def read_reference(folder: Path) -> Reference:
    """Raises UnusableInput when a table is missing, or is not what it should be."""
    # Customers' names and addresses are not even read.
    segments = _table(folder / "customers.csv", ["customer_id", "valid_from", "segment"])
    segments = segments.with_columns(pl.col("valid_from").str.to_date("%Y-%m-%d"))
    stores = _table(folder / "stores.csv", ["store_id", "time_zone"]).unique("store_id")
    published = _table(folder / "rates.csv", ["date", "currency", "eur_per_unit"])
    names = [EURO, *published["currency"].unique().sort()]
    currencies = pl.DataFrame({"currency": names, "digits": [DIGITS.get(name, DEFAULT_DIGITS) for name in names]})
    customers = segments.select(pl.col("customer_id").unique().sort()).with_row_index("customer")
    return Reference(customers, segments, stores, currencies, _rates(published))


def _rates(published: pl.DataFrame) -> pl.DataFrame:
    """In whole millionths of a euro. Of two lines for one day the later one is a correction."""
    rates = published.select(
        "currency",
        day=pl.col("date").str.to_date("%Y-%m-%d"),
        micros=(pl.col("eur_per_unit").str.to_decimal(scale=6) * MICROS).cast(pl.Int64),
    )
    euro = pl.DataFrame({"currency": [EURO], "day": [date.min], "micros": [MICROS]})
    return pl.concat([euro, rates]).unique(["currency", "day"], keep="last", maintain_order=True).sort("day")


def _table(path: Path, columns: list[str]) -> pl.DataFrame:
    """All columns as text: ids are names, not numbers."""
    if not path.is_file():
        raise UnusableInput(f"{path.name}: is missing from the reference tables")
    try:
        return pl.read_csv(path, columns=columns, infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError as error:
        raise UnusableInput(f"{path.name}: is not a table with the columns {', '.join(columns)}") from error
