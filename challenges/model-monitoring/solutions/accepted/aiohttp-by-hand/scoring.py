"""The model from its folder, and requests turned into rows or refused."""

import json
import math
from pathlib import Path


class BadRequest(Exception):
    def __init__(self, status, why):
        super().__init__(why)
        self.status, self.why = status, why


class Scorer:
    def __init__(self, folder: Path):
        with (folder / "model.json").open(encoding="utf-8") as file:
            spec = json.load(file)
        self.version = spec["version"]
        self.threshold = spec["threshold"]
        self.intercept = spec["intercept"]
        self.numbers = {f["name"]: f for f in spec["features"] if f["type"] != "category"}
        self.words = {f["name"]: f for f in spec["features"] if f["type"] == "category"}
        self.names = [f["name"] for f in spec["features"]]

    def probability(self, row):
        score = self.intercept
        for name, spec in self.numbers.items():
            value = row.get(name)
            value = spec["if_missing"] if value is None else min(max(value, spec["minimum"]), spec["maximum"])
            score += spec["weight"] * (value - spec["centre"]) / spec["scale"]
        for name, spec in self.words.items():
            value = row.get(name)
            score += spec["weights"].get(spec["if_missing"] if value is None else value, 0.0)
        return 1 / (1 + math.exp(-score))


def parse(body):
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadRequest(400, "not JSON") from None


def rows_of(document, key):
    rows = document.get(key) if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise BadRequest(422, f"{key} must be a list with something in it")
    if len(rows) > 1000:
        raise BadRequest(413, "too many at once")
    if not all(isinstance(row, dict) and isinstance(row.get("id"), str) and 0 < len(row["id"]) <= 64 for row in rows):
        raise BadRequest(422, "each needs an id of 1 to 64 characters")
    return rows


def instances(body, scorer):
    rows = rows_of(parse(body), "instances")
    for row in rows:
        features = row.get("features")
        if not isinstance(features, dict):
            raise BadRequest(422, f"{row['id']}: features must be an object")
        for name in scorer.numbers:
            value = features.get(name)
            # type() and not isinstance(): true is no number.
            if value is not None and (type(value) not in (int, float) or not -1e12 < value < 1e12):
                raise BadRequest(422, f"{row['id']}: {name} must be a number")
        for name in scorer.words:
            if not isinstance(features.get(name), str | None):
                raise BadRequest(422, f"{row['id']}: {name} must be a string")
    return rows


def labels(body):
    rows = rows_of(parse(body), "labels")
    if not all(isinstance(row.get("late"), bool) for row in rows):
        raise BadRequest(422, "late must be true or false")
    return [(row["id"], row["late"]) for row in rows]
