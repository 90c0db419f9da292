"""Makes the challenge's models: synthetic subscribers from a seed, a trained pipeline, ONNX, schema and oracle.

    data/
      build_model.py     this file; needs scikit-learn and skl2onnx (the project's development environment)
      model/             what a candidate has:    model.onnx, schema.json, examples.json
      model-b/           the hidden next release: model.onnx, schema.json, examples.json
      oracle/            model.json, model-b.json: the same trees as plain numbers, for the grader's side

`python data/build_model.py` writes the three folders again, with the same content each time.

The ONNX graph has two inputs, `numeric` (float32, rows x number of numeric features) and `categorical` (strings,
rows x number of categorical features); the columns of each stand in the order of the schema's features.
"""

import argparse
import json
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Value = int | float | str
Customer = dict[str, Value]

ROWS = 3000
TREES = 60
TREE_DEPTH = 3
EXAMPLES = 8
MODEL_NAME = "subscriber-churn"


@dataclass(frozen=True, slots=True)
class Feature:
    """One input of the model. A category has `categories`, anything else `minimum` and `maximum` (inclusive)."""

    name: str
    type: str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()

    def as_schema(self) -> dict[str, Any]:
        """The feature as schema.json holds it."""
        limits: dict[str, Any] = (
            {"categories": list(self.categories)}
            if self.type == "category"
            else {"minimum": self.minimum, "maximum": self.maximum}
        )
        return {"name": self.name, "type": self.type, **limits, "description": self.description}


@dataclass(frozen=True, slots=True)
class Release:
    """One trained version of the model: where it goes, from which seed, and what its schema says."""

    folder: str
    version: str
    seed: int
    threshold: float
    features: tuple[Feature, ...]

    @property
    def numeric(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.features if feature.type != "category")

    @property
    def categorical(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.features if feature.type == "category")


TENURE = Feature("tenure_months", "integer", "Full months since the first invoice", 0, 240)
CONTRACT = Feature(
    "contract", "category", "How long the customer is bound", categories=("monthly", "one_year", "two_year")
)
FEE = Feature("monthly_fee", "number", "Current monthly fee in euros", 0.0, 250.0)
TICKETS = Feature("support_tickets_90d", "integer", "Support tickets opened in the last 90 days", 0, 40)
USAGE = Feature("data_usage_gb", "number", "Data used in the last 30 days, in gigabytes", 0.0, 2000.0)
TREND = Feature("usage_trend", "number", "Change of usage against the month before: -0.25 is a quarter less", -1.0, 4.0)
PAYMENT = Feature(
    "payment_method", "category", "How the invoice is paid", categories=("bank_transfer", "card", "invoice", "wallet")
)
LATE = Feature("late_payments_12m", "integer", "Invoices paid late in the last 12 months", 0, 12)
REGION = Feature("region", "category", "Sales region", categories=("central", "east", "north", "south", "west"))
LOGIN = Feature("days_since_login", "integer", "Days since the customer last logged in", 0, 730)

PARTNER_REGION = Feature(
    "region", "category", "Sales region", categories=("central", "east", "islands", "north", "south", "west")
)
WIDER_FEE = Feature("monthly_fee", "number", "Current monthly fee in euros", 0.0, 400.0)
NPS = Feature("last_nps", "integer", "Last answer to the promoter question", 0, 10)

RELEASES = (
    Release(
        folder="model",
        version="2026.03.1",
        seed=20260301,
        threshold=0.42,
        features=(TENURE, CONTRACT, FEE, TICKETS, USAGE, TREND, PAYMENT, LATE, REGION, LOGIN),
    ),
    Release(
        folder="model-b",
        version="2026.09.0-rc2",
        seed=20260917,
        threshold=0.31,
        features=(PARTNER_REGION, LOGIN, WIDER_FEE, PAYMENT, TREND, NPS, TENURE, LATE, CONTRACT, USAGE, TICKETS),
    ),
)

