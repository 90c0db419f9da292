"""Bad rows, odd bytes, and two versions of the files."""

from dataclasses import replace
from datetime import timedelta

import pytest
from shop import VERSION_1, VERSION_2, Shop, delivery

DAY = timedelta(days=1)


@pytest.fixture
def spoilt():
    """One row for each reason that a row of text can have, as (reason, column, what stands there)."""

    def make(rng):
        return [
            ("bad_event_id", "event_id", rng.choice(("", "e12", "12.0", "0123", "-5"))),
            ("unknown_customer", "user_id", rng.choice(("", "404", "99999999999"))),
            ("unknown_store", "store_id", rng.choice(("", "s99", "S01"))),
            ("bad_type", "type", rng.choice(("", "click", "Purchase"))),
            ("bad_time", "occurred_local", rng.choice(("", "2026-02-30T10:00:00", "yesterday", "2026-03-01 10:00:00"))),
            ("bad_time", "received_at", rng.choice(("", "2026-03-01T10:00:00", "2026-13-01T10:00:00Z"))),
            ("unknown_currency", "currency", rng.choice(("", "XXX", "eur"))),
            ("bad_amount", "amount", rng.choice(("-5.00", "NaN", "1e3", "12.345", "$12", "12."))),
        ]

    return make


@pytest.mark.check("quarantine-reasons", points=4, skill="data-quality", visibility="public")
def test_quarantine_reasons(pipeline, rng, spoilt):
    """Every bad row is in quarantine, with its file, its line and the reason; no good one is."""
    shop = Shop(rng)
    events = shop.traffic(300)
    for _, column, text in spoilt(rng):
        at = shop.moment(-30, -1)
        events.append(shop.event("purchase", at, overrides={column: text}))
    folder = shop.folder(events)
    cut = shop.row(shop.event("view", shop.moment(-9, -9)))
    for name, line in ((min(folder), cut.rpartition(",")[0]), (max(folder), cut + ",x")):
        folder[name] += line.encode() + b"\n"
    expected = pipeline.expect(shop, folder)
    reasons = {reason for _, _, reason in expected.quarantine}
    if len(expected.quarantine) != 10 or len(reasons) != 8:
        raise RuntimeError("the scenario does not hold every reason")
    pipeline.quarantine(pipeline.built(shop, folder), expected)


@pytest.mark.check("first-reason-counts", points=2, skill="data-quality", visibility="hidden")
def test_first_reason_counts(pipeline, rng, spoilt):
    """A row with several faults is there once, for the first of the reasons in the brief's order."""
    shop = Shop(rng)
    events = shop.traffic(200)
    faults = spoilt(rng)
    for first, (_, column, text) in enumerate(faults[:-1]):
        _, later, wrong = rng.choice(faults[first + 1 :])
        events.append(shop.event("purchase", shop.moment(-30, -1), overrides={column: text, later: wrong}))
    folder = shop.folder(events)
    pipeline.quarantine(pipeline.built(shop, folder), pipeline.expect(shop, folder))


@pytest.mark.check("good-rows-stay", points=2, skill="data-quality", visibility="hidden")
def test_good_rows_stay(pipeline, rng, spoilt, counts):
    """Bad rows neither count nor take good ones with them."""
    shop = Shop(rng)
    events = shop.traffic(300)
    for _, column, text in spoilt(rng) * 3:
        events.append(shop.event("purchase", shop.moment(-20, -1), overrides={column: text}))
    # A bad version of a good event does not replace it.
    again = rng.sample([event for event in events if not event.overrides], 5)
    events += [replace(event, received=event.received + DAY, overrides={"store_id": ""}) for event in again]
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), counts)


@pytest.mark.check("odd-bytes", points=2, skill="data-quality", visibility="hidden")
def test_odd_bytes(pipeline, rng, counts):
    """Bytes that are not UTF-8 spoil their own line only, and a quotation mark means nothing."""
    shop = Shop(rng)
    folder = shop.folder(shop.traffic(250))
    days = sorted(folder)
    broken = shop.row(shop.event("purchase", shop.moment(-9, -9), email="m\u00fcller@mail.example")).encode("latin-1")
    quoted = [
        shop.row(shop.event("purchase", shop.moment(-5, -3), email=text)).encode()
        for text in ('"ann@mail.example', 'o"brien@mail.example', "zo\u00eb@mail.example", '"')
    ]
    for name in (days[0], days[len(days) // 2], days[-1]):
        header, *rows = folder[name].removesuffix(b"\n").split(b"\n")
        rows = [broken, *rows, *quoted, broken]
        folder[name] = b"\n".join([header, *rows]) + b"\n"
        quoted = [row.replace(row.split(b",")[0], row.split(b",")[0] + b"%d" % days.index(name)) for row in quoted]
    expected = pipeline.expect(shop, folder)
    result = pipeline.built(shop, folder)
    pipeline.features(result, expected, counts)
    pipeline.quarantine(result, expected)


@pytest.mark.check("both-versions", points=4, skill="data-quality", visibility="hidden")
def test_both_versions(pipeline, rng, counts, money):
    """Files of both versions are read by the names of their columns, wherever these stand and whatever else does."""
    shop = Shop(rng)
    events = shop.traffic(300)
    turn, twist = shop.cutoff - 20 * DAY, shop.cutoff - 10 * DAY
    shuffled = rng.sample([*VERSION_2, "email"][: len(VERSION_2)], len(VERSION_2))
    folder = shop.folder((event for event in events if event.received < turn), VERSION_1)
    folder |= shop.folder((event for event in events if turn <= event.received < twist), VERSION_2)
    folder |= shop.folder((event for event in events if event.received >= twist), shuffled)
    pipeline.features(
        pipeline.built(shop, folder), pipeline.expect(shop, folder), (*counts, *money, "last_purchase_at")
    )


@pytest.mark.check("numbers-add-up", points=1, skill="data-quality", visibility="after")
def test_numbers_add_up(pipeline, rng):
    """The summary accounts for every row: taken in, repeated, or in quarantine."""
    shop = Shop(rng)
    events = shop.traffic(200)
    events += [replace(event, received=event.received + DAY) for event in rng.sample(events, 25)]
    events += [shop.event("view", shop.moment(-9, -1), overrides={"store_id": "s99"}) for _ in range(9)]
    folder = shop.folder(events)
    folder["events-latest.csv"] = folder[min(folder)]
    folder[f"{delivery(shop.as_of)}.part"] = folder[min(folder)]
    expected = pipeline.expect(
        shop, {name: content for name, content in folder.items() if name[7].isdigit() and name.endswith(".csv")}
    )
    pipeline.summary(pipeline.built(shop, folder), expected)
