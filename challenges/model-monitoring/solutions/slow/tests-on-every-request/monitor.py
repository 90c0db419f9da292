"""What the service tells the monitor, and what the monitor makes of it."""

from collections import Counter
from dataclasses import replace

import numpy as np

import reference as training
from drift import Detector, Window
from metrics import Metrics
from model import Model, Parcel
from outcomes import LATE, ON_TIME, LabelWindow, Outcomes


class Monitor:
    def __init__(self, model: Model, reference: training.Reference) -> None:
        self.metrics = Metrics(model)
        self._model = model
        self._reference = reference
        self._detector = Detector(reference)
        self._window = Window(model)
        shuffle = np.random.default_rng(1).permutation
        self._unsorted = {name: list(shuffle(values)) for name, values in reference.numbers.items()}
        self._label_window = LabelWindow()
        self._outcomes = Outcomes()

    def scored(self, parcels: list[tuple[str, Parcel]], probabilities: list[float]) -> None:
        """A batch was scored. Windows end where they end, also in the middle of it."""
        self._count_quality([parcel for _, parcel in parcels])
        self.metrics.predictions.inc(len(parcels))
        for (identifier, parcel), probability in zip(parcels, probabilities, strict=True):
            self._outcomes.predicted(identifier, self._model.is_late(probability))
            if self._window.add(parcel, probability):
                self._end_window()
        # Fault: works out the state of the unfinished window, against a reference sorted anew, with every request.
        fresh = replace(self._reference, numbers={name: np.array(sorted(all_)) for name, all_ in self._unsorted.items()})
        if self._window.probabilities:
            Detector(fresh).drifted_features(self._window)

    def labelled(self, labels: list[tuple[str, bool]]) -> dict[str, int]:
        """Labels came. How many were matched, unknown, duplicates."""
        results = Counter(matched=0, unknown=0, duplicate=0)
        for identifier, actual in labels:
            result, predicted = self._outcomes.match(identifier)
            results[result] += 1
            if result == "matched":
                self._count_outcome(predicted, actual)
        for result, count in results.items():
            self.metrics.labels.labels(result).inc(count)
        return dict(results)

    def _count_quality(self, parcels: list[Parcel]) -> None:
        for feature in self._model.features:
            values = [parcel.get(feature.name) for parcel in parcels]
            present = [value for value in values if value is not None]
            if len(present) < len(values):
                self.metrics.missing.labels(feature.name).inc(len(values) - len(present))
            if feature.is_category:
                odd, counter = sum(value not in feature.weights for value in present), self.metrics.unknown
            else:
                odd = sum(not feature.minimum <= value <= feature.maximum for value in present)
                counter = self.metrics.out_of_range
            if odd:
                counter.labels(feature.name).inc(odd)

    def _end_window(self) -> None:
        drifted = self._detector.drifted_features(self._window)
        for feature in self._model.features:
            self.metrics.drift("feature", feature.name, feature.name in drifted)
        self.metrics.drift("prediction", "", self._detector.prediction_drifted(self._window))
        self.metrics.windows.inc()
        self._window.clear()

    def _count_outcome(self, predicted: bool, actual: bool) -> None:
        self.metrics.outcomes.labels(LATE if predicted else ON_TIME, LATE if actual else ON_TIME).inc()
        if self._label_window.add(predicted, actual):
            window, self._label_window = self._label_window, LabelWindow()
            self.metrics.accuracy.set(window.accuracy)
            self.metrics.drift("accuracy", "", window.accuracy_fell(self._reference))
            self.metrics.drift("label", "", window.share_of_late_moved(self._reference))
            self.metrics.label_windows.inc()