# How each feature is drawn; anything outside the feature's range is clipped to it.
DRAWS: dict[str, Callable[[random.Random], float]] = {
    "tenure_months": lambda rng: rng.expovariate(1 / 38),
    "monthly_fee": lambda rng: rng.gauss(58, 24),
    "support_tickets_90d": lambda rng: rng.expovariate(1 / 1.6),
    "data_usage_gb": lambda rng: rng.lognormvariate(3.6, 1.0),
    "usage_trend": lambda rng: rng.gauss(0.0, 0.35),
    "late_payments_12m": lambda rng: rng.expovariate(1 / 0.9),
    "days_since_login": lambda rng: rng.expovariate(1 / 24),
    "last_nps": lambda rng: rng.gauss(7.2, 2.1),
}

# What drives churn in the synthetic world, beside the numbers: contract, payment and region shift the odds.
SHIFTS: dict[str, dict[str, float]] = {
    "contract": {"monthly": 1.1, "one_year": -0.2, "two_year": -1.2},
    "payment_method": {"bank_transfer": -0.3, "card": 0.0, "invoice": 0.5, "wallet": 0.3},
    "region": {"central": 0.0, "east": 0.25, "islands": 0.6, "north": -0.3, "south": 0.35, "west": -0.1},
}


def draw_customer(features: Sequence[Feature], rng: random.Random) -> Customer:
    """One synthetic subscriber, every value inside the schema's ranges."""
    customer: Customer = {}
    for feature in features:
        if feature.type == "category":
            customer[feature.name] = rng.choice(feature.categories)
            continue
        value = min(max(DRAWS[feature.name](rng), feature.minimum or 0.0), feature.maximum or 0.0)
        customer[feature.name] = math.floor(value) if feature.type == "integer" else round(value, 2)
    return customer


def churn_probability(customer: Customer) -> float:
    """The true chance that a synthetic subscriber leaves; the model only ever sees who left."""

    def number(name: str, default: float = 0.0) -> float:
        return float(customer.get(name, default))

    logit = -1.3 - 0.022 * number("tenure_months") + 0.016 * (number("monthly_fee") - 58)
    logit += 0.28 * number("support_tickets_90d") + 0.34 * number("late_payments_12m")
    logit += 0.017 * number("days_since_login") - 1.5 * number("usage_trend") - 0.003 * number("data_usage_gb")
    logit -= 0.22 * (number("last_nps", 7.0) - 7.0)
    logit += sum(shift[str(customer[name])] for name, shift in SHIFTS.items())
    if customer["contract"] == "monthly" and number("monthly_fee") > 80:
        logit += 0.8
    return 1.0 / (1.0 + math.exp(-logit))


def train(release: Release) -> Any:
    """The fitted pipeline (one-hot, then gradient boosting) of a release.

    Columns: the numeric features, then the categorical ones, each in schema order.
    """
    import numpy as np
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OneHotEncoder

    rng = random.Random(release.seed)
    customers = [draw_customer(release.features, rng) for _ in range(ROWS)]
    labels = [int(rng.random() < churn_probability(customer)) for customer in customers]
    columns = [feature.name for feature in (*release.numeric, *release.categorical)]
    table = np.array([[customer[name] for name in columns] for customer in customers], dtype=object)
    split = len(release.numeric)
    encode = ColumnTransformer(
        [
            ("numeric", "passthrough", list(range(split))),
            # An unknown category is all zeros here: the model scores it without a word, so a service must refuse it.
            ("categorical", OneHotEncoder(handle_unknown="ignore"), list(range(split, len(columns)))),
        ],
        sparse_threshold=0.0,
    )
    boosting = GradientBoostingClassifier(n_estimators=TREES, max_depth=TREE_DEPTH, random_state=release.seed)
    return Pipeline([("encode", encode), ("boosting", boosting)]).fit(table, labels)


