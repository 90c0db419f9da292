"""The oracle against cases that were worked out by hand, and against other people's clocks."""

import os
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

AS_OF = date(2026, 4, 10)
OLD = "event_id,user_id,store_id,type,occurred_local,amount,currency,email,received_at"
NEW = "received_at,event_id,type,customer_id,channel,store_id,occurred_at,currency,amount_minor,email"
REFERENCE = {
    "customers.csv": b"customer_id,valid_from,segment,name,email\n"
    b"007,2025-01-01,basic,A,a@x\n007,2026-04-11,family,A,a@x\n007,2026-03-01,plus,A,a@x\n"
    b"8,2026-04-10,basic,B,b@x\n9,2026-04-11,basic,C,c@x\n",
    "stores.csv": b"store_id,time_zone\nb,Europe/Berlin\nu,UTC\n",
    "rates.csv": b"date,currency,eur_per_unit\n2026-03-02,USD,0.500000\n2026-03-02,JPY,0.006000\n"
    b"2026-03-02,KWD,3.000000\n2026-04-02,USD,0.700000\n2026-04-02,USD,0.800000\n",
}


@pytest.fixture
def expect(hidden: Any) -> Any:
    """What the oracle says about rows of a version 1 file, or of whole files."""

    def ask(*rows: str, files: dict[str, bytes] | None = None) -> Any:
        given = files or {"events-2026-04-09.csv": "\n".join([OLD, *rows, ""]).encode()}
        return hidden.oracle.Oracle(1).expect(given, REFERENCE, AS_OF)

    return ask


def row(
    identifier: int,
    kind: str,
    occurred: str,
    amount: str = "",
    currency: str = "EUR",
    *,
    store: str = "u",
    received: int = 0,
) -> str:
    return f"{identifier},007,{store},{kind},{occurred},{amount},{currency},a@x,2026-04-09T10:00:{received:02d}Z"


def of_007(answer: Any) -> dict[str, str]:
    return next(row for row in answer.features if row["customer_id"] == "007")


def test_who_is_a_customer_and_in_which_segment(expect: Any) -> None:
    found = expect(row(1, "view", "2026-04-01T10:00:00"))
    assert [(line["customer_id"], line["segment"]) for line in found.features] == [("007", "plus"), ("8", "basic")]
    assert found.features[1] == {
        **dict.fromkeys(("purchases_28d", "views_7d", "active_days_28d"), "0"),
        **dict.fromkeys(("spend_28d_eur", "refunds_28d_eur"), "0.00"),
        **dict.fromkeys(("avg_order_28d_eur", "last_purchase_at", "label"), ""),
        "customer_id": "8",
        "segment": "basic",
    }


def test_windows_begin_with_their_first_second_and_end_before_the_cutoff(expect: Any) -> None:
    found = of_007(
        expect(
            row(1, "purchase", "2026-03-12T23:59:59", "1"),
            row(2, "purchase", "2026-03-13T00:00:00", "2"),
            row(3, "purchase", "2026-04-10T00:00:00", "4"),
            row(4, "view", "2026-04-03T00:00:00"),
            row(5, "view", "2026-04-02T23:59:59"),
            row(6, "view", "2026-04-10T00:00:00"),
        )
    )
    assert (found["purchases_28d"], found["spend_28d_eur"], found["views_7d"]) == ("1", "2.00", "1")
    assert found["active_days_28d"] == "3"
    assert found["last_purchase_at"] == "2026-03-13T00:00:00Z"


def test_amounts_become_euros_at_the_last_rate_that_was_published(expect: Any) -> None:
    found = of_007(
        expect(
            row(1, "purchase", "2026-04-01T10:00:00", "0.01", "USD"),  # half a cent is one
            row(2, "purchase", "2026-04-05T10:00:00", "10.1", "USD"),  # at the corrected rate: 8.08
            row(3, "purchase", "2026-04-05T10:00:00", "1000", "JPY"),  # 6.00
            row(4, "refund", "2026-04-05T10:00:00", "1.005", "KWD"),  # 3.015, rounded up
        )
    )
    assert (found["spend_28d_eur"], found["avg_order_28d_eur"], found["refunds_28d_eur"]) == ("14.09", "4.70", "3.02")


def test_an_unknown_amount_is_not_zero(expect: Any) -> None:
    none_known = of_007(expect(row(1, "purchase", "2026-04-01T10:00:00"), row(2, "refund", "2026-04-01T10:00:00")))
    assert (none_known["purchases_28d"], none_known["spend_28d_eur"]) == ("1", "")
    assert (none_known["avg_order_28d_eur"], none_known["refunds_28d_eur"]) == ("", "")
    one_known = of_007(
        expect(row(1, "purchase", "2026-04-01T10:00:00"), row(2, "purchase", "2026-04-01T10:00:00", "7"))
    )
    assert (one_known["purchases_28d"], one_known["spend_28d_eur"], one_known["avg_order_28d_eur"]) == (
        "2",
        "7.00",
        "7.00",
    )


