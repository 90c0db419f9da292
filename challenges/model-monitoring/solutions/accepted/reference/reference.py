"""The training reference: what traffic, predictions and outcomes looked like when the model was made."""

import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model import Model


@dataclass(frozen=True)
class Reference:
    numbers: dict[str, np.ndarray]
    """The values of each numeric feature, sorted; missing ones are left out."""
    words: dict[str, Counter]
    """How often each word of each category came."""
    probabilities: np.ndarray
    rows: int
    late: int
    right: int


def read(folder: Path, model: Model) -> Reference:
    with (folder / "reference.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    values = {feature.name: [row[feature.name] for row in rows if row[feature.name]] for feature in model.features}
    probabilities = np.array([float(row["probability"]) for row in rows])
    late = np.array([row["late"] == "true" for row in rows])
    return Reference(
        numbers={
            feature.name: np.sort(np.array(values[feature.name], float))
            for feature in model.features
            if not feature.is_category
        },
        words={feature.name: Counter(values[feature.name]) for feature in model.features if feature.is_category},
        probabilities=np.sort(probabilities),
        rows=len(rows),
        late=int(late.sum()),
        right=int(((probabilities >= model.threshold) == late).sum()),
    )
