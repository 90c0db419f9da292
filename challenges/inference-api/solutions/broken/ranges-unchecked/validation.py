"""From bytes to valid instances: all problems are collected, and nothing is coerced."""

import json
import math
from dataclasses import dataclass
from typing import Any

import errors
from errors import Problem
from model import Customer, Feature, Schema

MAX_ID_LENGTH = 64


@dataclass(frozen=True)
class Instance:
    id: str | None
    features: Customer


def parse_json(body: bytes) -> Any:
    try:
        text = body.decode("utf-8")
        document = json.loads(text, parse_constant=_refuse_constant)
        if "\\ud" in text.lower():
            # Half of a surrogate pair gets through json.loads but can never be sent back.
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        return document
    except RecursionError:
        raise errors.invalid_json("it is nested too deeply") from None
    except ValueError as error:
        raise errors.invalid_json(str(error)) from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def read_single(document: Any, schema: Schema) -> Instance:
    instance, problems = _read_instance(document, schema, prefix="")
    if problems:
        raise errors.validation_failed(problems)
    return instance


def read_batch(document: Any, schema: Schema, max_rows: int) -> list[Instance]:
    if not isinstance(document, dict):
        raise errors.validation_failed([Problem("body", "must be a JSON object")])
    rows = document.get("instances")
    if not isinstance(rows, list):
        raise errors.validation_failed([Problem("instances", "must be a list")])
    if not rows:
        raise errors.validation_failed([Problem("instances", "must hold at least one instance")])
    if len(rows) > max_rows:
        raise errors.batch_too_large(len(rows), max_rows)
    instances, problems = [], []
    for index, row in enumerate(rows):
        instance, found = _read_instance(row, schema, prefix=f"instances[{index}]")
        instances.append(instance)
        problems += found
    if problems:
        raise errors.validation_failed(problems)
    return instances


def _read_instance(document: Any, schema: Schema, prefix: str) -> tuple[Instance, list[Problem]]:
    nothing = Instance(None, {})
    if not isinstance(document, dict):
        return nothing, [Problem(prefix or "body", "must be a JSON object")]
    at = f"{prefix}." if prefix else ""
    problems = []
    identifier = document.get("id")
    if identifier is not None and not (isinstance(identifier, str) and len(identifier) <= MAX_ID_LENGTH):
        problems.append(Problem(f"{at}id", f"must be a string of at most {MAX_ID_LENGTH} characters, or null"))
    features = document.get("features")
    if not isinstance(features, dict):
        return nothing, [*problems, Problem(f"{at}features", "must be a JSON object")]
    for feature in schema.features:
        if feature.name not in features:
            problems.append(Problem(f"{at}features.{feature.name}", "is missing"))
        elif complaint := _complaint(feature, features[feature.name]):
            problems.append(Problem(f"{at}features.{feature.name}", complaint))
    known = {feature.name for feature in schema.features}
    strangers = [name for name in features if name not in known]
    problems += [Problem(f"{at}features.{name}", "is not a feature of this model") for name in strangers]
    return Instance(identifier, features), problems


def _complaint(feature: Feature, value: Any) -> str | None:
    """What is wrong with this value, or None."""
    if feature.type == "category":
        if isinstance(value, str) and value in feature.categories:
            return None
        return f"must be one of {', '.join(feature.categories)}"
    # bool is an int in Python, so it has to be turned away by name.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "must be a number"
    if isinstance(value, float) and not math.isfinite(value):
        return "must be a finite number"
    if feature.type == "integer" and value != int(value):
        return "must be a whole number"
    # Fault: a fee of minus a million is scored like any other.
    return None
