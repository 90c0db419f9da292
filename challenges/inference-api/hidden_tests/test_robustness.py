"""Bad input gets a useful refusal, and never a prediction or a crash."""

import json

import pytest

REFUSED = (400, 422)
REFUSED_CODES = ("invalid_json", "validation_failed")
JSON_TYPE = {"Content-Type": "application/json"}


@pytest.mark.check("missing-and-unknown-features", points=2, skill="robustness", visibility="public")
def test_missing_and_unknown_features(http, oracle, rng, expect):
    """A customer that lacks a feature, or has one the model does not know, is refused by name."""
    model = oracle.current
    for feature in rng.sample(model.features, 4):
        customer = model.customer(rng)
        del customer[feature.name]
        expect.error(
            http.post("/predict", json=expect.body(customer)), 422, "validation_failed", [f"features.{feature.name}"]
        )
    for name in ("favourite_colour", "Contract", "tenure"):
        customer = {**model.customer(rng), name: 1}
        expect.error(http.post("/predict", json=expect.body(customer)), 422, "validation_failed", [f"features.{name}"])


@pytest.mark.check("wrong-types", points=2, skill="robustness", visibility="hidden")
def test_wrong_types(http, oracle, rng, expect):
    """A value of the wrong JSON type is refused by name, and never turned into something that fits."""
    model = oracle.current
    number = rng.choice([feature for feature in model.features if feature.type == "number"])
    integer = rng.choice([feature for feature in model.features if feature.type == "integer"])
    category = rng.choice(model.categorical)
    cases = [(number, value) for value in ("1", True, None, [1.0], {"value": 1.0})]
    cases += [(integer, value) for value in ("3", 3.5, False, None, [3])]
    cases += [(category, value) for value in (1, True, None, [category.categories[0]], {})]
    for feature, value in cases:
        customer = {**model.customer(rng), feature.name: value}
        expect.error(
            http.post("/predict", json=expect.body(customer)), 422, "validation_failed", [f"features.{feature.name}"]
        )


@pytest.mark.check("out-of-range", points=2, skill="robustness", visibility="hidden")
def test_out_of_range(http, oracle, rng, expect):
    """A number outside its feature's range is refused by name, however far outside it is."""
    model = oracle.current
    for feature in model.numeric:
        far = 10**40 if feature.type == "integer" else 1e300
        for value in (feature.minimum - 1, feature.maximum + 1, rng.choice((far, -far))):
            sent = int(value) if feature.type == "integer" else value
            customer = {**model.customer(rng), feature.name: sent}
            expect.error(
                http.post("/predict", json=expect.body(customer)),
                422,
                "validation_failed",
                [f"features.{feature.name}"],
            )


@pytest.mark.check("unknown-category", points=2, skill="robustness", visibility="hidden")
def test_unknown_category(http, oracle, rng, expect):
    """A category that the schema does not list is refused by name, also when it only differs in case or spaces."""
    model = oracle.current
    for feature in model.categorical:
        known = rng.choice(feature.categories)
        for value in (known.upper(), f" {known}", "", "something_else"):
            customer = {**model.customer(rng), feature.name: value}
            expect.error(
                http.post("/predict", json=expect.body(customer)),
                422,
                "validation_failed",
                [f"features.{feature.name}"],
            )


@pytest.mark.check("not-a-number", points=2, skill="robustness", visibility="hidden")
def test_not_a_number(http, oracle, rng, expect):
    """NaN, Infinity and numbers too large for a float are refused, alone and in a batch."""
    model = oracle.current
    for literal in ("NaN", "Infinity", "-Infinity", "1e999"):
        feature = rng.choice(model.numeric)
        customer = {**model.customer(rng), feature.name: "@"}
        single = json.dumps(expect.body(customer)).replace('"@"', literal).encode()
        expect.error(http.post("/predict", content=single, headers=JSON_TYPE), REFUSED, REFUSED_CODES)
        batch = json.dumps(expect.instances([model.customer(rng), customer])).replace('"@"', literal).encode()
        expect.error(http.post("/predict/batch", content=batch, headers=JSON_TYPE), REFUSED, REFUSED_CODES)


