"""Makes the challenge's models: a release's plain numbers, its training reference, and what the grader's side knows.

    data/
      build_model.py     this file; the standard library is enough
      model/             what a candidate has:    model.json, reference.csv
      model-b/           the hidden next release: model.json, reference.csv
      oracle/            model.json, model-b.json: how traffic of each release is drawn, for the grader's side

`python data/build_model.py` writes the folders again, with the same content each time.

Every numeric feature is a rising function of a standard normal number, the "latent". So the size of a shift means the
same for each of them, whatever its unit and however skewed: half a standard deviation is half a unit of the latent.
"""

import argparse
import csv
import json
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REFERENCE_ROWS = 5000
MODEL_NAME = "late-parcels"

Value = float | int | str | None


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number: centre + spread * latent, or the exponential of that where `skewed`."""

    name: str
    type: str
    description: str
    minimum: float
    maximum: float
    centre: float
    spread: float
    weight: float
    skewed: bool = False
    missing_share: float = 0.0

    def value(self, latent: float) -> float | int:
        raw = self.centre + self.spread * latent
        inside = min(max(math.exp(raw) if self.skewed else raw, self.minimum), self.maximum)
        return round(inside) if self.type == "integer" else round(inside, 2)

    @property
    def typical(self) -> float | int:
        return self.value(0.0)

    @property
    def scale(self) -> float:
        """What the model divides by: about a standard deviation in the feature's own unit."""
        return round(self.typical * self.spread if self.skewed else self.spread, 3)

    def as_model(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "if_missing": self.typical,
            "centre": self.typical,
            "scale": self.scale,
            "weight": self.weight,
        }

    def as_traffic(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "centre": self.centre,
            "spread": self.spread,
            "skewed": self.skewed,
            "missing_share": self.missing_share,
        }


@dataclass(frozen=True, slots=True)
class Category:
    """One of a few words: its share of the traffic and its weight in the model."""

    name: str
    description: str
    shares: dict[str, float]
    weights: dict[str, float]
    missing_share: float = 0.0
    type: str = "category"

    def as_model(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "type": self.type,
            "description": self.description,
            "if_missing": max(self.shares, key=lambda word: self.shares[word]),
            "weights": self.weights,
        }

    def as_traffic(self) -> dict[str, Any]:
        return {"name": self.name, "shares": self.shares, "missing_share": self.missing_share}


Feature = Numeric | Category


@dataclass(frozen=True, slots=True)
class Release:
    """One version of the model: where it goes, the seed of its reference, and its numbers."""

    folder: str
    version: str
    seed: int
    threshold: float
    intercept: float
    features: tuple[Feature, ...]


DISTANCE = Numeric(
    "distance_km", "number", "From the depot to the door", 0.5, 3000.0, 4.2, 0.7, 0.75, skewed=True, missing_share=0.01
)
WEIGHT = Numeric("weight_kg", "number", "Weight of the parcel", 0.05, 80.0, 1.0, 0.6, 0.7, skewed=True)
TEMPERATURE = Numeric(
    "temperature_c", "number", "Forecast for the day of delivery", -40.0, 55.0, 11.0, 7.0, -0.8, missing_share=0.02
)
VAN_LOAD = Numeric("parcels_on_van", "integer", "How many parcels the van carries", 1, 300, 130.0, 28.0, 0.9)
STOPS = Numeric("stops_before", "integer", "Stops before this one on the tour", 0, 120, 2.7, 0.6, 0.7, skewed=True)
CARRIER = Category(
    "carrier",
    "Who drives",
    {"alba": 0.35, "bruin": 0.25, "corvid": 0.2, "dray": 0.14, "egret": 0.06},
    {"alba": -0.4, "bruin": 0.0, "corvid": 0.3, "dray": 0.5, "egret": 0.2},
)
SERVICE = Category(
    "service",
    "What was booked",
    {"standard": 0.6, "express": 0.25, "economy": 0.15},
    {"standard": 0.0, "express": -0.5, "economy": 0.5},
)
AREA = Category(
    "area",
    "What the address is like",
    {"city": 0.4, "suburb": 0.3, "village": 0.2, "island": 0.1},
    {"city": -0.1, "suburb": -0.2, "village": 0.2, "island": 0.5},
    missing_share=0.01,
)

