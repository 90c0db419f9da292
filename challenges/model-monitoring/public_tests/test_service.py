"""A first look at your service, with plain pytest and httpx. More than this is graded: see brief.md."""

import itertools
import random

import yaml
from prometheus_client.parser import text_string_to_metric_families

IDS = itertools.count()
ALERTS = {
    "ServiceDown": "page",
    "HighErrorRate": "page",
    "HighLatency": "page",
    "AccuracyDrop": "page",
    "MissingValues": "ticket",
    "FeatureDrift": "ticket",
    "PredictionDrift": "ticket",
    "LabelDrift": "ticket",
}


def predict(client, parcels):
    """Send one batch; the predictions."""
    instances = [{"id": f"public-{next(IDS)}", "features": parcel} for parcel in parcels]
    answer = client.post("/predict", json={"instances": instances})
    assert answer.status_code == 200, answer.text
    return answer.json()["predictions"]


def metric(client, name, **labels):
    """The sum over the series with these labels; 0 if there is none."""
    answer = client.get("/metrics", headers={"Accept": "text/plain; version=0.0.4"})
    assert answer.status_code == 200, answer.text
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == name and all(sample.labels.get(key, "") == value for key, value in labels.items())
    )


def test_predictions_are_what_they_were(client, reference):
    """The probabilities of the reference, to within 0.000001, missing values and all."""
    rows = reference[:200]
    predictions = predict(client, [row["features"] for row in rows])
    for row, prediction in zip(rows, predictions, strict=True):
        assert abs(prediction["probability"] - row["probability"]) < 2e-6


def test_bad_requests_are_still_refused(client):
    assert client.post("/predict", content=b"{").status_code == 400
    assert client.post("/predict", json={"instances": []}).status_code == 422
    row = {"id": "a", "features": {"weight_kg": "12"}}
    assert client.post("/predict", json={"instances": [row]}).status_code == 422
    assert client.post("/predict", json={"instances": [{"id": "a", "features": {}}] * 1001}).status_code == 413


def test_requests_are_counted_by_status(client, reference):
    name = "prediction_requests_total"
    before = {status: metric(client, name, status=status) for status in ("200", "422")}
    predict(client, [reference[0]["features"]])
    client.post("/predict", json={"instances": []})
    after = {status: metric(client, name, status=status) for status in ("200", "422")}
    assert after == {status: count + 1 for status, count in before.items()}


def test_missing_values_are_counted_by_feature(client, reference):
    """Both a null and a feature that is left out."""
    parcel = dict(reference[1]["features"])
    before = metric(client, "feature_missing_total", feature="weight_kg")
    without = {name: value for name, value in parcel.items() if name != "weight_kg"}
    predict(client, [parcel, {**parcel, "weight_kg": None}, without])
    assert metric(client, "feature_missing_total", feature="weight_kg") == before + 2


def test_labels_are_matched_with_predictions(fresh, reference):
    """Once each, however late they come."""
    predictions = predict(fresh, [row["features"] for row in reference[:600]])
    labels = [{"id": row["id"], "late": True} for row in predictions[:10]]
    answer = fresh.post("/labels", json={"labels": [*labels, labels[0], {"id": "never-seen", "late": False}]})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"matched": 10, "unknown": 1, "duplicate": 1}
    assert metric(fresh, "labels_total", result="matched") == 10
    said_late = sum(row["late"] for row in predictions[:10])
    assert metric(fresh, "outcomes_total", predicted="late", actual="late") == said_late


def test_a_window_like_the_reference_is_quiet_and_a_shifted_one_is_not(fresh, reference):
    """Drawn from the reference's own rows; the second window has warmer days by ten degrees."""
    rng = random.Random(1)
    parcels = [row["features"] for row in rng.choices(reference, k=500)]
    predict(fresh, parcels)
    assert metric(fresh, "drift_windows_total") == 1
    assert metric(fresh, "drift_detected") == 0
    warmer = [
        {**parcel, "temperature_c": parcel["temperature_c"] and parcel["temperature_c"] + 10} for parcel in parcels
    ]
    predict(fresh, warmer)
    assert metric(fresh, "drift_windows_total") == 2
    assert metric(fresh, "drift_detected", kind="feature", feature="temperature_c") == 1
    assert metric(fresh, "drift_detected", kind="feature", feature="carrier") == 0


def test_the_alerts_are_all_there(alerts):
    """Whether they are right, `promtool test rules` can tell you."""
    groups = yaml.safe_load(alerts)["groups"]
    rules = {rule["alert"]: rule for group in groups for rule in group["rules"] if "alert" in rule}
    assert {name: rule.get("labels", {}).get("severity") for name, rule in rules.items()} == ALERTS
    assert all(rule.get("annotations", {}).get("summary") for rule in rules.values())
