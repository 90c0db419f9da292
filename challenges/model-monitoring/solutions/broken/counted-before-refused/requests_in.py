"""From the bytes of a request to parcels that can be scored, or a refusal."""

import json
from collections.abc import Callable
from typing import Any

from model import Feature, Model, Parcel

MAX_INSTANCES = 1000
MAX_ID_LENGTH = 64
LARGEST = 1e12


class Refused(Exception):
    """This request is not served; the status and the sentence go to the caller."""

    def __init__(self, status: int, problem: str) -> None:
        super().__init__(problem)
        self.status = status
        self.problem = problem


def read_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None


def read_instances(body: bytes, model: Model, seen: Callable[[list[Parcel]], None]) -> list[tuple[str, Parcel]]:
    """(id, features) of each instance. A feature may be missing, or lie outside its range; its type must be right."""
    document = read_json(body)
    rows = document.get("instances") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise Refused(422, "instances must be a list of at least one instance")
    if len(rows) > MAX_INSTANCES:
        raise Refused(413, f"at most {MAX_INSTANCES} instances")
    instances = []
    for index, row in enumerate(rows):
        instances.append(_read_instance(row, index, model))
        seen([instances[-1][1]])
    return instances


def _read_instance(row: Any, index: int, model: Model) -> tuple[str, Parcel]:
    identifier = row.get("id") if isinstance(row, dict) else None
    if not isinstance(identifier, str) or not 1 <= len(identifier) <= MAX_ID_LENGTH:
        raise Refused(422, f"instances[{index}].id must be a string of 1 to {MAX_ID_LENGTH} characters")
    features = row.get("features")
    if not isinstance(features, dict):
        raise Refused(422, f"instances[{index}].features must be an object")
    for feature in model.features:
        if not _fits(feature, features.get(feature.name)):
            raise Refused(422, f"instances[{index}].features.{feature.name} is of the wrong type")
    return identifier, features


def _fits(feature: Feature, value: Any) -> bool:
    if value is None:
        return True
    if feature.is_category:
        return isinstance(value, str)
    # The comparison also turns away NaN, infinity, and whole numbers too large for a float.
    return isinstance(value, int | float) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def read_labels(body: bytes) -> list[tuple[str, bool]]:
    """(id, late) of each label."""
    document = read_json(body)
    rows = document.get("labels") if isinstance(document, dict) else None
    if not isinstance(rows, list) or not rows:
        raise Refused(422, "labels must be a list of at least one label")
    if len(rows) > MAX_INSTANCES:
        raise Refused(413, f"at most {MAX_INSTANCES} labels")
    for index, row in enumerate(rows):
        right = isinstance(row, dict) and isinstance(row.get("id"), str) and isinstance(row.get("late"), bool)
        if not right:
            raise Refused(422, f"labels[{index}] must have an id, a string, and late, true or false")
    return [(row["id"], row["late"]) for row in rows]
