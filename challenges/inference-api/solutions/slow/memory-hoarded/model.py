"""The model and its schema: loaded once, and the only place that knows how a customer becomes numbers."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

Customer = dict[str, int | float | str]


@dataclass(frozen=True)
class Feature:
    name: str
    type: str
    minimum: float = 0.0
    maximum: float = 0.0
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    name: str
    version: str
    threshold: float
    features: tuple[Feature, ...]

    @classmethod
    def read(cls, path: Path) -> "Schema":
        document = json.loads(path.read_text(encoding="utf-8"))
        features = tuple(
            Feature(
                name=row["name"],
                type=row["type"],
                minimum=row.get("minimum", 0.0),
                maximum=row.get("maximum", 0.0),
                categories=tuple(row.get("categories", ())),
            )
            for row in document["features"]
        )
        return cls(document["name"], document["version"], document["threshold"], features)


class Model:
    """A loaded model. Holds no state between calls, so any number of requests can use it at once."""

    def __init__(self, folder: Path) -> None:
        self.schema = Schema.read(folder / "schema.json")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
        # Fault: room for answers to come, all of it taken at the start.
        self._answers = np.ones(200_000_000, dtype=np.uint8)
        self._numeric = [feature.name for feature in self.schema.features if feature.type != "category"]
        self._categorical = [feature.name for feature in self.schema.features if feature.type == "category"]

    def probabilities(self, customers: list[Customer]) -> list[float]:
        """The chance that each customer leaves, in the order given. The customers must be valid."""
        numeric = np.array([[row[name] for name in self._numeric] for row in customers], dtype=np.float32)
        categorical = np.array([[row[name] for name in self._categorical] for row in customers], dtype=object)
        outputs = self._session.run(["probabilities"], {"numeric": numeric, "categorical": categorical})
        return [float(row[1]) for row in outputs[0]]

    def churns(self, probability: float) -> bool:
        return probability >= self.schema.threshold
