"""The grader's own model: the same trees in plain Python, and customers drawn from a seed.

Nothing here is ever in the sandbox: expected probabilities are computed on the grader's side.
"""

import json
import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Value = int | float | str
Customer = dict[str, Value]

MARGIN = 1e-3
"""How far probabilities are kept from each other, or from a threshold, where a check relies on the difference."""

WIDE_APART = 0.3
"""How far apart neighbours are chosen whom a service has to tell apart, even where its answers are not the model's."""

COMMON_THRESHOLD = 0.5
"""What a service compares with that overlooks the model's own threshold."""

DRAW_LIMIT = 5000


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of the schema. A category has `categories`; a number has `minimum` and `maximum` (inclusive)."""

    name: str
    type: str
    minimum: float
    maximum: float
    categories: tuple[str, ...]

    @property
    def is_category(self) -> bool:
        return self.type == "category"

    def draw(self, rng: random.Random) -> Value:
        """An allowed value, most of them where real customers are; never an end of the range (a check's own matter)."""
        if self.is_category:
            return rng.choice(self.categories)
        step = 1 if self.type == "integer" else 0.01
        value = self.minimum + (self.maximum - self.minimum) * rng.random() * rng.choice((0.1, 0.3, 1.0))
        inside = min(max(value, self.minimum + step), self.maximum - step)
        return math.floor(inside) if self.type == "integer" else round(inside, 2)


@dataclass(frozen=True, slots=True)
class Tree:
    """A regression tree: node i goes left where column[i] <= threshold[i]; a leaf has left -1 and a value."""

    left: tuple[int, ...]
    right: tuple[int, ...]
    column: tuple[int, ...]
    threshold: tuple[float, ...]
    value: tuple[float, ...]

    def leaf_value(self, row: list[float]) -> float:
        node = 0
        while self.left[node] != -1:
            goes_left = row[self.column[node]] <= self.threshold[node]
            node = self.left[node] if goes_left else self.right[node]
        return self.value[node]


@dataclass(frozen=True, slots=True)
class Model:
    """One release of the model: its schema and its trees."""

    name: str
    version: str
    threshold: float
    features: tuple[Feature, ...]
    columns: tuple[Any, ...]
    base: float
    trees: tuple[Tree, ...]

    def probability(self, customer: Customer) -> float:
        """The chance that this customer leaves, as the ONNX model gives it (inputs rounded to float32)."""
        row = [self._column_value(column, customer) for column in self.columns]
        score = self.base + sum(tree.leaf_value(row) for tree in self.trees)
        return 1.0 / (1.0 + math.exp(-score))

    def churns(self, customer: Customer) -> bool:
        return self.probability(customer) >= self.threshold

    def customer(self, rng: random.Random) -> Customer:
        """A valid customer, keys in schema order, whose decision is clear."""
        return self._draw_until(rng, self.is_clear)

    def customers(self, rng: random.Random, count: int) -> list[Customer]:
        return [self.customer(rng) for _ in range(count)]

    def unlike_customers(self, rng: random.Random, count: int) -> list[Customer]:
        """Customers whose probabilities differ by at least 0.3 from one to the next."""
        chosen = [self.customer(rng)]
        while len(chosen) < count:
            other = self.customer(rng)
            if abs(self.probability(other) - self.probability(chosen[-1])) > WIDE_APART:
                chosen.append(other)
        return chosen

    def customer_between(self, rng: random.Random, low: float, high: float) -> Customer:
        """A customer whose probability lies between low and high, and not close to either."""
        return self._draw_until(rng, lambda customer: low + MARGIN <= self.probability(customer) <= high - MARGIN)

    def is_clear(self, customer: Customer) -> bool:
        """Whether the decision about this customer is the same for the model's threshold and the common one.

        So only the checks about the threshold depend on it.
        """
        low, high = sorted((self.threshold, COMMON_THRESHOLD))
        return not low - MARGIN < self.probability(customer) < high + MARGIN

    @property
    def numeric(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.features if not feature.is_category)

    @property
    def categorical(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.features if feature.is_category)

    def _draw_until(self, rng: random.Random, fits: Callable[[Customer], bool]) -> Customer:
        for _ in range(DRAW_LIMIT):
            customer = {feature.name: feature.draw(rng) for feature in self.features}
            if fits(customer):
                return customer
        raise RuntimeError(f"none of {DRAW_LIMIT} customers drawn was of the kind wanted")

    def _column_value(self, column: Any, customer: Customer) -> float:
        if isinstance(column, str):
            return to_float32(float(customer[column]))
        name, category = column
        return 1.0 if customer[name] == category else 0.0


@dataclass(frozen=True, slots=True)
class Oracle:
    """The release the service is started with, and the one that is swapped in to see what is hard-coded."""

    current: Model
    next_release: Model


def to_float32(value: float) -> float:
    """The nearest 32-bit float: what the model sees of a number."""
    return float(struct.unpack("<f", struct.pack("<f", value))[0])


def read_model(path: Path) -> Model:
    """Reads one release from its oracle file."""
    document = json.loads(path.read_text(encoding="utf-8"))
    schema = document["schema"]
    return Model(
        name=schema["name"],
        version=schema["version"],
        threshold=schema["threshold"],
        features=tuple(
            Feature(
                name=feature["name"],
                type=feature["type"],
                minimum=float(feature.get("minimum", 0.0)),
                maximum=float(feature.get("maximum", 0.0)),
                categories=tuple(feature.get("categories", ())),
            )
            for feature in schema["features"]
        ),
        columns=tuple(document["columns"]),
        base=document["base"],
        trees=tuple(
            Tree(**{name: tuple(tree[name]) for name in ("left", "right", "column", "threshold", "value")})
            for tree in document["trees"]
        ),
    )


def make_oracle(challenge_folder: Path, seed: int) -> Oracle:
    """The oracle fixture's value; the models do not depend on the seed, the customers drawn from them do."""
    folder = challenge_folder / "data" / "oracle"
    return Oracle(current=read_model(folder / "model.json"), next_release=read_model(folder / "model-b.json"))
