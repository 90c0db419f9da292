"""The routes, and what each tells the metrics."""

import time
from pathlib import Path

from aiohttp import web

import exposition
import scoring
from exposition import Histogram, Metric
from watch import Watch

TEXT = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


class Metrics:
    def __init__(self, scorer):
        self.requests = Metric("counter", "prediction_requests_total", "POST /predict, by status", ("status",))
        self.seconds = Histogram("prediction_request_duration_seconds", "POST /predict, from arrival to answer")
        self.predictions = Metric("counter", "predictions_total", "Parcels scored", ("model_version",))
        self.info = Metric("gauge", "model_info", "The model in use", ("version",))
        self.missing = Metric("counter", "feature_missing_total", "Missing values", ("feature",))
        self.outside = Metric("counter", "feature_out_of_range_total", "Numbers out of range", ("feature",))
        self.unknown = Metric("counter", "feature_unknown_category_total", "Unknown words", ("feature",))
        self.windows = Metric("counter", "drift_windows_total", "Whole windows")
        self.flags = Metric("gauge", "drift_detected", "Whether the last window is off", ("kind", "feature"))
        self.flagged = Metric("counter", "drift_detected_windows_total", "Windows that were off", ("kind", "feature"))
        self.labels = Metric("counter", "labels_total", "Labels received", ("result",))
        self.outcomes = Metric("counter", "outcomes_total", "Labelled parcels", ("predicted", "actual"))
        self.label_windows = Metric("counter", "label_windows_total", "Whole label windows")
        self.accuracy = Metric("gauge", "model_accuracy", "Share of right predictions in the last label window")
        self.signals = [("feature", name) for name in scorer.names]
        self.signals += [("prediction", ""), ("label", ""), ("accuracy", "")]
        self.info.set(1, scorer.version)
        self.predictions.add(0, scorer.version)
        for name in scorer.names:
            self.missing.add(0, name)
            (self.outside if name in scorer.numbers else self.unknown).add(0, name)
        for signal in self.signals:
            self.flags.set(0, *signal)
            self.flagged.add(0, *signal)
        for result in ("matched", "unknown", "duplicate"):
            self.labels.add(0, result)
        for metric in (self.windows, self.label_windows):
            metric.add(0)
        for said in ("late", "on_time"):
            for came in ("late", "on_time"):
                self.outcomes.add(0, said, came)

    def decided(self, kind, feature, is_off):
        self.flags.set(int(is_off), kind, feature)
        self.flagged.add(int(is_off), kind, feature)

    def page(self):
        return exposition.page(metric for metric in vars(self).values() if isinstance(metric, Metric | Histogram))


class Service:
    def __init__(self, folder: Path):
        self.scorer = scoring.Scorer(folder)
        self.watch = Watch(folder, self.scorer)
        self.metrics = Metrics(self.scorer)

    async def ready(self, request):
        return web.json_response({"ready": True, "model_version": self.scorer.version})

    async def show_metrics(self, request):
        return web.Response(body=self.metrics.page().encode(), headers=TEXT)

    async def predict(self, request):
        started, status = time.perf_counter(), 500
        try:
            rows = scoring.instances(await request.read(), self.scorer)
            answer = {"model_version": self.scorer.version, "predictions": [self._score(row) for row in rows]}
            status = 200
            return web.json_response(answer)
        except scoring.BadRequest as refusal:
            status = refusal.status
            return web.json_response({"error": refusal.why}, status=status)
        finally:
            self.metrics.seconds.observe(time.perf_counter() - started)
            self.metrics.requests.add(1, str(status))

    async def take_labels(self, request):
        try:
            labels = scoring.labels(await request.read())
        except scoring.BadRequest as refusal:
            return web.json_response({"error": refusal.why}, status=refusal.status)
        results = dict.fromkeys(("matched", "unknown", "duplicate"), 0)
        for identifier, late in labels:
            result = self.watch.match(identifier)
            results[result] += 1
            self.metrics.labels.add(1, result)
            if result == "matched":
                self._outcome(self.watch.said[identifier], late)
        return web.json_response(results)

    def _score(self, row):
        features, metrics = row["features"], self.metrics
        probability = self.scorer.probability(features)
        metrics.predictions.add(1, self.scorer.version)
        for name, spec in self.scorer.numbers.items():
            value = features.get(name)
            if value is None:
                metrics.missing.add(1, name)
            elif not spec["minimum"] <= value <= spec["maximum"]:
                metrics.outside.add(1, name)
        for name, spec in self.scorer.words.items():
            value = features.get(name)
            if value is None:
                metrics.missing.add(1, name)
            elif value not in spec["weights"]:
                metrics.unknown.add(1, name)
        drifted = self.watch.saw(row["id"], features, probability)
        if drifted is not None:
            metrics.windows.add(1)
            for name in self.scorer.names:
                metrics.decided("feature", name, name in drifted)
            metrics.decided("prediction", "", "" in drifted)
        return {"id": row["id"], "probability": probability, "late": probability >= self.scorer.threshold}

    def _outcome(self, predicted, late):
        words = {True: "late", False: "on_time"}
        self.metrics.outcomes.add(1, words[predicted], words[late])
        if ended := self.watch.came(predicted, late):
            accuracy, off = ended
            self.metrics.accuracy.set(accuracy)
            self.metrics.label_windows.add(1)
            for kind in ("accuracy", "label"):
                self.metrics.decided(kind, "", kind in off)


def build(folder: Path):
    service = Service(folder)
    # A batch of a thousand parcels with long words is larger than the one MiB that aiohttp would take.
    application = web.Application(client_max_size=8 * 1024 * 1024)
    application.add_routes(
        [
            web.get("/ready", service.ready),
            web.get("/metrics", service.show_metrics),
            web.post("/predict", service.predict),
            web.post("/labels", service.take_labels),
        ]
    )
    return application
