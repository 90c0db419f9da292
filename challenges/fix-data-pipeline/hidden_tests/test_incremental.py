"""Events that come again, late or corrected, and runs that go on from an earlier one."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from shop import VERSION_1, Shop

DAY = timedelta(days=1)


@pytest.fixture
def parts():
    """Cuts deliveries into those before a day and the rest, by the names of the files."""

    def cut(folder, *days):
        bounds = ["", *(f"events-{day.isoformat()}.csv" for day in days), "~"]
        return [
            {name: content for name, content in folder.items() if low <= name < high} for low, high in pairwise(bounds)
        ]

    return cut


@pytest.mark.check("repeated-events-count-once", points=4, skill="incremental-processing", visibility="public")
def test_repeated_events_count_once(pipeline, rng, counts, money):
    """An event that is delivered again, in the same file or in a later one, counts once."""
    shop = Shop(rng)
    events = shop.traffic(250)
    again = rng.sample(events, 80)
    events += [replace(event, received=event.received + timedelta(seconds=30)) for event in again[:40]]
    events += [replace(event, received=event.received + timedelta(days=rng.randint(1, 12))) for event in again[40:]]
    events += again[:10]
    folder = shop.folder(events)
    pipeline.features(pipeline.built(shop, folder), pipeline.expect(shop, folder), (*counts, *money))


@pytest.mark.check("latest-version-counts", points=3, skill="incremental-processing", visibility="hidden")
def test_latest_version_counts(pipeline, rng, counts, money):
    """Of several versions of an event the one that was received last counts, wherever it stands."""
    shop = Shop(rng)
    events = shop.traffic(150)
    corrected = [event for event in events if event.type != "view"][:60]
    corrections = [
        replace(
            event,
            received=event.received + timedelta(seconds=rng.randint(1, 9)),
            amount=event.amount + 500 + index,
            at=event.at - timedelta(days=rng.choice((0, 0, 3))),
        )
        for index, event in enumerate(corrected)
    ]
    folder = shop.folder(events + corrections)
    # Within a file the order says nothing: a correction may stand above what it corrects.
    shuffled = {}
    for name, content in folder.items():
        header, *rows = content.decode().splitlines()
        shuffled[name] = ("\n".join([header, *sorted(rows, key=lambda row: rng.random())]) + "\n").encode()
    pipeline.features(pipeline.built(shop, shuffled), pipeline.expect(shop, shuffled), (*counts, *money))


@pytest.mark.check("late-events-count", points=4, skill="incremental-processing", visibility="hidden")
def test_late_events_count(pipeline, rng, counts, money):
    """An event counts when it happened, even if it is delivered weeks later."""
    shop = Shop(rng)
    late = [
        replace(event, received=event.received + timedelta(days=rng.randint(4, 25)))
        for event in shop.traffic(120, first_day=-28, last_day=-3)
    ]
    folder = shop.folder(shop.traffic(150) + late)
    pipeline.features(
        pipeline.built(shop, folder), pipeline.expect(shop, folder), (*counts, *money, "last_purchase_at", "label")
    )


@pytest.mark.check("update-equals-full-run", points=4, skill="incremental-processing", visibility="after")
def test_update_equals_full_run(pipeline, rng, parts):
    """Three runs, each given only the new files and the last one's results, end where one run over all files does."""
    shop = Shop(rng)
    events = shop.traffic(300, last_day=8)
    bad = [replace(event, id=f"{event.id}0", overrides={"store_id": "s99"}) for event in rng.sample(events, 12)]
    again = [replace(event, received=event.received + DAY) for event in rng.sample(events, 30)]
    folder = shop.folder(events + bad + again)
    first, second, third = parts(folder, shop.as_of - 12 * DAY, shop.as_of - DAY)
    earlier = shop.as_of - 5 * DAY
    result = pipeline.built(shop, first, "--keep-state", as_of=earlier)
    result = pipeline.built(shop, second, "--keep-state", previous=result.files, as_of=earlier)
    pipeline.everything(result, pipeline.expect(shop, first | second, earlier))
    result = pipeline.built(shop, third, "--keep-state", previous=result.files)
    pipeline.everything(result, pipeline.expect(shop, folder))


@pytest.mark.check("update-takes-corrections", points=3, skill="incremental-processing", visibility="hidden")
def test_update_takes_corrections(pipeline, rng, parts, counts, money):
    """Late events and corrections that come with an update change what an earlier run had counted."""
    shop = Shop(rng)
    events = shop.traffic(150)
    chosen = [event for event in events if event.type != "view"][:40]
    corrections = [
        replace(event, received=shop.cutoff + timedelta(hours=rng.randint(1, 20)), amount=event.amount + 700 + index)
        for index, event in enumerate(chosen)
    ]
    # And the other way round: what is delivered later was received earlier, and corrects nothing.
    stale = [
        replace(event, amount=event.amount + 900, received=event.received - timedelta(seconds=20))
        for event in [event for event in events if event.type != "view"][40:60]
    ]
    late = [shop.event("purchase", shop.moment(-28, -2), received=shop.cutoff + DAY) for _ in range(20)]
    folder = shop.folder(events + corrections + late)
    name = f"events-{(shop.as_of + 2 * DAY).isoformat()}.csv"
    folder[name] = shop.file(stale, VERSION_1)
    first, second = parts(folder, shop.as_of)
    before = pipeline.built(shop, first, "--keep-state")
    after = pipeline.built(shop, second, "--keep-state", previous=before.files)
    pipeline.features(after, pipeline.expect(shop, folder), (*counts, *money, "last_purchase_at"))


@pytest.mark.check("file-taken-in-once", points=3, skill="incremental-processing", visibility="hidden")
def test_file_taken_in_once(pipeline, rng):
    """Files that an earlier run took in already change nothing when they are given again."""
    shop = Shop(rng)
    events = shop.traffic(120)
    bad = [replace(event, id=f"{event.id}0", overrides={"type": "click"}) for event in rng.sample(events, 6)]
    folder = shop.folder(events + bad)
    expected = pipeline.expect(shop, folder)
    result = pipeline.built(shop, folder, "--keep-state")
    for _ in range(2):
        result = pipeline.built(shop, folder, "--keep-state", previous=result.files)
        pipeline.features(result, expected, ("purchases_28d", "views_7d", "spend_28d_eur"))
        pipeline.quarantine(result, expected)
        pipeline.summary(result, expected)
