"""Whether a window of predictions looks like the training reference: one test for each signal.

A window raises a false alarm when any of its tests does, so the rate of a window is shared out among its tests
(Bonferroni). Numbers and predictions: Kolmogorov-Smirnov, which sees a change of mean, spread or shape. Categories:
chi-square. Both compare with the reference, never with the windows before, or a slow drift would go unseen.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.special import chdtrc, kolmogorov

from model import Model, Parcel
from reference import Reference

WINDOW = 500
WINDOW_FALSE_ALARMS = 0.002
"""The brief allows 0.01; what has to be found is far larger than what this misses."""
FEWEST_VALUES = 100
"""A feature that is missing nearly everywhere is a matter for the quality counters."""


class Window:
    """The values of the predictions since the last whole window."""

    def __init__(self, model: Model) -> None:
        self._names = [feature.name for feature in model.features]
        self._if_missing = {feature.name: feature.if_missing for feature in model.features}
        self.values: dict[str, list] = {}
        self.probabilities: list[float] = []
        self.clear()

    def clear(self) -> None:
        self.values = {name: [] for name in self._names}
        self.probabilities = []

    def add(self, parcel: Parcel, probability: float) -> bool:
        """Whether the window is whole now."""
        for name, values in self.values.items():
            value = parcel.get(name)
            # Fault: compares what the model is given for a missing value.
            values.append(self._if_missing[name] if value is None else value)
        self.probabilities.append(probability)
        return len(self.probabilities) == WINDOW


class Detector:
    def __init__(self, reference: Reference) -> None:
        self._reference = reference
        self._alpha = WINDOW_FALSE_ALARMS / (len(reference.numbers) + len(reference.words) + 1)

    def drifted_features(self, window: Window) -> set[str]:
        return {name for name, values in window.values.items() if self._feature_drifted(name, values)}

    def prediction_drifted(self, window: Window) -> bool:
        return ks_p_value(self._reference.probabilities, window.probabilities) < self._alpha

    def _feature_drifted(self, name: str, values: Sequence) -> bool:
        if len(values) < FEWEST_VALUES:
            return False
        if name in self._reference.words:
            return chi_square_p_value(self._reference.words[name], Counter(values)) < self._alpha
        return ks_p_value(self._reference.numbers[name], values) < self._alpha


def ks_p_value(reference: np.ndarray, values: Sequence[float]) -> float:
    """Two samples, the limiting distribution; `reference` is sorted. Ties make it err on the quiet side."""
    sample = np.sort(np.asarray(values, float))
    both = np.concatenate([reference, sample])
    below_reference = np.searchsorted(reference, both, side="right") / len(reference)
    below_sample = np.searchsorted(sample, both, side="right") / len(sample)
    distance = np.abs(below_reference - below_sample).max()
    size = len(reference) * len(sample) / (len(reference) + len(sample))
    return float(kolmogorov(distance * np.sqrt(size)))


def chi_square_p_value(reference: Counter, counts: Counter) -> float:
    """Two samples of words, the ones the reference does not know taken together."""
    unknown = sum(count for word, count in counts.items() if word not in reference)
    table = np.array([[*reference.values(), 0], [*(counts[word] for word in reference), unknown]], float)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 1.0
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    return float(chdtrc(table.shape[1] - 1, ((table - expected) ** 2 / expected).sum()))
