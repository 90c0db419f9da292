"""The service still predicts, and Prometheus can see how it is doing."""

import json
import math

import pytest

TOLERANCE = 1e-6
JSON_TYPE = {"Content-Type": "application/json"}

COUNTERS = (
    "prediction_requests_total",
    "predictions_total",
    "feature_missing_total",
    "feature_out_of_range_total",
    "feature_unknown_category_total",
    "drift_windows_total",
    "drift_detected_windows_total",
    "labels_total",
    "outcomes_total",
    "label_windows_total",
)
GAUGES = ("model_info", "drift_detected", "model_accuracy")
DURATION = "prediction_request_duration_seconds"
BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, math.inf)


@pytest.mark.check("predictions-unchanged", points=2, skill="instrumentation", visibility="public")
def test_predictions_unchanged(http, oracle, rng, traffic, refused):
    """Predictions and refusals are what they were before: of usual, incomplete and odd parcels, and of bad requests."""
    model = oracle.current
    parcels = model.parcels(rng, 60)
    parcels[1][model.numeric[0].name] = 1e9
    parcels[2][model.categorical[0].name] = "no-such-word"
    parcels[3] = {}
    sender = traffic(http)
    response = sender.post(parcels)
    refused(response, 200)
    version = response.pick("model_version", type=str)
    assert version == model.version, f"model_version should be {model.version!r}, is {version!r}"
    for index, parcel in enumerate(parcels):
        expected = model.probability(parcel)
        given = response.pick("predictions", index, "probability", type=float)
        assert abs(given - expected) <= TOLERANCE, f"probability should be {expected:.6f}, is {given!r}: {parcel}"
        late = response.pick("predictions", index, "late", type=bool)
        assert late == (expected >= model.threshold), f"late is {late} at {expected:.4f}, threshold {model.threshold}"
    refused(http.post("/predict", content=b"{", headers=JSON_TYPE), 400)
    refused(http.post("/predict", json={"instances": []}), 422)
    refused(sender.post([{**parcels[0], model.numeric[0].name: "12"}]), 422)
    refused(sender.post([model.parcel(rng)] * 1001), 413)


@pytest.mark.check("prometheus-reads-it", points=3, skill="instrumentation", visibility="hidden")
def test_prometheus_reads_it(start_service, start_prometheus, oracle, rng, traffic):
    """A real Prometheus scrapes every metric the brief names, of the right type, and each series from the start."""
    service = start_service()
    prometheus = start_prometheus(service)
    prometheus.until('up{job="late-parcels"}', lambda up: up == 1, "a fresh instance should be scraped")
    model = oracle.current
    features, numbers = len(model.features), len(model.numeric)
    for promql, wanted in (
        ("count(feature_missing_total)", features),
        ("count(feature_out_of_range_total)", numbers),
        ("count(feature_unknown_category_total)", features - numbers),
        ('count(drift_detected{kind="feature"})', features),
        ('count(drift_detected{kind=~"prediction|label|accuracy"})', 3),
        ('count(drift_detected_windows_total{kind="feature"})', features),
        ('count(labels_total{result=~"matched|unknown|duplicate"})', 3),
        ("sum(drift_detected) + sum(predictions_total) + sum(drift_windows_total) + sum(label_windows_total)", 0),
    ):
        found = prometheus.number(promql)
        assert found == wanted, f"before the first prediction {promql} should be {wanted}, is {found}"
    sent = traffic(service.http).send(model.parcels(rng, 500))
    traffic(service.http).label([(identifier, True) for identifier, _ in sent])
    prometheus.until("sum(labels_total)", lambda count: count == 500, "500 labels were sent")
    types = {entry["metric"]: entry["type"] for entry in prometheus.api("targets/metadata", limit="2000")}
    for names, wanted in ((COUNTERS, "counter"), (GAUGES, "gauge"), ((DURATION,), "histogram")):
        for name in names:
            given = types.get(name, types.get(name.removesuffix("_total")))  # OpenMetrics leaves the ending out
            assert given == wanted, f"Prometheus should know {name} as a {wanted}, it knows it as {given}"
    seen = prometheus.number("sum(predictions_total)")
    assert seen == 500, f"500 predictions were made, Prometheus sees {seen}"


@pytest.mark.check("latency-quantiles", points=3, skill="instrumentation", visibility="hidden")
def test_latency_quantiles(start_service, start_prometheus, oracle, rng, traffic):
    """PromQL gets the mean and the 99th percentile of the latency out of the histogram, in seconds."""
    service = start_service()
    prometheus = start_prometheus(service)
    parcels = oracle.current.parcels(rng, 1000)
    sender = traffic(service.http)
    seconds = []
    count = f"sum({DURATION}_count)"
    for total in range(5, 30, 5):
        for _ in range(5):
            response = sender.post(parcels)
            assert response.status == 200, f"a batch of 1000 should get 200, got {response.status}"
            seconds.append(response.elapsed_s)
        prometheus.until(count, lambda seen, total=total: seen == total, f"{total} batches were sent")
    mean = prometheus.number(f"sum(rate({DURATION}_sum[1m])) / sum(rate({DURATION}_count[1m]))") or 0.0
    assert 0.1 * min(seconds) <= mean <= 1.1 * max(seconds), (
        f"the mean latency in Prometheus is {mean:.6f} s; we waited {min(seconds):.4f} to {max(seconds):.4f} s"
    )
    p99 = prometheus.number(f"histogram_quantile(0.99, sum by (le) (rate({DURATION}_bucket[1m])))") or 0.0
    highest = next(bound for bound in BOUNDS if bound >= max(seconds))
    assert 0.0 < p99 <= highest, f"the 99th percentile in Prometheus is {p99:.4f} s; we waited {max(seconds):.4f} s"


