"""Hours of a service as Prometheus would have scraped it, for `promtool test rules`: alert rules in simulated time."""

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

MINUTES = 150
BOUNDS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf")
FEATURES = ("distance_km", "weight_kg", "temperature_c", "carrier")
JOB = 'job="late-parcels",instance="127.0.0.1:8000"'

PerMinute = Callable[[int], float]


def constant(value: float) -> PerMinute:
    return lambda _minute: value


class Simulation:
    """Two and a half hours of a service as Prometheus would have scraped it: healthy, but for what a check changes.

    A fault is there from minute 30 up to minute 80.
    """

    BEGINS, ENDS = 30, 80

    def __init__(self) -> None:
        self.gauges: dict[str, PerMinute] = {f"up{{{JOB}}}": constant(1), f"model_accuracy{{{JOB}}}": constant(0.8)}
        self.rates: dict[str, PerMinute] = {}
        self.restarts_at: int | None = None
        self._expected: list[dict[str, Any]] = []
        self.requests(slow=constant(0), failed=constant(0))
        self.rates[f'predictions_total{{{JOB},model_version="2026.10.2"}}'] = constant(12_000)
        for feature in FEATURES:
            self.missing(feature, constant(0.01))
            self.flag("feature", constant(0), feature)
        for kind in ("prediction", "label", "accuracy"):
            self.flag(kind, constant(0))

    @classmethod
    def during(cls, value: float, otherwise: float = 0.0) -> PerMinute:
        """`value` while the fault is there."""
        return lambda minute: value if cls.BEGINS <= minute < cls.ENDS else otherwise

    def requests(self, slow: PerMinute, failed: PerMinute) -> None:
        """600 requests a minute, of which these shares take one to two and a half seconds, and get a 500."""
        name = "prediction_requests_total"
        self.rates[f'{name}{{{JOB},status="200"}}'] = lambda minute: 600 * (1 - failed(minute))
        self.rates[f'{name}{{{JOB},status="500"}}'] = lambda minute: 600 * failed(minute)
        self.rates[f'{name}{{{JOB},status="422"}}'] = constant(60)
        name = "prediction_request_duration_seconds"
        for bound in BOUNDS:
            self.rates[f'{name}_bucket{{{JOB},le="{bound}"}}'] = _bucket(bound, slow)
        self.rates[f"{name}_count{{{JOB}}}"] = constant(660)
        self.rates[f"{name}_sum{{{JOB}}}"] = lambda minute: 660 * (0.02 + 1.5 * slow(minute))

    def missing(self, feature: str, share: PerMinute) -> None:
        self.rates[f'feature_missing_total{{{JOB},feature="{feature}"}}'] = lambda minute: 12_000 * share(minute)

    def flag(self, kind: str, is_set: PerMinute, feature: str = "") -> None:
        labels = f'{JOB},kind="{kind}"' + (f',feature="{feature}"' if feature else "")
        self.gauges[f"drift_detected{{{labels}}}"] = is_set

    def down(self, is_down: PerMinute) -> None:
        """A scrape that fails leaves `up` at 0 and nothing of anything else."""
        up = f"up{{{JOB}}}"
        self.gauges = {name: value if name == up else _gone(value, is_down) for name, value in self.gauges.items()}
        self.gauges[up] = lambda minute: 0 if is_down(minute) else 1
        self.rates = {name: _gone(value, is_down) for name, value in self.rates.items()}

    def expect(self, alert: str, minute: int, firing: bool, **labels: str) -> None:
        """At this minute the alert is firing with these labels, or it is not firing at all."""
        inside = "".join(f',{label}="{value}"' for label, value in labels.items()) if firing else ""
        selector = f'ALERTS{{alertname="{alert}",alertstate="firing"{inside}}}'
        self.expect_value(f"clamp_max(count({selector}), 1) or vector(0)", minute, int(firing))

    def expect_value(self, promql: str, minute: int, value: float) -> None:
        """At this minute the query has this one value, without labels."""
        samples = [{"labels": "{}", "value": value}]
        self._expected.append({"expr": promql, "eval_time": f"{minute}m", "exp_samples": samples})

    def quiet(self, alerts: Sequence[str], minutes: Sequence[int]) -> None:
        for alert in alerts:
            for minute in minutes:
                self.expect(alert, minute, firing=False)

    def as_test_file(self) -> bytes:
        """What `promtool test rules` reads: JSON is YAML, too."""
        series = [
            {"series": name, "values": " ".join(_shown(value(minute)) for minute in range(MINUTES))}
            for name, value in self.gauges.items()
        ]
        series += [{"series": name, "values": self._summed(rate)} for name, rate in self.rates.items()]
        test = {"interval": "1m", "input_series": series, "promql_expr_test": self._expected}
        document = {"rule_files": ["alerts.yml"], "evaluation_interval": "30s", "tests": [test]}
        return json.dumps(document).encode()

    def _summed(self, rate: PerMinute) -> str:
        """A counter: the sum of its rate, from 0 again after a restart."""
        values, total = [], 0.0
        for minute in range(MINUTES):
            step = rate(minute)
            total = 0.0 if minute == self.restarts_at else total + (0.0 if math.isnan(step) else step)
            values.append(_shown(math.nan if math.isnan(step) else total))
        return " ".join(values)


def _bucket(bound: str, slow: PerMinute) -> PerMinute:
    upper = float(bound)
    if upper < 0.05:
        return lambda minute: 330 * (1 - slow(minute))
    return (lambda minute: 660 * (1 - slow(minute))) if upper < 2 else constant(660)


def _gone(value: PerMinute, is_down: PerMinute) -> PerMinute:
    return lambda minute: math.nan if is_down(minute) else value(minute)


def _shown(value: float) -> str:
    return "_" if math.isnan(value) else f"{value:g}" if abs(value) < 1000 else f"{value:.0f}"
