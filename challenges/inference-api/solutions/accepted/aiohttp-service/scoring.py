"""The model, its schema, and the rules that follow from it."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort


class Refused(Exception):
    """A request that gets an error: HTTP status, code, message and the offending values as (path, problem)."""

    def __init__(self, status: int, code: str, message: str, details: list[tuple[str, str]] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.details = status, code, message, details or []

    def document(self) -> dict[str, Any]:
        details = [{"field": field, "problem": problem} for field, problem in self.details]
        return {"error": {"code": self.code, "message": self.message, "details": details}}


def invalid(details: list[tuple[str, str]]) -> Refused:
    return Refused(422, "validation_failed", f"{len(details)} value(s) were refused", details)


class Scorer:
    def __init__(self, folder: Path) -> None:
        self.schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
        self.version = self.schema["version"]
        self.features = {feature["name"]: feature for feature in self.schema["features"]}
        self.numeric = [name for name, feature in self.features.items() if feature["type"] != "category"]
        self.categorical = [name for name, feature in self.features.items() if feature["type"] == "category"]
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = ort.InferenceSession(str(folder / "model.onnx"), options)

    def score(self, instances: list[dict[str, Any]]) -> list[dict[str, Any]]:
        rows = [instance["features"] for instance in instances]
        inputs = {
            "numeric": np.array([[row[name] for name in self.numeric] for row in rows], dtype=np.float32),
            "categorical": np.array([[row[name] for name in self.categorical] for row in rows], dtype=object),
        }
        chances = self.session.run(["probabilities"], inputs)[0][:, 1].astype(float).tolist()
        return [
            {"id": instance.get("id"), "probability": chance, "churn": chance >= self.schema["threshold"]}
            for instance, chance in zip(instances, chances, strict=True)
        ]

    def problems(self, instance: Any, at: str = "") -> list[tuple[str, str]]:
        """Everything wrong with one instance, as (path, problem)."""
        if not isinstance(instance, dict):
            return [(at or "body", "must be an object")]
        prefix = f"{at}." if at else ""
        found = []
        if not is_id(instance.get("id")):
            found.append((f"{prefix}id", "must be a string of at most 64 characters"))
        features = instance.get("features")
        if not isinstance(features, dict):
            return [*found, (f"{prefix}features", "must be an object")]
        for name, feature in self.features.items():
            problem = complaint(feature, features[name]) if name in features else "is missing"
            if problem:
                found.append((f"{prefix}features.{name}", problem))
        found += [(f"{prefix}features.{name}", "is unknown") for name in features if name not in self.features]
        return found


def is_id(value: Any) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= 64)


def complaint(feature: dict[str, Any], value: Any) -> str | None:
    match feature["type"], value:
        case "category", str():
            return None if value in feature["categories"] else f"must be one of {', '.join(feature['categories'])}"
        case "category", _:
            return "must be a string"
        case _, bool():
            return "must be a number, not a boolean"
        case "integer", int():
            pass
        case "number", int() | float():
            pass
        case kind, _:
            return f"must be of type {kind}"
    if not (math.isfinite(value) if isinstance(value, float) else True):
        return "must be finite"
    if not feature["minimum"] <= value <= feature["maximum"]:
        return f"must be from {feature['minimum']} to {feature['maximum']}"
    return None
