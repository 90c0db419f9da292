"""Amounts: from what stands in a row to whole euro cents, without a float on the way."""

import polars as pl

from reference import DEFAULT_DIGITS, Reference

_MOST_DIGITS = 3


def minor_units(columns: list[str]) -> pl.Expr:
    """The amount in the smallest unit of the row's currency (`digits`); null where it is malformed, or not known."""
    if "amount_minor" in columns:
        return _whole(pl.col("amount_minor"), "^[0-9]{1,9}$")
    whole, point, part = (pl.col("amount").str.extract(r"^([0-9]{1,7})(?:(\.)([0-9]{1,3}))?$", group) for group in (1, 2, 3))
    fits = pl.when(point.is_null()).then(True).otherwise(part.str.len_bytes() <= pl.col("digits"))
    scale = pl.lit(10, pl.Int64).pow(pl.col("digits"))
    small = part.fill_null("").str.pad_end(_MOST_DIGITS, "0").cast(pl.Int64) * scale // 10**_MOST_DIGITS
    return pl.when(fits).then(whole.cast(pl.Int64) * scale + small)


def with_euro_cents(rows: pl.DataFrame, reference: Reference) -> pl.DataFrame:
    """Adds `cents`, at the rate of the event's day or the last one before it; half a cent is rounded up."""
    day = pl.from_epoch("at", "s").dt.date()
    # Fault: the newest rate is used for all days.
    newest = reference.rates.unique("currency", keep="last", maintain_order=True).drop("day")
    rated = rows.with_columns(day=day).join(newest, on="currency", how="left")
    divisor = pl.lit(10, pl.Int64).pow(pl.col("digits") - DEFAULT_DIGITS + 6)
    return rated.with_columns(cents=(pl.col("minor") * pl.col("micros") + divisor // 2) // divisor)


def _whole(text: pl.Expr, pattern: str) -> pl.Expr:
    return pl.when(text.str.contains(pattern)).then(text).cast(pl.Int64)


def euros(cents: pl.Expr) -> pl.Expr:
    """As people write it: 12.50."""
    return pl.format("{}.{}", cents // 100, (cents % 100).cast(pl.String).str.zfill(2))