def test_the_version_that_was_received_last_is_the_event(expect: Any) -> None:
    found = expect(
        row(1, "purchase", "2026-04-01T10:00:00", "5", received=9),
        row(1, "purchase", "2026-04-01T10:00:00", "6", received=3),
        row(2, "view", "2026-04-01T10:00:00"),
    )
    assert of_007(found)["spend_28d_eur"] == "5.00"
    assert found.summary == {
        "as_of": "2026-04-10",
        "files": 1,
        "rows": 3,
        "quarantined": 0,
        "duplicates": 1,
        "events": 2,
    }


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (row(1, "purchase", "2026-04-01T10:00:00", "5") + ",", "field_count"),
        (row(0, "purchase", "2026-04-01T10:00:00", "5"), "bad_event_id"),
        (row(1, "view", "2026-04-01T10:00:00").replace("007", "7"), "unknown_customer"),
        (row(1, "view", "2026-04-01T10:00:00", store="x"), "unknown_store"),
        (row(1, "buy", "2026-04-01T10:00:00"), "bad_type"),
        (row(1, "view", "2026-04-01T10:00:00Z"), "bad_time"),
        (row(1, "view", "2026-04-01T10:00:00").removesuffix("Z"), "bad_time"),
        (row(1, "view", "2026-03-29T02:30:00", store="b"), "bad_time"),
        (row(1, "purchase", "2026-04-01T10:00:00", "x", "GBP"), "unknown_currency"),
        (row(1, "purchase", "2026-04-01T10:00:00", "12.345"), "bad_amount"),
        (row(1, "purchase", "2026-04-01T10:00:00", "12.0", "JPY"), "bad_amount"),
        (row(1, "purchase", "2026-04-01T10:00:00", "12345678"), "bad_amount"),
    ],
)
def test_bad_rows_have_a_reason(expect: Any, line: str, reason: str) -> None:
    found = expect(row(5, "view", "2026-04-01T10:00:00"), line)
    assert found.quarantine == (("events-2026-04-09.csv", 3, reason),)
    assert found.summary["events"] == 1


def test_what_a_view_says_of_money_means_nothing(expect: Any) -> None:
    assert expect(row(1, "view", "2026-04-01T10:00:00", "lots", "GBP")).quarantine == ()


def test_version_2_has_offsets_and_the_smallest_unit(expect: Any) -> None:
    line = "2026-04-09T10:00:00Z,5,purchase,007,app,b,2026-04-01T01:30:00+05:30,EUR,1250,a@x"
    bad = line.replace(",5,", ",6,").replace("1250", "12.50").encode() + b"\n\xff" + line.encode()
    found = expect(files={"events-2026-04-09.csv": f"{NEW}\n{line}\n".encode() + bad + b"\n"})
    assert of_007(found)["spend_28d_eur"] == "12.50"
    assert of_007(found)["last_purchase_at"] == "2026-03-31T20:00:00Z"
    assert [(number, reason) for _, number, reason in found.quarantine] == [(3, "bad_amount"), (4, "not_utf8")]


def test_a_label_is_known_once_the_seventh_day_is_delivered(expect: Any) -> None:
    early = f"{OLD}\n{row(1, 'purchase', '2026-04-16T23:59:59', '5')}\n".encode()
    late = early.replace(b"2026-04-16T23:59:59", b"2026-04-17T00:00:00")
    assert of_007(expect(files={"events-2026-04-16.csv": early}))["label"] == ""
    assert of_007(expect(files={"events-2026-04-17.csv": early}))["label"] == "1"
    assert of_007(expect(files={"events-2026-04-17.csv": late}))["label"] == "0"


def test_more_than_a_tenth_is_too_bad(expect: Any) -> None:
    good = [row(index, "view", "2026-04-01T10:00:00") for index in range(1, 10)]
    bad = row(99, "?", "2026-04-01T10:00:00")
    assert not expect(*good, bad).too_bad
    assert expect(*good, bad, bad).too_bad


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"])
def test_clocks_are_those_of_the_time_zone_database(hidden: Any, zone: str) -> None:
    try:
        truth = ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        if os.environ.get("CI"):
            pytest.fail("CI must have a time zone database: apt-get install tzdata")
        pytest.skip("this host has no time zone database")
    for year in (2023, 2024, 2025, 2026):
        shown = datetime(year, 2, 20, 0, 15, tzinfo=UTC)
        while shown.date() < date(year, 4, 20):
            local = shown.replace(tzinfo=truth)
            moment = local.astimezone(UTC)
            skipped = moment.astimezone(truth).replace(tzinfo=None) != shown.replace(tzinfo=None)
            if skipped:
                with pytest.raises(hidden.oracle.BadRow):
                    hidden.oracle.to_utc(shown, zone)
            else:
                assert hidden.oracle.to_utc(shown, zone) == moment, shown
            shown += timedelta(minutes=30)


def test_moments_of_an_hour_that_comes_twice_are_the_first(hidden: Any) -> None:
    shown = [datetime(2026, 4, 5, hour, 30, tzinfo=UTC) for hour in (1, 2, 3)]
    moments = [hidden.oracle.to_utc(moment, "Australia/Sydney") for moment in shown]
    assert [later - earlier for earlier, later in pairwise(moments)] == [timedelta(hours=1), timedelta(hours=2)]