@pytest.mark.check("malformed-json", points=2, skill="robustness", visibility="public")
def test_malformed_json(http, oracle, rng, expect):
    """A body that is not JSON is answered with 400 and invalid_json."""
    valid = json.dumps(expect.body(oracle.current.customer(rng))).encode()
    bodies = (b"", valid[:-1], valid + b"}", b"features=1", valid.replace(b'"', b"'"), b"\xff\xfe{}")
    for path in ("/predict", "/predict/batch"):
        for body in bodies:
            expect.error(http.post(path, content=body, headers=JSON_TYPE), 400, "invalid_json")


@pytest.mark.check("hostile-json", points=2, skill="robustness", visibility="hidden")
def test_hostile_json(http, oracle, rng, expect):
    """JSON made to hurt (very deep, thousands of digits, broken Unicode) is refused, and the service goes on."""
    model = oracle.current
    customer = {**model.customer(rng), rng.choice(model.numeric).name: "@"}
    template = json.dumps(expect.body(customer))
    depth = 60_000
    bodies = (
        "[" * depth,
        '{"features":' * depth + "1" + "}" * depth,
        template.replace('"@"', "[" * depth + "]" * depth),
        template.replace('"@"', "9" * 10_000),
        json.dumps(expect.body(model.customer(rng), "broken-\ud83d")),
    )
    for body in bodies:
        expect.error(
            http.post("/predict", content=body.encode(), headers=JSON_TYPE),
            REFUSED,
            REFUSED_CODES,
        )
    expect.predicts(http, model, rng)


@pytest.mark.check("wrong-shapes", points=2, skill="robustness", visibility="hidden")
def test_wrong_shapes(http, oracle, rng, expect):
    """JSON of the wrong shape is answered with 422: lists, bare values, an empty batch, ids that are no ids."""
    customer = oracle.current.customer(rng)
    singles = [[], [expect.body(customer)], "text", 7, None, {}, {"features": None}, {"features": [customer]}]
    singles += [{"id": 7, "features": customer}, {"id": "x" * 65, "features": customer}]
    for document in singles:
        expect.error(http.post("/predict", json=document), 422, "validation_failed")
    batches = [[], [expect.body(customer)], "text", None, {}, {"instances": {}}, {"instances": None}, {"instances": []}]
    batches += [{"instances": [None]}, {"instances": [expect.body(customer), [customer]]}, {"instances": [{}]}]
    batches += [{"instances": [{"id": ["a"], "features": customer}]}]
    for document in batches:
        expect.error(http.post("/predict/batch", json=document), 422, "validation_failed")


@pytest.mark.check("batch-limit", points=1, skill="robustness", visibility="hidden")
def test_batch_limit(http, oracle, rng, expect):
    """Unless set otherwise, a batch of a thousand instances is served and one of more is answered with 413."""
    model = oracle.current
    customers = model.unlike_customers(rng, 20)
    for count in (1001, 1500):
        many = [customers[index % len(customers)] for index in range(count)]
        expect.error(http.post("/predict/batch", json=expect.instances(many)), 413, "batch_too_large")
    fits = customers * 50
    expect.tells_apart(expect.rows(http.post("/predict/batch", json=expect.instances(fits)), len(fits)))


@pytest.mark.check("limits-follow-settings", points=2, skill="robustness", visibility="hidden")
def test_limits_follow_settings(start_service, oracle, rng, expect):
    """MAX_BODY_BYTES and MAX_BATCH_ROWS set the limits: what is larger gets 413, what just fits is served."""
    max_bytes, max_rows = 4000, 4
    http = start_service(env={"MAX_BODY_BYTES": str(max_bytes), "MAX_BATCH_ROWS": str(max_rows)}).http
    model = oracle.current
    customers = model.unlike_customers(rng, max_rows + 1)
    expect.error(http.post("/predict/batch", json=expect.instances(customers)), 413, "batch_too_large")
    fits = customers[:max_rows]
    expect.tells_apart(expect.rows(http.post("/predict/batch", json=expect.instances(fits)), len(fits)))
    customer = customers[0]
    for path, document in (("/predict", expect.body(customer)), ("/predict/batch", expect.instances([customer]))):
        too_large = json.dumps(document).encode().ljust(max_bytes + 1)
        expect.error(http.post(path, content=too_large, headers=JSON_TYPE), 413, "body_too_large")
    just_fits = json.dumps(expect.body(customer)).encode().ljust(max_bytes)
    expect.single(http.post("/predict", content=just_fits, headers=JSON_TYPE))