@pytest.mark.check("latency-histogram", points=2, skill="instrumentation", visibility="after")
def test_latency_histogram(http, oracle, rng, traffic, read_page):
    """The histogram has the bounds that the brief asks for, each bucket counts those below, and all are counted."""
    before = read_page(http)
    for _ in range(7):
        traffic(http).send(oracle.current.parcels(rng, 3))
    page = read_page(http)
    buckets = {}
    for name, labels, value in page.samples:
        if name == f"{DURATION}_bucket":
            try:
                buckets[float(labels.get("le", ""))] = value
            except ValueError:
                pytest.fail(f"a bucket's le should be a number, is {labels.get('le')!r}")
    missing = [bound for bound in BOUNDS if bound not in buckets]
    assert not missing, f"{DURATION}_bucket should have the bounds {', '.join(map(str, missing))}"
    counts = [count for _, count in sorted(buckets.items())]
    assert counts == sorted(counts), f"a bucket holds all that took at most its bound; these are {counts}"
    total = page.value(f"{DURATION}_count")
    assert counts[-1] == total, f"the bucket +Inf should equal the count {total}, is {counts[-1]}"
    added = total - before.count(f"{DURATION}_count")
    assert added == 7, f"7 requests were sent, the histogram's count rose by {added}"


@pytest.mark.check("requests-counted", points=3, skill="instrumentation", visibility="public")
def test_requests_counted(http, oracle, rng, traffic, read_page):
    """Requests to /predict are counted by status, refused ones too, and nothing else is."""
    model, sender = oracle.current, traffic(http)
    before = read_page(http)
    served, bad, wrong = rng.randint(3, 9), rng.randint(2, 5), rng.randint(2, 5)
    for _ in range(served):
        sender.send(model.parcels(rng, 2))
    for _ in range(bad):
        http.post("/predict", content=b'{"instances": [', headers=JSON_TYPE)
    for _ in range(wrong):
        http.post("/predict", json={"instances": [{"id": "x", "features": {model.numeric[0].name: "1"}}]})
    sender.post([model.parcel(rng)] * 1001)
    http.get("/ready")
    http.get("/no-such-page")
    page = read_page(http)
    name = "prediction_requests_total"
    for status, wanted in (("200", served), ("400", bad), ("422", wrong), ("413", 1)):
        counted = page.count(name, status=status) - before.count(name, status=status)
        assert counted == wanted, f'{wanted} requests got {status}, {name}{{status="{status}"}} rose by {counted}'
    added = page.count(name) - before.count(name)
    assert added == served + bad + wrong + 1, f"{served + bad + wrong + 1} requests were sent, {name} rose by {added}"


@pytest.mark.check("model-version", points=3, skill="instrumentation", visibility="hidden")
def test_model_version(start_service, oracle, rng, traffic, read_page):
    """The version in use is shown, predictions are counted under it, and all of it follows the model's folder."""
    for model, assets in ((oracle.current, {}), (oracle.next_release, {"model": "model-b"})):
        http = start_service(assets=assets).http
        count = rng.randint(20, 90)
        traffic(http, model).send(model.parcels(rng, count))
        page = read_page(http)
        info = [(labels.get("version"), value) for name, labels, value in page.samples if name == "model_info"]
        assert info == [(model.version, 1.0)], f'model_info{{version="{model.version}"}} 1 was expected, got {info}'
        counted = page.count("predictions_total", model_version=model.version)
        assert counted == count, f"{count} predictions were made by {model.version}, {counted} are counted"
        shown = {labels.get("feature") for name, labels, _ in page.samples if name == "feature_missing_total"}
        assert shown == set(model.names), f"the features of {model.version} should be counted, these are: {shown}"


@pytest.mark.check("series-bounded", points=2, skill="instrumentation", visibility="hidden")
def test_series_bounded(http, oracle, rng, traffic, read_page):
    """However many ids, words, values and paths come by, the number of series stays what it was."""
    model, sender = oracle.current, traffic(http)
    sender.send(model.parcels(rng, 10))
    name = model.categorical[0].name
    page = read_page(http)
    before, unknown = len(page.samples), page.count("feature_unknown_category_total", feature=name)
    for turn in range(3):
        odd = [{**model.parcel(rng), name: f"word-{turn}-{index}"} for index in range(100)]
        sender.label([(identifier, late) for identifier, late in sender.send(odd)])
        sender.label([(f"never-{rng.getrandbits(40):x}", True) for _ in range(100)])
        for _ in range(30):
            http.get(f"/page-{rng.getrandbits(40):x}")
            http.post("/predict", content=json.dumps({"instances": rng.random()}).encode(), headers=JSON_TYPE)
    page = read_page(http)
    assert page.count("feature_unknown_category_total", feature=name) > unknown, "unknown words were sent, none counted"
    after = len(page.samples)
    # Some series may come into being with what they count; one for each of 90 paths, 300 words or 300 ids may not.
    assert after <= before + 60, f"/metrics had {before} samples, and {after} after some odd traffic"
