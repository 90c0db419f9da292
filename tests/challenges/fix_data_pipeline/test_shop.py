"""What is made up holds its traps for every seed, and the large data set is what the oracle says of the whole of it."""

import random
from pathlib import Path
from typing import Any

import pytest

SEEDS = range(40)


@pytest.fixture
def shops(hidden: Any) -> list[Any]:
    return [hidden.shop.Shop(random.Random(seed)) for seed in SEEDS]


def test_the_same_seed_makes_the_same_bytes(hidden: Any) -> None:
    def files() -> Any:
        shop = hidden.shop.Shop(random.Random(3))
        return shop.folder(shop.traffic(50)), shop.reference()

    assert files() == files()


def test_clocks_change_before_the_cutoff_on_three_continents(shops: list[Any], hidden: Any) -> None:
    for shop in shops:
        year = shop.as_of.year
        first = min(day for day, _, _ in shop.rates).toordinal()
        for day in (
            hidden.shop.nth_sunday(year, 3, 2),
            hidden.shop.last_sunday(year, 3),
            hidden.shop.nth_sunday(year, 4, 1),
        ):
            assert day.weekday() == 6
            assert first <= day.toordinal() < shop.as_of.toordinal()


def test_everyday_traffic_is_clean(shops: list[Any], hidden: Any) -> None:
    """So that a check's own trap is the only one in its data set."""
    for shop in shops[:10]:
        events = shop.traffic(200)
        found = hidden.oracle.Oracle(1).expect(shop.folder(events), shop.reference(), shop.as_of)
        assert found.summary["events"] == len(events)
        assert not found.quarantine
        assert all((event.received - event.at).total_seconds() < 600 for event in events)
        assert all(event.currency in ("", "EUR") and event.at.date() == event.received.date() for event in events)


def test_every_currency_has_a_rate_before_the_first_event_and_none_on_weekends(shops: list[Any], hidden: Any) -> None:
    for shop in shops:
        first = shop.as_of.toordinal() - hidden.shop.HISTORY_DAYS
        for currency in hidden.shop.TYPICAL_RATE:
            days = [day for day, name, _ in shop.rates if name == currency]
            assert min(days).toordinal() < first
            assert {day.weekday() for day in days} == set(range(5))


def test_both_versions_say_the_same(hidden: Any) -> None:
    shop = hidden.shop.Shop(random.Random(4))
    events = shop.traffic(150)
    answers = [
        hidden.oracle.Oracle(1).expect(shop.folder(events, columns), shop.reference(), shop.as_of)
        for columns in (hidden.shop.VERSION_1, hidden.shop.VERSION_2)
    ]
    assert answers[0] == answers[1]


def test_secrets_are_found_in_the_inputs(hidden: Any) -> None:
    shop = hidden.shop.Shop(random.Random(5))
    inputs = b"".join([*shop.folder(shop.traffic(300)).values(), *shop.reference().values()])
    assert all(secret.encode() in inputs for secret in shop.personal())


def test_what_is_right_for_the_large_set_follows_from_its_block(hidden: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Two copies of a smaller block, asked about as a whole."""
    monkeypatch.setattr(hidden.large, "BLOCK_ROWS", 2_000)
    monkeypatch.setattr(hidden.large, "BLOCK_CUSTOMERS", 40)
    oracle = hidden.oracle.Oracle(7)
    made = hidden.large.make_large_set(7, tmp_path, oracle.expect, copies=2)
    events, reference = (
        {path.name: path.read_bytes() for path in folder.iterdir()} for folder in (made.events, made.reference)
    )
    whole = oracle.expect(events, reference, made.as_of)
    assert made.features_csv == whole.features_csv
    assert made.summary == whole.summary
    assert tuple(made.features) == whole.features
    assert {row["label"] for row in made.features} == {"0", "1"}
    assert made.summary["rows"] == 4_000
    assert min(made.summary["duplicates"], made.summary["quarantined"]) > 0
    headers = {content.split(b"\n")[0] for content in events.values()}
    assert headers == {",".join(columns).encode() for columns in (hidden.shop.VERSION_1, hidden.shop.VERSION_2)}


def test_the_large_set_fits_into_what_a_run_may_leave(hidden: Any) -> None:
    row_bytes = 110
    assert hidden.large.COPIES * hidden.large.BLOCK_CUSTOMERS * row_bytes < 6 * 1024**2
    assert hidden.large.COPIES * hidden.large.BLOCK_ROWS == 2_000_000