WIND = Numeric(
    "wind_kmh", "number", "Forecast of the wind for the day of delivery", 0.0, 200.0, 2.8, 0.5, 0.8, skewed=True
)
HEAVIER = Numeric("weight_kg", "number", "Weight of the parcel", 0.05, 120.0, 1.9, 0.5, 0.6, skewed=True)
MORE_CARRIERS = Category(
    "carrier",
    "Who drives",
    {"bruin": 0.3, "corvid": 0.25, "dray": 0.2, "fjord": 0.25},
    {"bruin": 0.0, "corvid": 0.3, "dray": 0.5, "fjord": -0.6},
)

RELEASES = (
    Release(
        folder="model",
        version="2026.10.2",
        seed=20261002,
        threshold=0.45,
        intercept=-1.7,
        features=(DISTANCE, WEIGHT, TEMPERATURE, VAN_LOAD, STOPS, CARRIER, SERVICE, AREA),
    ),
    Release(
        folder="model-b",
        version="2026.12.0-rc1",
        seed=20261130,
        threshold=0.5,
        intercept=-1.9,
        features=(MORE_CARRIERS, WIND, STOPS, HEAVIER, SERVICE, DISTANCE, VAN_LOAD),
    ),
)


def draw(features: Sequence[Feature], rng: random.Random) -> dict[str, Value]:
    """One parcel as the model's training data has them: features independent of each other, some values missing."""
    parcel: dict[str, Value] = {}
    for feature in features:
        value: Value
        if isinstance(feature, Category):
            value = rng.choices(list(feature.shares), list(feature.shares.values()))[0]
        else:
            value = feature.value(rng.gauss(0.0, 1.0))
        parcel[feature.name] = None if rng.random() < feature.missing_share else value
    return parcel


def probability(release: Release, parcel: dict[str, Value]) -> float:
    """What the model says: the logistic function of the intercept and one term for each feature."""
    score = release.intercept
    for feature in release.features:
        described = feature.as_model()
        value = parcel[feature.name] if parcel[feature.name] is not None else described["if_missing"]
        if isinstance(feature, Category):
            score += feature.weights[str(value)]
        else:
            score += feature.weight * (float(value) - described["centre"]) / described["scale"]
    return 1.0 / (1.0 + math.exp(-score))


def write_reference(release: Release, path: Path) -> None:
    """Parcels the model was trained on, with the probability it gives each, and what became of it."""
    rng = random.Random(release.seed)
    names = [feature.name for feature in release.features]
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([*names, "probability", "late"])
        for _ in range(REFERENCE_ROWS):
            parcel = draw(release.features, rng)
            chance = probability(release, parcel)
            cells = ["" if parcel[name] is None else parcel[name] for name in names]
            rows.writerow([*cells, f"{chance:.6f}", "true" if rng.random() < chance else "false"])


def build(release: Release, into: Path) -> None:
    """Writes the folder of one release, and how its traffic is drawn, under `into`."""
    folder = into / release.folder
    folder.mkdir(parents=True, exist_ok=True)
    model = {
        "name": MODEL_NAME,
        "version": release.version,
        "threshold": release.threshold,
        "intercept": release.intercept,
        "features": [feature.as_model() for feature in release.features],
    }
    write_json(folder / "model.json", model)
    write_reference(release, folder / "reference.csv")
    (into / "oracle").mkdir(exist_ok=True)
    traffic = [feature.as_traffic() for feature in release.features]
    write_json(into / "oracle" / f"{release.folder}.json", {"model": model, "traffic": traffic})


def write_json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Builds both releases of the model from their seeds.")
    parser.add_argument("--into", type=Path, default=Path(__file__).parent, help="folder to write to (default: data/)")
    arguments = parser.parse_args()
    for release in RELEASES:
        build(release, arguments.into)
        print(f"{release.folder}: version {release.version}")


if __name__ == "__main__":
    main()
