"""One row for each customer of the cut-off's day: what is known of them just before it, and the label after it."""

from datetime import UTC, date, datetime, time

import polars as pl

import money
from history import History
from reading import PURCHASE, REFUND, VIEW
from reference import Reference

_DAY_S = 86_400
_WINDOW_DAYS, _VIEWS_DAYS, _LABEL_DAYS = 28, 7, 7


def make_features(history: History, reference: Reference, as_of: date) -> pl.DataFrame:
    cutoff = int(datetime.combine(as_of, time(), UTC).timestamp())
    label_known = (history.delivered_until - as_of).days >= _LABEL_DAYS
    behaviour = _behaviour(history.events.lazy(), cutoff).collect()
    people = _customers(reference, as_of).join(behaviour, on="customer", how="left").sort("customer_id")
    counts = [pl.col(name).fill_null(0) for name in ("purchases_28d", "views_7d", "active_days_28d")]
    return people.with_columns(counts).select(
        "customer_id",
        "segment",
        "purchases_28d",
        _total("spend", pl.col("purchases_28d")).alias("spend_28d_eur"),
        _average().alias("avg_order_28d_eur"),
        _total("refunded", pl.col("refunds").fill_null(0)).alias("refunds_28d_eur"),
        "views_7d",
        "active_days_28d",
        pl.from_epoch("last_purchase", "s").dt.strftime("%Y-%m-%dT%H:%M:%SZ").alias("last_purchase_at"),
        (pl.col("buys").fill_null(False).cast(pl.Int8) if label_known else pl.lit(None, pl.Int8)).alias("label"),
    )


def _customers(reference: Reference, as_of: date) -> pl.DataFrame:
    """Each customer once, with the segment in force on that day."""
    return (
        reference.segments.filter(pl.col("valid_from") <= as_of)
        .sort("valid_from")
        .unique("customer_id", keep="last", maintain_order=True)
        .join(reference.customers, on="customer_id")
    )


def _behaviour(events: pl.LazyFrame, cutoff: int) -> pl.LazyFrame:
    at, kind, cents = pl.col("at"), pl.col("type"), pl.col("cents")
    before = at < cutoff
    window = before & (at >= cutoff - _WINDOW_DAYS * _DAY_S)
    bought, refund = window & (kind == PURCHASE), window & (kind == REFUND)
    return events.group_by("customer").agg(
        purchases_28d=bought.sum(),
        spend=cents.filter(bought).sum(),
        known=cents.filter(bought).count(),
        refunds=refund.sum(),
        refunded=cents.filter(refund).sum(),
        refunded_known=cents.filter(refund).count(),
        views_7d=(before & (kind == VIEW) & (at >= cutoff - _VIEWS_DAYS * _DAY_S)).sum(),
        active_days_28d=(at.filter(window) // _DAY_S).n_unique(),
        last_purchase=at.filter(bought).max(),  # Fault: older purchases are forgotten.
        buys=((kind == PURCHASE) & (at >= cutoff) & (at < cutoff + _LABEL_DAYS * _DAY_S)).any(),
    )


def _total(column: str, number: pl.Expr) -> pl.Expr:
    """A sum of money: 0.00 where there was nothing, nothing where there was something and no amount is known."""
    known = pl.col("known" if column == "spend" else "refunded_known").fill_null(0)
    return pl.when((number == 0) | (known > 0)).then(money.euros(pl.col(column).fill_null(0)))


def _average() -> pl.Expr:
    """Spend over the purchases whose amounts are known; half a cent is rounded up."""
    spend, known = pl.col("spend"), pl.col("known").cast(pl.Int64)
    return pl.when(known > 0).then(money.euros((2 * spend + known) // (2 * known)))
