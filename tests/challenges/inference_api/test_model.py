"""The model's artefacts agree with each other and with the script that makes them."""

import json
import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import onnxruntime
import pytest

HALF_THE_TOLERANCE = 5e-6


def onnx_probabilities(folder: Path, model: Any, customers: list[Any]) -> list[float]:
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    numeric = [[customer[feature.name] for feature in model.numeric] for customer in customers]
    categorical = [[customer[feature.name] for feature in model.categorical] for customer in customers]
    inputs = {"numeric": np.array(numeric, np.float32), "categorical": np.array(categorical, object)}
    return [float(row[1]) for row in session.run(["probabilities"], inputs)[0]]


def test_the_oracle_equals_the_onnx_model(release: tuple[Any, Path]) -> None:
    model, folder = release
    customers = model.customers(random.Random(5), 1000)
    customers += [
        {**model.customer(random.Random(feature.name)), feature.name: end}
        for feature in model.numeric
        for end in (feature.minimum, feature.maximum)
    ]
    expected = [model.probability(customer) for customer in customers]
    assert onnx_probabilities(folder, model, customers) == pytest.approx(expected, abs=HALF_THE_TOLERANCE)


def test_the_schema_says_what_the_oracle_knows(release: tuple[Any, Path]) -> None:
    model, folder = release
    schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
    assert (schema["name"], schema["version"], schema["threshold"]) == (model.name, model.version, model.threshold)
    assert [feature["name"] for feature in schema["features"]] == [feature.name for feature in model.features]


def test_the_examples_are_right(release: tuple[Any, Path]) -> None:
    model, folder = release
    examples = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    given = [example["probability"] for example in examples]
    assert given == pytest.approx([model.probability(row["features"]) for row in examples], abs=HALF_THE_TOLERANCE)
    assert all(list(example["features"]) == [feature.name for feature in model.features] for example in examples)


def test_the_releases_differ_in_all_that_a_service_might_hard_code(oracle: Any) -> None:
    current, later = oracle.current, oracle.next_release
    assert current.version != later.version
    assert current.threshold != later.threshold
    assert {feature.name for feature in current.features} != {feature.name for feature in later.features}
    shared = {feature.name for feature in current.features} & {feature.name for feature in later.features}
    orders = [[feature.name for feature in model.features if feature.name in shared] for model in (current, later)]
    assert orders[0] != orders[1]


def test_every_feature_matters_to_the_model(release: tuple[Any, Path]) -> None:
    """A service that drops or swaps a feature can only be found out if the model listens to it."""
    model, _ = release
    customers = model.customers(random.Random(6), 50)
    for feature in model.features:
        values = feature.categories or (feature.minimum, (feature.minimum + feature.maximum) / 4, feature.maximum)
        spreads = []
        for customer in customers:
            probabilities = [model.probability({**customer, feature.name: value}) for value in values]
            spreads.append(max(probabilities) - min(probabilities))
        assert sum(spread > 0.001 for spread in spreads) > 40, feature.name


def test_drawn_customers_are_valid_and_inside_their_ranges(release: tuple[Any, Path]) -> None:
    model, _ = release
    for customer in model.customers(random.Random(7), 500):
        assert list(customer) == [feature.name for feature in model.features]
        assert all(customer[feature.name] in feature.categories for feature in model.categorical)
        assert all(feature.minimum < customer[feature.name] < feature.maximum for feature in model.numeric)
        assert model.is_clear(customer)


def test_unlike_customers_differ_widely_from_one_to_the_next(release: tuple[Any, Path]) -> None:
    model, _ = release
    probabilities = [model.probability(customer) for customer in model.unlike_customers(random.Random(9), 300)]
    assert all(abs(one - other) > 0.3 for one, other in pairwise(probabilities))


def test_a_service_with_swapped_columns_still_tells_unlike_customers_apart(oracle: Any) -> None:
    """So that this mistake costs it the checks about the model only, whatever the seed."""
    model = oracle.current
    names = [feature.name for feature in model.numeric]
    for seed in range(500):
        answers = []
        for customer in model.unlike_customers(random.Random(seed), 3):
            swapped = dict(zip(names, (customer[name] for name in sorted(names)), strict=True))
            answers.append(model.probability({**customer, **swapped}))
        assert max(answers) - min(answers) > 1e-3, seed


def test_the_build_script_makes_the_same_models_again(
    challenge: Path, oracle_module: ModuleType, oracle: Any, tmp_path: Path
) -> None:
    script = challenge / "data" / "build_model.py"
    subprocess.run([sys.executable, str(script), "--into", str(tmp_path)], check=True, timeout=120)
    for folder, model in (("model", oracle.current), ("model-b", oracle.next_release)):
        committed = (challenge / "data" / folder / "schema.json").read_bytes()
        assert (tmp_path / folder / "schema.json").read_bytes() == committed
        rebuilt = oracle_module.read_model(tmp_path / "oracle" / f"{folder}.json")
        customers = model.customers(random.Random(8), 300)
        expected = [model.probability(customer) for customer in customers]
        assert [rebuilt.probability(customer) for customer in customers] == pytest.approx(expected, abs=1e-9)
        served = onnx_probabilities(tmp_path / folder, model, customers)
        assert served == pytest.approx(expected, abs=HALF_THE_TOLERANCE)
