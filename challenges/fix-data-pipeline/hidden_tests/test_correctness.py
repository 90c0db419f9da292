"""The features and the label themselves: windows, clocks, money, ids, customers."""

from datetime import datetime, time, timedelta

import pytest
from shop import UTC, VERSION_1, Shop, last_sunday, nth_sunday

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
EVERYTHING = (
    *("segment", "purchases_28d", "spend_28d_eur", "avg_order_28d_eur", "refunds_28d_eur"),
    *("views_7d", "active_days_28d", "last_purchase_at"),
)


@pytest.mark.check("everyday-features", points=5, skill="correctness", visibility="public")
def test_everyday_features(pipeline, rng):
    """On clean data of one shop, every feature of every customer is right."""
    shop = Shop(rng)
    former = shop.any_customer()  # who bought something before the window, and nothing since
    events = [event for event in shop.traffic(400) if (event.customer, event.type) != (former, "purchase")]
    events = shop.folder([*events, shop.event("purchase", shop.moment(-34, -30), former)])
    pipeline.features(pipeline.built(shop, events), pipeline.expect(shop, events), EVERYTHING)


@pytest.mark.check("window-edges", points=3, skill="correctness", visibility="hidden")
def test_window_edges(pipeline, rng, counts):
    """A window begins with its first second, and ends just before the cut-off."""
    shop = Shop(rng)
    edges = [shop.cutoff - 28 * DAY, shop.cutoff - 7 * DAY, shop.cutoff]
    events = shop.traffic(60)
    for edge in edges:
        for moment in (edge - SECOND, edge):
            events += [
                shop.event(kind, moment, shop.any_customer(), received=moment + DAY)
                for kind in ("purchase", "view", "refund", "view")
            ]
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), (*counts, "last_purchase_at"))


@pytest.mark.check("nothing-from-the-future", points=5, skill="correctness", visibility="hidden")
def test_nothing_from_the_future(pipeline, rng):
    """What happened after the cut-off changes the label of the seven days after it, and nothing else."""
    shop = Shop(rng)
    events = shop.traffic(200) + shop.traffic(200, first_day=0, last_day=11)
    buyer, late_buyer, viewer = rng.sample([customer.id for customer in shop.customers], 3)
    after = [event for event in events if event.at >= shop.cutoff and event.customer in (buyer, late_buyer, viewer)]
    events = [event for event in events if event not in after]
    events.append(shop.event("purchase", shop.cutoff + timedelta(hours=3), buyer))
    events.append(shop.event("purchase", shop.cutoff + 7 * DAY, late_buyer))
    events.append(shop.event("view", shop.cutoff + 2 * DAY, viewer))
    folder = shop.folder(events)
    expected = pipeline.expect(shop, folder)
    labels = {row["customer_id"]: row["label"] for row in expected.features}
    if (labels[buyer], labels[late_buyer], labels[viewer]) != ("1", "0", "0"):
        raise RuntimeError("the scenario holds no customer of each kind")
    pipeline.features(pipeline.built(shop, folder), expected, (*EVERYTHING, "label"))


@pytest.mark.check("label-only-when-known", points=2, skill="correctness", visibility="after")
def test_label_only_when_known(pipeline, rng):
    """Before the seventh day's file is there, nobody has a label; from then on everybody has one."""
    shop = Shop(rng)
    events = shop.traffic(100)
    for day in range(7):
        at = shop.cutoff + day * DAY + timedelta(hours=12)
        events += [shop.event("purchase", at), shop.event("view", at)]
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), ("label",))
    events.append(shop.event("view", shop.cutoff + 7 * DAY + timedelta(hours=12)))
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), ("label",))


@pytest.mark.check("local-times", points=4, skill="correctness", visibility="hidden")
def test_local_times(pipeline, rng, counts):
    """What a store's own clock showed is turned into UTC, for stores on four continents."""
    shop = Shop(rng, zones=("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"))
    offsets = {"Europe/Berlin": 2, "America/New_York": -4, "Asia/Kolkata": 5.5, "Australia/Sydney": 10}
    events = []
    for index in range(120):
        store = rng.choice(sorted(shop.stores))
        # Of the last days before the cut-off, when no clock changed, at all hours.
        at = shop.cutoff - timedelta(days=1, hours=rng.randrange(0, 40), seconds=rng.randrange(3600))
        at = max(at, datetime.combine(nth_sunday(at.year, 4, 1), time(20), UTC)) + timedelta(seconds=index)
        shown = at + timedelta(hours=offsets[shop.stores[store]])
        kind = rng.choice(("purchase", "view"))
        events.append(shop.event(kind, at, store=store, local=f"{shown:%Y-%m-%dT%H:%M:%S}"))
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), (*counts, "last_purchase_at"))


@pytest.mark.check("clock-changes", points=3, skill="correctness", visibility="hidden")
def test_clock_changes(pipeline, rng, counts):
    """Of an hour that a clock showed twice the first counts, and a time it never showed is quarantined."""
    shop = Shop(rng, customers=40, zones=("Europe/Berlin", "America/New_York", "Australia/Sydney"))
    year = shop.as_of.year
    changes = {"s01": last_sunday(year, 3), "s02": nth_sunday(year, 3, 2), "s03": nth_sunday(year, 4, 1)}
    customers = iter(shop.customers)
    events = [shop.event("view", shop.moment(-28, -1)) for _ in range(80)]
    for store, day in changes.items():
        for hour in (0, 1, 2, 3, 4):
            for _ in range(2):
                local = f"{day}T{hour:02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
                at = datetime.combine(day, time(12), UTC) - DAY
                events.append(
                    shop.event("purchase", at, next(customers).id, store=store, local=local, received=at + 2 * DAY)
                )
    folder = shop.folder(events, VERSION_1)
    expected = pipeline.expect(shop, folder)
    if [reason for _, _, reason in expected.quarantine] != ["bad_time"] * 4:
        raise RuntimeError("the scenario should hold four times that no clock showed")
    result = pipeline.built(shop, folder)
    pipeline.features(result, expected, (*counts, "last_purchase_at"))
    pipeline.quarantine(result, expected)


