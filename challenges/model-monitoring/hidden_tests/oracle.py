"""The grader's own model, and traffic drawn from a seed: like the training reference, or changed in a known way.

Nothing here is ever in the sandbox. A numeric feature is a rising function of a standard normal number, its latent;
all changes of numbers are made there, so "half a standard deviation" means the same for every feature.
"""

import json
import math
import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

Value = float | int | str | None
Parcel = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number of the model and of its traffic. `scaled` is the model's term for one step of the value."""

    name: str
    whole: bool
    minimum: float
    maximum: float
    if_missing: float
    model_centre: float
    model_scale: float
    weight: float
    centre: float
    spread: float
    skewed: bool
    missing_share: float

    def value(self, latent: float) -> float | int:
        raw = self.centre + self.spread * latent
        inside = min(max(math.exp(raw) if self.skewed else raw, self.minimum), self.maximum)
        return round(inside) if self.whole else round(inside, 2)

    def term(self, value: Any) -> float:
        inside = min(max(self.if_missing if value is None else value, self.minimum), self.maximum)
        return self.weight * (inside - self.model_centre) / self.model_scale


@dataclass(frozen=True, slots=True)
class Category:
    """One of a few words; an unknown one adds nothing to the score."""

    name: str
    if_missing: str
    weights: Mapping[str, float]
    words: tuple[str, ...]
    shares: tuple[float, ...]
    missing_share: float

    def term(self, value: Any) -> float:
        return self.weights.get(self.if_missing if value is None else value, 0.0)


@dataclass(frozen=True, slots=True)
class Change:
    """How traffic differs from the reference. Shifts and stretches are of latents, in standard deviations."""

    shifts: Mapping[str, float] = field(default_factory=dict)
    stretches: Mapping[str, float] = field(default_factory=dict)
    factors: Mapping[str, float] = field(default_factory=dict)
    """What values are multiplied by: a change of unit. The result may lie outside the feature's range."""
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    missing: Mapping[str, float] = field(default_factory=dict)
    coupled: bool = False
    """All numbers of a parcel rise and fall together, so that every term of the model pulls the same way."""


NO_CHANGE = Change()


class Model:
    """One release: what it predicts, and how its traffic is drawn."""

    def __init__(self, described: Mapping[str, Any]) -> None:
        model = described["model"]
        self.version: str = model["version"]
        self.threshold: float = model["threshold"]
        self._intercept: float = model["intercept"]
        pairs = list(zip(model["features"], described["traffic"], strict=True))
        self.features: tuple[Numeric | Category, ...] = tuple(_feature(*pair) for pair in pairs)

    @property
    def names(self) -> list[str]:
        return [feature.name for feature in self.features]

    @property
    def numeric(self) -> list[Numeric]:
        return [feature for feature in self.features if isinstance(feature, Numeric)]

    @property
    def categorical(self) -> list[Category]:
        return [feature for feature in self.features if isinstance(feature, Category)]

    def named(self, name: str) -> Any:
        return next(feature for feature in self.features if feature.name == name)

    def probability(self, parcel: Mapping[str, Value]) -> float:
        """The model's answer; a missing value counts as the typical one, one outside the range as the nearest end."""
        score = self._intercept + sum(feature.term(parcel.get(feature.name)) for feature in self.features)
        return 1.0 / (1.0 + math.exp(-score))

    def parcel(self, rng: random.Random, change: Change = NO_CHANGE) -> Parcel:
        return self.parcels(rng, 1, change)[0]

    def parcels(self, rng: random.Random, count: int, change: Change = NO_CHANGE) -> list[Parcel]:
        """Traffic like the reference, but for the change."""
        draws = [self._drawer(feature, rng, change) for feature in self.features]
        return [self._parcel(draws, rng, change) for _ in range(count)]

    def complete_parcel(self, rng: random.Random) -> Parcel:
        """A parcel with no value missing, and every number well inside its range."""
        return self.parcel(rng, Change(missing=dict.fromkeys(self.names, 0.0)))

    def outcome(self, rng: random.Random, parcel: Mapping[str, Value]) -> bool:
        """Whether the parcel comes late, with the chance the model gives it: it was trained on such outcomes."""
        return rng.random() < self.probability(parcel)

    @staticmethod
    def _parcel(draws: Sequence[Any], rng: random.Random, change: Change) -> Parcel:
        common = rng.gauss(0.0, 1.0) if change.coupled else None
        return dict(draw(common) for draw in draws)

    @staticmethod
    def _drawer(feature: Numeric | Category, rng: random.Random, change: Change) -> Any:
        name = feature.name
        missing = change.missing.get(name, feature.missing_share)
        if isinstance(feature, Category):
            shares = change.shares.get(name)
            weights = list(feature.shares) if shares is None else [shares[word] for word in feature.words]
            steps = list(accumulate(weights))
            words = feature.words

            def draw_word(_common: float | None) -> tuple[str, Value]:
                word = words[min(bisect(steps, rng.random() * steps[-1]), len(words) - 1)]
                return name, None if missing and rng.random() < missing else word

            return draw_word
        shift, stretch = change.shifts.get(name, 0.0), change.stretches.get(name, 1.0)
        factor = change.factors.get(name, 1.0)
        sign = 1.0 if feature.weight > 0 else -1.0

        def draw_number(common: float | None) -> tuple[str, Value]:
            latent = rng.gauss(0.0, 1.0) if common is None else sign * common
            value = feature.value(shift + stretch * latent)
            if factor != 1.0:
                value = round(value * factor) if feature.whole else round(value * factor, 2)
            return name, None if missing and rng.random() < missing else value

        return draw_number


@dataclass(frozen=True, slots=True)
class Oracle:
    """Both releases of the model, and how to change their traffic."""

    current: Model
    next_release: Model

    @staticmethod
    def change(**what: Any) -> Change:
        return Change(**what)

    @staticmethod
    def shares_moved(feature: Category, word: str, by: float) -> dict[str, float]:
        return shares_moved(feature, word, by)


def shares_moved(feature: Category, word: str, by: float) -> dict[str, float]:
    """The feature's shares with `by` more for one word, and as much less for the others, each in proportion."""
    before = dict(zip(feature.words, feature.shares, strict=True))
    left = (1.0 - before[word] - by) / (1.0 - before[word])
    return {other: share + by if other == word else share * left for other, share in before.items()}


def _feature(model: Mapping[str, Any], traffic: Mapping[str, Any]) -> Numeric | Category:
    if model["type"] == "category":
        return Category(
            name=model["name"],
            if_missing=model["if_missing"],
            weights=model["weights"],
            words=tuple(traffic["shares"]),
            shares=tuple(traffic["shares"].values()),
            missing_share=traffic["missing_share"],
        )
    return Numeric(
        name=model["name"],
        whole=model["type"] == "integer",
        minimum=model["minimum"],
        maximum=model["maximum"],
        if_missing=model["if_missing"],
        model_centre=model["centre"],
        model_scale=model["scale"],
        weight=model["weight"],
        centre=traffic["centre"],
        spread=traffic["spread"],
        skewed=traffic["skewed"],
        missing_share=traffic["missing_share"],
    )


def read_model(path: Path) -> Model:
    return Model(json.loads(path.read_text(encoding="utf-8")))


def make_oracle(challenge_folder: Path, seed: int) -> Oracle:
    """Both releases. The same for every seed: what is drawn from the seed is the traffic."""
    folder = challenge_folder / "data" / "oracle"
    return Oracle(read_model(folder / "model.json"), read_model(folder / "model-b.json"))
