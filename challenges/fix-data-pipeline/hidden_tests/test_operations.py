"""How a run ends, what it leaves when it cannot go on, and whether it leaves the same thing every time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from shop import Shop

DAY = timedelta(days=1)
RESULTS = ("features.csv", "quarantine.csv", "summary.json")


@pytest.mark.check("same-bytes-every-time", points=2, skill="operations", visibility="after")
def test_same_bytes_every_time(pipeline, rng):
    """The same inputs give the same bytes, in the order that the brief says, however the rows of a file are ordered."""
    shop = Shop(rng)
    events = shop.traffic(200)
    events += [replace(event, id=f"{event.id}1", overrides={"store_id": ""}) for event in rng.sample(events, 8)]
    folder = shop.folder(events)
    first, second = (pipeline.works(shop, folder) for _ in range(2))
    for name in RESULTS:
        assert first.file(name) == second.file(name), f"two runs over the same inputs should leave the same {name}"
    for name, key in (("features.csv", 1), ("quarantine.csv", 2)):
        rows = [line.split(b",") for line in first.file(name).splitlines()[1:]]
        keys = [(row[0], int(row[1]) if key == 2 and len(row) > 1 and row[1].isdigit() else 0) for row in rows]
        assert keys == sorted(keys), f"the rows of {name} should be in order, and are not"
    turned = {}
    for name, content in folder.items():
        header, *rows = content.splitlines(keepends=True)
        turned[name] = b"".join([header, *reversed(rows)])
    again = pipeline.built(shop, turned)
    assert again.file("features.csv") == first.file("features.csv"), (
        "files whose rows stand in another order should give the same features.csv"
    )


@pytest.mark.check("unusable-inputs", points=2, skill="operations", visibility="hidden")
def test_unusable_inputs(pipeline, rng):
    """A missing column, a missing table or no deliveries at all end a run with exit code 3, and leave no results."""
    shop = Shop(rng)
    folder = shop.folder(shop.traffic(120))
    pipeline.works(shop, folder)
    name = rng.choice(sorted(folder))
    column = rng.choice(("event_id", "received_at", "occurred_local", "amount"))
    headless = {**folder, name: folder[name].replace(column.encode(), b"column", 1)}
    table = rng.choice(("customers.csv", "stores.csv", "rates.csv"))
    tables = {other: content for other, content in shop.reference().items() if other != table}
    for events, reference in ((headless, None), (folder, tables), ({"README.txt": b"soon\n"}, None)):
        result = pipeline.run(shop, events, reference=reference)
        pipeline.exit_code(result, 3)
        left = [name for name in result.files if name in RESULTS]
        assert not left, f"a run that ends with exit code 3 should leave no results, and left {', '.join(left)}"


@pytest.mark.check("too-many-bad-rows", points=2, skill="operations", visibility="after")
def test_too_many_bad_rows(pipeline, rng):
    """With more than a tenth of the rows bad, a run leaves quarantine and summary, no features, and exit code 4."""
    shop = Shop(rng)
    good = shop.traffic(180)
    bad = [shop.event("view", shop.moment(-20, -1), overrides={"type": "?"}) for _ in range(21)]
    just = shop.folder(good + bad[:20])
    pipeline.works(shop, just)
    folder = shop.folder(good + bad)
    result = pipeline.run(shop, folder)
    pipeline.exit_code(result, 4)
    expected = pipeline.expect(shop, folder)
    pipeline.quarantine(result, expected)
    pipeline.summary(result, expected)
    assert "features.csv" not in result.files, (
        "features.csv should not be there, with more than a tenth of the rows bad"
    )


@pytest.mark.check("wrong-arguments", points=1, skill="operations", visibility="after")
def test_wrong_arguments(pipeline, run_job, rng):
    """A missing, unknown or malformed argument ends with exit code 2."""
    shop = Shop(rng)
    folder = shop.folder(shop.traffic(60))
    pipeline.works(shop, folder)
    inputs = {"events": folder, "reference": shop.reference()}
    right = pipeline.arguments(shop)
    for arguments in (right[:-2], [*right, "--fast"], [*right[:-1], rng.choice(("2026-02-30", "soon"))]):
        pipeline.exit_code(run_job(arguments, inputs=inputs), 2)


@pytest.mark.check("damaged-state", points=1, skill="operations", visibility="hidden")
def test_damaged_state(pipeline, rng):
    """An update whose earlier results hold no state, or a state that was cut short, ends with exit code 3."""
    shop = Shop(rng)
    folder = shop.folder(shop.traffic(120))
    first = {name: content for name, content in folder.items() if name < sorted(folder)[len(folder) // 2]}
    rest = {name: content for name, content in folder.items() if name not in first}
    kept = pipeline.built(shop, first, "--keep-state").files
    whole = pipeline.built(shop, rest, previous=kept)
    pipeline.features(whole, pipeline.expect(shop, folder), ("purchases_28d",))
    stateless = {name: content for name, content in kept.items() if not name.startswith("state/")}
    cut = {
        name: content[: len(content) // 2] if name.startswith("state/") else content for name, content in kept.items()
    }
    for previous in (stateless, cut):
        result = pipeline.run(shop, rest, previous=previous)
        pipeline.exit_code(result, 3)
        left = [name for name in result.files if name in RESULTS]
        assert not left, f"a run that ends with exit code 3 should leave no results, and left {', '.join(left)}"