def to_examples(release: Release, pipeline: Any) -> list[dict[str, Any]]:
    """A few customers with the probability that the trained pipeline gives them: what a hand-over comes with."""
    import numpy as np

    rng = random.Random(release.seed + 1)
    customers = [draw_customer(release.features, rng) for _ in range(EXAMPLES)]
    columns = [feature.name for feature in (*release.numeric, *release.categorical)]
    table = np.array([[customer[name] for name in columns] for customer in customers], dtype=object)
    probabilities = pipeline.predict_proba(table)[:, 1]
    return [
        {"features": customer, "probability": round(float(probability), 6)}
        for customer, probability in zip(customers, probabilities, strict=True)
    ]


def to_onnx(release: Release, pipeline: Any) -> bytes:
    """The pipeline as ONNX: inputs `numeric` and `categorical`, outputs `label` and `probabilities` (rows x 2)."""
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    model = convert_sklearn(
        pipeline,
        name=MODEL_NAME,
        initial_types=[
            ("numeric", FloatTensorType([None, len(release.numeric)])),
            ("categorical", StringTensorType([None, len(release.categorical)])),
        ],
        options={"zipmap": False},
        target_opset={"": 17, "ai.onnx.ml": 3},
    )
    return bytes(model.SerializeToString(deterministic=True))


def to_schema(release: Release) -> dict[str, Any]:
    """What schema.json holds: all a service needs to know about the model."""
    return {
        "name": MODEL_NAME,
        "version": release.version,
        "threshold": release.threshold,
        "features": [feature.as_schema() for feature in release.features],
    }


def to_oracle(release: Release, pipeline: Any) -> dict[str, Any]:
    """The trees as plain numbers: node i goes left where column[i] <= threshold[i]; a leaf has left -1.

    A column is a feature's name, or [name, category] for a one-hot column. The probability is the logistic
    function of `base` plus the leaf values.
    """
    boosting = pipeline.named_steps["boosting"]
    encoder = pipeline.named_steps["encode"].named_transformers_["categorical"]
    columns: list[Any] = [feature.name for feature in release.numeric]
    for feature, categories in zip(release.categorical, encoder.categories_, strict=True):
        columns += [[feature.name, str(category)] for category in categories]
    prior = float(boosting.init_.class_prior_[1])
    return {
        "schema": to_schema(release),
        "columns": columns,
        "base": math.log(prior / (1.0 - prior)),
        "trees": [plain_tree(stage[0].tree_, boosting.learning_rate) for stage in boosting.estimators_],
    }


def plain_tree(tree: Any, learning_rate: float) -> dict[str, list[float]]:
    """One regression tree as five lists over its nodes, leaf values scaled by the learning rate."""
    leaf = [left == -1 for left in tree.children_left]
    return {
        "left": [int(node) for node in tree.children_left],
        "right": [int(node) for node in tree.children_right],
        "column": [0 if is_leaf else int(column) for is_leaf, column in zip(leaf, tree.feature, strict=True)],
        "threshold": [0.0 if is_leaf else float(t) for is_leaf, t in zip(leaf, tree.threshold, strict=True)],
        "value": [
            float(value) * learning_rate if is_leaf else 0.0
            for is_leaf, value in zip(leaf, tree.value[:, 0, 0], strict=True)
        ],
    }


def build(release: Release, into: Path) -> None:
    """Writes the folder of one release and its oracle under `into`."""
    pipeline = train(release)
    folder = into / release.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(to_onnx(release, pipeline))
    write_json(folder / "schema.json", to_schema(release), indent=2)
    write_json(folder / "examples.json", to_examples(release, pipeline), indent=2)
    (into / "oracle").mkdir(exist_ok=True)
    write_json(into / "oracle" / f"{release.folder}.json", to_oracle(release, pipeline))


def write_json(path: Path, document: Any, indent: int | None = None) -> None:
    separators = (",", ": ") if indent else (",", ":")
    path.write_text(json.dumps(document, indent=indent, separators=separators) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds both releases of the model from their seeds.")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent, help="folder to write to (default: data/)")
    arguments = parser.parse_args()
    for release in RELEASES:
        build(release, arguments.into)
        print(f"{release.folder}: version {release.version}")


if __name__ == "__main__":
    main()
