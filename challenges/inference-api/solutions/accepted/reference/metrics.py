"""The metrics page."""

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._predictions = Counter("predictions", "Customers scored", registry=self._registry)
        self._errors = Counter("request_errors", "Requests refused, by code", ["code"], registry=self._registry)
        self._durations = Histogram(
            "request_duration_seconds", "Time from request to answer", ["route"], registry=self._registry
        )

    def scored(self, rows: int) -> None:
        self._predictions.inc(rows)

    def refused(self, code: str) -> None:
        self._errors.labels(code).inc()

    def answered(self, route: str, seconds: float) -> None:
        self._durations.labels(route).observe(seconds)

    def page(self) -> bytes:
        return generate_latest(self._registry)
