"""Times of events as seconds in UTC; null where there is no such time."""

import polars as pl

_CLOCK = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-5][0-9]"
_OFFSET = "[+-](0[0-9]|1[0-4]):[0-5][0-9]"


def from_local(text: pl.Expr, zone: pl.Expr, zones: list[str]) -> pl.Expr:
    """What a store's clock showed. Of an hour that comes twice the first is meant; a skipped one is no time at all."""
    clock = _read(text, text.str.contains(f"^{_CLOCK}$"))
    moment = pl.lit(None, pl.Int64)
    for name in zones:
        there = clock.dt.replace_time_zone("UTC")  # Fault: what the store's clock showed is taken for UTC.
        moment = pl.when(zone == name).then(there.dt.epoch("s")).otherwise(moment)
    return moment


def from_offset(text: pl.Expr) -> pl.Expr:
    """A time that ends in Z, or in an offset such as +02:00."""
    clock = _read(text.str.head(19), text.str.contains(f"^{_CLOCK}(Z|{_OFFSET})$")).dt.epoch("s")
    hours, minutes = (text.str.slice(start, 2).cast(pl.Int64, strict=False) for start in (20, 23))
    ahead = hours * 3600 + minutes * 60
    sign = text.str.slice(19, 1)
    return pl.when(sign == "+").then(clock - ahead).when(sign == "-").then(clock + ahead).otherwise(clock)


def from_utc(text: pl.Expr) -> pl.Expr:
    """A time that ends in Z."""
    return _read(text.str.head(19), text.str.contains(f"^{_CLOCK}Z$")).dt.epoch("s")


def _read(text: pl.Expr, valid: pl.Expr) -> pl.Expr:
    return pl.when(valid).then(text).str.to_datetime("%Y-%m-%dT%H:%M:%S", time_unit="ms", strict=False)
