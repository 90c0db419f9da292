"""The interface is the brief's, in success and in failure."""

import pytest

JSON_TYPES = ("application/json", "application/json; charset=utf-8")


@pytest.mark.check("batch-all-or-nothing", points=2, skill="api-design", visibility="hidden")
def test_batch_all_or_nothing(http, oracle, rng, expect):
    """One bad instance refuses its whole batch, and the answer names each bad instance and no good one."""
    model = oracle.current
    customers = model.customers(rng, 12)
    bad = sorted(rng.sample(range(12), 3))
    fields = []
    for index in bad:
        feature = rng.choice(model.numeric)
        customers[index] = {**customers[index], feature.name: feature.maximum + 10}
        fields.append(f"instances[{index}].features.{feature.name}")
    response = http.post("/predict/batch", json=expect.instances(customers))
    expect.error(response, 422, "validation_failed", fields)
    innocent = [
        name for name in expect.named_fields(response) if not name.startswith(tuple(f"instances[{i}]" for i in bad))
    ]
    assert not innocent, f"only instances {bad} are bad, but error.details also names {', '.join(innocent)}"


@pytest.mark.check("every-problem-named", points=2, skill="api-design", visibility="hidden")
def test_every_problem_named(http, oracle, rng, expect):
    """A request with several mistakes is told all of them at once."""
    model = oracle.current
    customer = model.customer(rng)
    missing, wrong, outside = rng.sample(model.numeric, 3)
    category = rng.choice(model.categorical)
    del customer[missing.name]
    customer |= {wrong.name: "many", outside.name: outside.minimum - 5, category.name: "elsewhere"}
    fields = [f"features.{feature.name}" for feature in (missing, wrong, outside, category)]
    expect.error(http.post("/predict", json=expect.body(customer)), 422, "validation_failed", fields)


@pytest.mark.check("errors-have-one-shape", points=2, skill="api-design", visibility="public")
def test_errors_have_one_shape(http, expect):
    """An unknown path (404) and a wrong method (405) are answered in the same error format as everything else."""
    expect.error(http.get("/no-such-thing"), 404, "not_found")
    expect.error(http.post("/predict/nothing", json={}), 404, "not_found")
    expect.error(http.get("/predict"), 405, "method_not_allowed")
    expect.error(http.request("DELETE", "/predict/batch"), 405, "method_not_allowed")
    expect.error(http.post("/model", json={}), 405, "method_not_allowed")


@pytest.mark.check("media-type", points=2, skill="api-design", visibility="after")
def test_media_type(http, oracle, rng, expect):
    """Only JSON is taken: 415 for another Content-Type, and parameters such as a charset do no harm."""
    customers = oracle.current.unlike_customers(rng, 4)
    customer, own = customers[0], expect.quiet(http, customers)[0]
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded"):
        answer = http.post("/predict", json=expect.body(customer), headers={"Content-Type": kind})
        expect.error(answer, 415, "unsupported_media_type")
    for kind in JSON_TYPES:
        answer = http.post("/predict", json=expect.body(customer), headers={"Content-Type": kind})
        expect.same(expect.single(answer), own, f"sent as {kind}")


@pytest.mark.check("model-described", points=2, skill="api-design", visibility="public")
def test_model_described(http, oracle, expect):
    """GET /model gives the model's name, version, threshold and its features in the model's order."""
    model = oracle.current
    response = http.get("/model")
    expect.status(response, 200)
    name, version = response.pick("name", type=str), response.pick("version", type=str)
    assert (name, version) == (model.name, model.version), (
        f"name and version should be {model.name!r} and {model.version!r}, but are {name!r} and {version!r}"
    )
    threshold = response.pick("threshold", type=float)
    assert threshold == model.threshold, f"threshold should be {model.threshold}, but is {threshold}"
    features = response.pick("features", type=list)
    expected = [feature.name for feature in model.features]
    assert features == expected, f"features should be the names {expected}, but are {str(features)[:300]}"


@pytest.mark.check("ids-and-version", points=2, skill="api-design", visibility="after")
def test_ids_and_version(http, oracle, rng, expect):
    """An id comes back exactly as it was sent, an absent or null one as null; every answer says which model made it."""
    model = oracle.current
    expect.predicts(http, model, rng)
    for identifier in ("7", "Zoë ✓ 東", "x" * 64, f" {rng.randrange(10**9)} "):
        response = http.post("/predict", json=expect.body(model.customer(rng), identifier))
        given = expect.single(response).id
        assert given == identifier, f"id should be {identifier!r}, but is {str(given)[:80]!r}"
        _made_by(model, response)
    customer = model.customer(rng)
    for document in ({"features": customer}, {"id": None, "features": customer}):
        response = http.post("/predict", json=document)
        expect.single(response)
        answer = response.pick(type=dict)
        assert "id" in answer, 'an answer to a request without an id should have "id": null, but has no id'
        assert answer["id"] is None, f"id should be null when none was sent, but is {str(answer['id'])[:80]!r}"
    identifiers = ["z", "", "ç", "10", "9", " ", "x" * 64, "A"]
    response = http.post("/predict/batch", json=expect.instances(model.customers(rng, 8), identifiers))
    returned = [prediction.id for prediction in expect.rows(response, len(identifiers))]
    # Which id stands where is the matter of the checks about batches.
    lost = [identifier for identifier in identifiers if identifier not in returned]
    assert not lost, f"the ids {lost} of a batch did not come back; these did: {str(returned)[:300]}"
    _made_by(model, response)


def _made_by(model, response):
    """The answer says that this model made it."""
    version = response.pick("model_version", type=str)
    assert version == model.version, f"model_version should be {model.version!r}, but is {version!r}"
