"""Values that are missing, out of range or unknown are counted, by feature and exactly."""

import pytest


def rise(before, after, metric, feature):
    """By how much a feature's counter rose. A series that is not there has not counted anything."""
    return after.count(metric, feature=feature) - before.count(metric, feature=feature)


def check_rises(model, before, after, metric, wanted):
    """Every feature's counter rose by what was sent, and no other did."""
    for name in model.names:
        rose = rise(before, after, metric, name)
        expected = wanted.get(name, 0)
        assert rose == expected, f'{metric}{{feature="{name}"}} should rise by {expected}, it rose by {rose}'


@pytest.mark.check("missing-counted", points=3, skill="data-quality", visibility="public")
def test_missing_counted(http, oracle, rng, traffic, read_page):
    """Missing values are counted by feature, whether they are null or left out."""
    model, sender = oracle.current, traffic(http)
    parcels = [model.complete_parcel(rng) for _ in range(200)]
    wanted = dict.fromkeys(model.names, 0)
    for parcel in parcels:
        for name in rng.sample(model.names, rng.choice((0, 0, 1, 2))):
            wanted[name] += 1
            if rng.random() < 0.5:
                parcel[name] = None
            else:
                del parcel[name]
    before = read_page(http)
    sender.send(parcels)
    check_rises(model, before, read_page(http), "feature_missing_total", wanted)


@pytest.mark.check("out-of-range-counted", points=3, skill="data-quality", visibility="hidden")
def test_out_of_range_counted(http, oracle, rng, traffic, read_page):
    """Numbers beyond either end of their range are counted by feature; the ends themselves are inside."""
    model, sender = oracle.current, traffic(http)
    parcels = [model.complete_parcel(rng) for _ in range(200)]
    wanted = dict.fromkeys(model.names, 0)
    for index, parcel in enumerate(parcels):
        feature = rng.choice(model.numeric)
        step = 1 if feature.whole else 0.01
        ends = ((feature.minimum, 0), (feature.maximum, 0), (feature.minimum - step, 1), (feature.maximum + step, 1))
        end, outside = (*ends, (feature.maximum * 1000, 1))[index % 5]
        parcel[feature.name] = round(end) if feature.whole else end
        wanted[feature.name] += outside
    before = read_page(http)
    sender.send(parcels)
    check_rises(model, before, read_page(http), "feature_out_of_range_total", wanted)


@pytest.mark.check("unknown-words-counted", points=3, skill="data-quality", visibility="hidden")
def test_unknown_words_counted(http, oracle, rng, traffic, read_page):
    """Words that the model does not know are counted by feature; a missing one is missing, not unknown."""
    model, sender = oracle.current, traffic(http)
    parcels = [model.complete_parcel(rng) for _ in range(200)]
    wanted = dict.fromkeys(model.names, 0)
    for parcel in parcels:
        feature = rng.choice(model.categorical)
        odd = (f"word-{rng.getrandbits(20):x}", feature.words[0].upper(), "", None)
        word = rng.choice((*odd, *feature.words))
        wanted[feature.name] += word is not None and word not in feature.words
        parcel[feature.name] = word
    before = read_page(http)
    sender.send(parcels)
    check_rises(model, before, read_page(http), "feature_unknown_category_total", wanted)


@pytest.mark.check("refused-leave-no-trace", points=3, skill="data-quality", visibility="hidden")
def test_refused_leave_no_trace(start_service, oracle, rng, traffic, refused):
    """A refused batch counts as a request and as nothing else: no prediction, no value, no part of a window."""
    model = oracle.current
    sender = traffic(start_service().http)
    sender.send([model.complete_parcel(rng) for _ in range(400)])
    before = sender.page()
    number, word = model.numeric[0].name, model.categorical[0].name
    bad = [{**model.complete_parcel(rng), number: None, word: "no-such-word"} for _ in range(300)]
    bad[-1] = {**bad[-1], model.numeric[1].name: "heavy"}
    refused(sender.post(bad), 422)
    page = sender.page()
    for metric in ("feature_missing_total", "feature_out_of_range_total", "feature_unknown_category_total"):
        check_rises(model, before, page, metric, {})
    for metric, wanted in (("predictions_total", 400), ("drift_windows_total", 0)):
        found = page.value(metric)
        assert found == wanted, f"after a refused batch {metric} should still be {wanted}, is {found}"
    sender.send([model.complete_parcel(rng) for _ in range(100)])
    page = sender.page()
    assert page.value("drift_windows_total") == 1, "400 and 100 served predictions are one window"
    assert not page.flag("feature", number), f"{number} was flagged, though only refused parcels lacked it"
