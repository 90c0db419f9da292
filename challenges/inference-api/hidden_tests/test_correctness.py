"""The service's answers are the model's, and the same however it is asked.

Whether they are the model's is the matter of five checks; the others compare the service's answers with each other.
"""

import pytest


@pytest.mark.check("predict-matches-model", points=9, skill="correctness", visibility="public")
def test_predict_matches_model(http, oracle, rng, expect):
    """A single prediction is the model's: probability, decision and version."""
    for customer in oracle.current.customers(rng, 12):
        expect.prediction(http.post("/predict", json=expect.body(customer)), oracle.current, customer)


@pytest.mark.check("key-order-does-not-matter", points=2, skill="correctness", visibility="hidden")
def test_key_order_does_not_matter(http, oracle, rng, expect):
    """The order of the keys in a customer's JSON makes no difference: column order comes from the schema."""
    customers = oracle.current.unlike_customers(rng, 8)
    for customer, own in zip(customers, expect.quiet(http, customers), strict=True):
        keys = list(customer)
        rng.shuffle(keys)
        shuffled = {key: customer[key] for key in keys}
        expect.same(expect.single(http.post("/predict", json=expect.body(shuffled))), own, "with its keys shuffled")
    reversed_keys = [dict(reversed(customer.items())) for customer in customers]
    own = expect.rows(http.post("/predict/batch", json=expect.instances(customers)), len(customers))
    given = expect.rows(http.post("/predict/batch", json=expect.instances(reversed_keys)), len(customers))
    expect.same_rows(given, own, "with the keys of every instance reversed")


@pytest.mark.check("every-feature-counts", points=5, skill="correctness", visibility="hidden")
def test_every_feature_counts(http, oracle, rng, expect):
    """Each feature reaches the model: changed one at a time, through every category and across each range."""
    model = oracle.current
    base = model.customer(rng)
    variants = []
    for feature in model.features:
        values = feature.categories if feature.is_category else [feature.draw(rng) for _ in range(4)]
        variants += [{**base, feature.name: value} for value in values]
    clear = [customer for customer in variants if model.is_clear(customer)]
    for customer in clear:
        expect.prediction(http.post("/predict", json=expect.body(customer)), model, customer)


@pytest.mark.check("range-ends", points=2, skill="correctness", visibility="after")
def test_range_ends(http, oracle, rng, expect):
    """The smallest and the largest allowed value of each number are valid, and a whole number is a valid number."""
    model = oracle.current
    expect.predicts(http, model, rng)
    for feature in model.numeric:
        for end in (int(feature.minimum), int(feature.maximum)):
            customer = {**model.customer(rng), feature.name: end}
            expect.single(http.post("/predict", json=expect.body(customer)))


@pytest.mark.check("batch-matches-model", points=8, skill="correctness", visibility="public")
def test_batch_matches_model(http, oracle, rng, expect):
    """A batch has the model's prediction for each instance."""
    for count in (1, 2, 40):
        customers = oracle.current.customers(rng, count)
        identifiers = [f"customer-{index}" for index in range(count)]
        answer = http.post("/predict/batch", json=expect.instances(customers, identifiers))
        expect.batch(answer, oracle.current, customers, identifiers)


@pytest.mark.check("batch-keeps-order", points=2, skill="correctness", visibility="hidden")
def test_batch_keeps_order(http, oracle, rng, expect):
    """Prediction i of a batch belongs to instance i, also without ids and whatever the ids sort like."""
    customers = oracle.current.unlike_customers(rng, 60)
    own = expect.quiet(http, customers)
    for order in (range(60), [rng.randrange(60) for _ in range(500)]):
        batch, answers = [customers[index] for index in order], [own[index] for index in order]
        given = expect.rows(http.post("/predict/batch", json=expect.instances(batch)), len(batch))
        expect.same_rows(given, answers, f"a batch of {len(batch)}")
        identifiers = [f"{rng.randrange(10**6):x}-{index}" for index in range(len(batch))]
        given = expect.rows(http.post("/predict/batch", json=expect.instances(batch, identifiers)), len(batch))
        expect.same_rows(given, answers, f"a batch of {len(batch)} with ids")


@pytest.mark.check("ids-are-only-labels", points=2, skill="correctness", visibility="hidden")
def test_ids_are_only_labels(http, oracle, rng, expect):
    """An id is a label and no more: it may repeat in a batch, and is not remembered from one request to the next."""
    customers = oracle.current.unlike_customers(rng, 8)
    quiet = expect.quiet(http, customers)
    identifier = f"again-{rng.randrange(10**9)}"
    for customer, own in zip((*customers, customers[0]), (*quiet, quiet[0]), strict=True):
        answer = http.post("/predict", json=expect.body(customer, identifier))
        expect.same(expect.single(answer), own, "with an id that other customers had before")
    own_rows = expect.rows(http.post("/predict/batch", json=expect.instances(customers)), len(customers))
    repeated = [identifier] * len(customers)
    given = expect.rows(http.post("/predict/batch", json=expect.instances(customers, repeated)), len(customers))
    expect.same_rows(given, own_rows, "with one id for all instances")


@pytest.mark.check("decision-uses-threshold", points=4, skill="correctness", visibility="hidden")
def test_decision_uses_threshold(http, oracle, rng, expect):
    """`churn` is true from the model's own threshold on: customers just above and just below it."""
    model = oracle.current
    for low, high in ((model.threshold - 0.07, model.threshold), (model.threshold, model.threshold + 0.07)) * 4:
        customer = model.customer_between(rng, low, high)
        expect.prediction(http.post("/predict", json=expect.body(customer)), model, customer)


@pytest.mark.check("next-release", points=6, skill="correctness", visibility="hidden")
def test_next_release(start_service, oracle, rng, expect):
    """Started with another release of the model, the same code serves that one.

    The release has its own feature order, features, ranges, categories, version and threshold.
    """
    http = start_service(assets={"model": "model-b"}).http
    model = oracle.next_release
    for customer in model.customers(rng, 6):
        expect.prediction(http.post("/predict", json=expect.body(customer)), model, customer)
    islander = {**model.customer(rng), "region": "islands", "monthly_fee": 399.5}
    while not model.is_clear(islander):
        islander = {**model.customer(rng), "region": "islands", "monthly_fee": 399.5}
    # One instance: in which order a batch is answered is not this check's matter.
    expect.batch(http.post("/predict/batch", json=expect.instances([islander])), model, [islander])
    near = model.customer_between(rng, model.threshold, model.threshold + 0.08)
    expect.prediction(http.post("/predict", json=expect.body(near)), model, near)
    old = oracle.current.customer(rng)
    expect.error(http.post("/predict", json=expect.body(old)), 422, "validation_failed", ["features.last_nps"])
