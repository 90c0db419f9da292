"""All that Prometheus can see, under the names the brief gives. Every series is there from the start."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from model import Model

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
OTHER_KINDS = ("prediction", "label", "accuracy")


class Metrics:
    def __init__(self, model: Model) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter("prediction_requests", "Answers to POST /predict", ["status"], registry=registry)
        self.seconds = Histogram(
            "prediction_request_duration_seconds", "Time to answer POST /predict", registry=registry, buckets=BUCKETS
        )
        predictions = Counter("predictions", "Parcels scored", ["model_version"], registry=registry)
        # Fault: the version its author knew.
        self.predictions = predictions.labels("2026.10.2")
        info = Gauge("model_info", "The model in use: always 1", ["version"], registry=registry)
        info.labels("2026.10.2").set(1)
        self.missing = Counter("feature_missing", "Values that were missing", ["feature"], registry=registry)
        self.out_of_range = Counter("feature_out_of_range", "Numbers out of range", ["feature"], registry=registry)
        self.unknown = Counter("feature_unknown_category", "Words unknown", ["feature"], registry=registry)
        self.windows = Counter("drift_windows", "Whole windows", registry=registry)
        self.label_windows = Counter("label_windows", "Whole label windows", registry=registry)
        self._drift = Gauge("drift_detected", "1: the last window differs", ["kind", "feature"], registry=registry)
        self._drifted = Counter("drift_detected_windows", "Windows that do", ["kind", "feature"], registry=registry)
        self.labels = Counter("labels", "Labels received, by what became of them", ["result"], registry=registry)
        self.outcomes = Counter("outcomes", "Matched labels", ["predicted", "actual"], registry=registry)
        self.accuracy = Gauge("model_accuracy", "Share of right predictions, last label window", registry=registry)
        self._start_at_zero(model)

    def _start_at_zero(self, model: Model) -> None:
        self.requests.labels("200")
        for feature in model.features:
            self.missing.labels(feature.name)
            (self.unknown if feature.is_category else self.out_of_range).labels(feature.name)
            self._drift.labels("feature", feature.name)
            self._drifted.labels("feature", feature.name)
        for kind in OTHER_KINDS:
            self._drift.labels(kind, "")
            self._drifted.labels(kind, "")
        for result in ("matched", "unknown", "duplicate"):
            self.labels.labels(result)
        for predicted in ("late", "on_time"):
            for actual in ("late", "on_time"):
                self.outcomes.labels(predicted, actual)
        self.accuracy.set(float("nan"))

    def drift(self, kind: str, feature: str, detected: bool) -> None:
        """A window is over, and says this about one signal."""
        self._drift.labels(kind, feature).set(int(detected))
        if detected:
            self._drifted.labels(kind, feature).inc()

    def page(self) -> bytes:
        return generate_latest(self._registry)