@pytest.mark.check("currency-digits", points=2, skill="correctness", visibility="hidden")
def test_currency_digits(pipeline, rng, money):
    """Amounts are converted to euros, also of currencies with no digits after the point, or with three."""
    shop = Shop(rng)
    events = []
    for _ in range(150):
        currency = rng.choice(("EUR", "USD", "JPY", "KWD"))
        at = shop.moment(-28, -1)
        while at.weekday() > 4:
            at -= DAY
        amount = rng.randrange(1000, 400_000)
        events.append(shop.event(rng.choice(("purchase", "refund")), at, amount=amount, currency=currency))
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), money)


@pytest.mark.check("rates-of-the-day", points=3, skill="correctness", visibility="hidden")
def test_rates_of_the_day(pipeline, rng, money):
    """The rate is that of the event's day: the corrected one where it was corrected, the last one on weekends."""
    shop = Shop(rng)
    events = [
        shop.event(
            rng.choice(("purchase", "refund")),
            shop.moment(-28, -1),
            amount=rng.randrange(50_000, 900_000),
            currency=rng.choice(("USD", "GBP")),
        )
        for _ in range(150)
    ]
    wrong = [(day, currency, rate * 11 // 10) for day, currency, rate in rng.sample(shop.rates, 40)]
    shop.rates = wrong + shop.rates
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), money)


@pytest.mark.check("money-is-exact", points=2, skill="correctness", visibility="hidden")
def test_money_is_exact(pipeline, rng, money):
    """Sums of money are right to the cent, each amount and each average rounded half up."""
    shop = Shop(rng, customers=6)
    halves = [day for day, currency, _ in shop.rates if currency == "USD"]
    shop.rates = [(day, currency, 500_000 if currency == "USD" else rate) for day, currency, rate in shop.rates]
    events = shop.traffic(500)
    for day in halves:
        if shop.as_of - 28 * DAY <= day < shop.as_of:
            at = datetime.combine(day, time(12), UTC)
            # An odd number of cents at a rate of one half: each is half a cent that is rounded up.
            events += [shop.event("purchase", at, amount=rng.randrange(1, 999, 2), currency="USD") for _ in range(8)]
    one = shop.customers[0].id
    events += [shop.event("purchase", shop.moment(-20, -2), one, amount=amount) for amount in (10, 20, 70, 110, 35)]
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), money, exact=True)


@pytest.mark.check("unknown-amounts", points=3, skill="correctness", visibility="after")
def test_unknown_amounts(pipeline, rng, money):
    """A purchase whose amount is unknown counts as a purchase, and neither as nothing spent nor in the average."""
    shop = Shop(rng)
    none_known, some_known, refunded = (customer.id for customer in shop.customers[:3])
    others = [event for event in shop.traffic(150) if event.customer not in (none_known, some_known, refunded)]
    events = [*others, shop.event("purchase", shop.moment(-20, -2), some_known)]
    events += [
        shop.event("purchase", shop.moment(-20, -2), who, amount=None) for who in (none_known, none_known, some_known)
    ]
    events.append(shop.event("refund", shop.moment(-20, -2), refunded, amount=None))
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), ("purchases_28d", *money))


@pytest.mark.check("ids-are-names", points=4, skill="correctness", visibility="hidden")
def test_ids_are_names(pipeline, rng, counts):
    """Ids keep their zeros, and are told apart by their last digit however long they are."""
    shop = Shop(rng)
    first = rng.randrange(9 * 10**18, 9 * 10**18 + 10**15) // 100 * 100
    long = [str(first + index) for index in range(12)]
    shop.rename([*long, *(f"00{index:05d}" for index in rng.sample(range(10**5), 12))])
    events = shop.traffic(300)
    base = rng.randrange(10**17, 9 * 10**17) // 1000 * 1000
    neighbours = [
        shop.event(rng.choice(("purchase", "view")), shop.moment(-6, -1), id=str(base + index)) for index in range(200)
    ]
    folder = shop.folder(events + neighbours)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), counts)


@pytest.mark.check("one-row-a-customer", points=4, skill="correctness", visibility="hidden")
def test_one_row_a_customer(pipeline, rng, counts, money):
    """Every customer of the cut-off's day has one row, with that day's segment, also who did nothing at all."""
    shop = Shop(rng)
    changing, quiet, new, today = rng.sample([customer.id for customer in shop.customers], 4)
    day = shop.as_of
    shop.set_segments(changing, (day - 300 * DAY, "student"), (day + 3 * DAY, "family"), (day - 40 * DAY, "basic"))
    shop.set_segments(new, (day + DAY, "plus"))
    shop.set_segments(today, (day - 90 * DAY, "basic"), (day, "plus"))
    folder = shop.folder(event for event in shop.traffic(300) if event.customer != quiet)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), ("segment", *counts, *money))
