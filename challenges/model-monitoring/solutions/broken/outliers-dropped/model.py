"""The model: plain numbers from its folder, and what it says about a parcel."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Parcel = dict[str, Any]


@dataclass(frozen=True)
class Feature:
    """One input. A category has `weights`; a number has a range, and a weight for each `scale` away from `centre`."""

    name: str
    is_category: bool
    if_missing: Any
    weights: dict[str, float]
    minimum: float
    maximum: float
    centre: float
    scale: float
    weight: float

    @classmethod
    def read(cls, described: dict[str, Any]) -> "Feature":
        return cls(
            name=described["name"],
            is_category=described["type"] == "category",
            if_missing=described["if_missing"],
            weights=described.get("weights", {}),
            minimum=described.get("minimum", 0.0),
            maximum=described.get("maximum", 0.0),
            centre=described.get("centre", 0.0),
            scale=described.get("scale", 1.0),
            weight=described.get("weight", 0.0),
        )

    def fits(self, value: Any) -> bool:
        return self.is_category or self.minimum <= value <= self.maximum

    def term(self, value: Any) -> float:
        """What this value adds to the score."""
        if value is None:
            value = self.if_missing
        if self.is_category:
            return self.weights.get(value, 0.0)
        return self.weight * (min(max(value, self.minimum), self.maximum) - self.centre) / self.scale


class Model:
    def __init__(self, folder: Path) -> None:
        described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        self.version: str = described["version"]
        self.threshold: float = described["threshold"]
        self.intercept: float = described["intercept"]
        self.features = [Feature.read(feature) for feature in described["features"]]

    def probability(self, parcel: Parcel) -> float:
        """The chance that this parcel comes late."""
        score = self.intercept + sum(feature.term(parcel.get(feature.name)) for feature in self.features)
        return 1.0 / (1.0 + math.exp(-score))

    def is_late(self, probability: float) -> bool:
        return probability >= self.threshold
