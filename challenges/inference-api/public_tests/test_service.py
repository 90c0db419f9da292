"""A first look at your service, with plain pytest and httpx. More than this is graded: see brief.md."""

import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

TOLERANCE = 1e-5


def test_health_and_readiness(client, schema):
    """/healthz says ok; /ready says ready, and which model."""
    health = client.get("/healthz")
    assert (health.status_code, health.json()) == (200, {"status": "ok"})
    ready = client.get("/ready")
    assert ready.status_code == 200
    assert ready.json() == {"ready": True, "model_version": schema["version"]}


def test_model_is_described(client, schema):
    """/model gives name, version, threshold, and the features in the model's order."""
    answer = client.get("/model")
    assert answer.status_code == 200
    described = answer.json()
    assert {key: described.get(key) for key in ("name", "version", "threshold")} == {
        key: schema[key] for key in ("name", "version", "threshold")
    }
    assert described["features"] == [feature["name"] for feature in schema["features"]]


def test_single_predictions_match_the_examples(client, schema, examples):
    """Every example gets the probability its makers got, and the decision that follows from the threshold."""
    for index, example in enumerate(examples):
        answer = client.post("/predict", json={"id": f"example-{index}", "features": example["features"]})
        assert answer.status_code == 200, answer.text
        assert answer.json() == {
            "id": f"example-{index}",
            "probability": pytest.approx(example["probability"], abs=TOLERANCE),
            "churn": example["probability"] >= schema["threshold"],
            "model_version": schema["version"],
        }


def test_a_batch_matches_the_examples_in_order(client, schema, examples):
    """Prediction i belongs to instance i; an instance without an id gets a null."""
    instances = [{"id": f"row-{index}", "features": row["features"]} for index, row in enumerate(examples)]
    del instances[2]["id"]
    answer = client.post("/predict/batch", json={"instances": instances})
    assert answer.status_code == 200, answer.text
    assert answer.json()["model_version"] == schema["version"]
    predictions = answer.json()["predictions"]
    assert [prediction["id"] for prediction in predictions] == [row.get("id") for row in instances]
    expected = [example["probability"] for example in examples]
    assert [prediction["probability"] for prediction in predictions] == pytest.approx(expected, abs=TOLERANCE)


def test_a_missing_feature_is_named(client, examples):
    """A refusal says which value is wrong and what is wrong with it."""
    features = {name: value for name, value in examples[0]["features"].items() if name != "contract"}
    answer = client.post("/predict", json={"features": features})
    assert_error(answer, 422, "validation_failed")
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == ["features.contract"]
    assert answer.json()["error"]["details"][0]["problem"]


def test_an_unknown_feature_in_a_batch_is_named(client, examples):
    """In a batch the path starts with the instance, counted from 0."""
    bad = {"features": {**examples[1]["features"], "favourite_colour": "green"}}
    answer = client.post("/predict/batch", json={"instances": [{"features": examples[0]["features"]}, bad]})
    assert_error(answer, 422, "validation_failed")
    fields = [detail["field"] for detail in answer.json()["error"]["details"]]
    assert fields == ["instances[1].features.favourite_colour"]


def test_a_body_that_is_no_json_is_refused(client):
    """Not even the JSON can be read: 400."""
    for body in (b"", b'{"features": '):
        answer = client.post("/predict", content=body, headers={"Content-Type": "application/json"})
        assert_error(answer, 400, "invalid_json")


def test_errors_have_one_shape_everywhere(client):
    """Also where a framework would answer in a way of its own."""
    assert_error(client.get("/no-such-thing"), 404, "not_found")
    assert_error(client.get("/predict"), 405, "method_not_allowed")


def test_another_release_is_taken_from_its_folder(start_service, model_dir, schema, examples, tmp_path):
    """The same weights with another version and threshold; a true new release has other features, too."""
    probabilities = sorted(example["probability"] for example in examples)
    threshold = (probabilities[-2] + probabilities[-1]) / 2
    release = tmp_path / "release"
    shutil.copytree(model_dir, release)
    changed = {**schema, "version": "test-release", "threshold": threshold}
    (release / "schema.json").write_text(json.dumps(changed), encoding="utf-8")
    client = start_service(MODEL_DIR=str(release))
    described = client.get("/model").json()
    assert (described["version"], described["threshold"]) == ("test-release", threshold)
    for example in examples:
        answer = client.post("/predict", json={"features": example["features"]}).json()
        assert answer["model_version"] == "test-release"
        assert answer["churn"] is (example["probability"] >= threshold)


def test_lookups_overlap(start_service, examples):
    """Eight requests with a lookup of 0.4 s each take far less than the 3.2 s of one after the other."""
    client = start_service(LOOKUP_DELAY_MS="400")
    started = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        bodies = [{"features": example["features"]} for example in examples[:8]]
        answers = list(pool.map(lambda body: client.post("/predict", json=body), bodies))
    took_s = time.monotonic() - started
    assert [answer.status_code for answer in answers] == [200] * 8
    assert took_s >= 0.4, f"each request waits for its lookup, but all were answered after {took_s:.2f} s"
    assert took_s < 2.0, f"lookups should overlap, but the requests took {took_s:.2f} s"


def assert_error(answer, status, code):
    """The answer is an error in the brief's shape."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()["error"]
    assert error["code"] == code
    assert isinstance(error["message"], str)
    assert error["message"]
    assert isinstance(error["details"], list)
