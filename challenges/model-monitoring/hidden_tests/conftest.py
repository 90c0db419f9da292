"""What the checks share: traffic sent window by window, the metrics page read back, and alert rules tried by promtool.

The metrics page is parsed here only as far as the checks need it, strictly and within bounds; that a real Prometheus
can read it, too, is a check of its own. Everything is given through fixtures, so the test files import nothing from
each other.
"""

import json
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from graders.http import BadAnswer

WINDOW = 500
QUIET_WINDOWS = 5
MOST_FLAGGED_WHILE_QUIET = 2
"""Of the five windows before a change: a rate of one in a hundred gets there once in a hundred thousand times."""

PAGE_BYTES = 512 * 1024
PAGE_SAMPLES = 5000
TEXT_FORMAT = {"Accept": "text/plain; version=0.0.4"}

SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?[ \t]+(\S+)(?:[ \t]+-?\d+)?")
LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)')
ESCAPE = re.compile(r"\\(.)")
SHOWN_CHARACTERS = 300


class Page:
    """One reading of /metrics. Labels are matched as Prometheus does: the given ones, an empty one being none."""

    def __init__(self, text: str) -> None:
        lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
        assert len(lines) <= PAGE_SAMPLES, f"/metrics has {len(lines)} samples, more than {PAGE_SAMPLES}"
        self.samples = [_sample(line.strip()) for line in lines]

    @classmethod
    def read(cls, http: Any) -> "Page":
        response = http.get("/metrics", headers=TEXT_FORMAT)
        assert response.status == 200, f"GET /metrics should answer 200, it answered {response.status}"
        assert len(response.body) <= PAGE_BYTES, f"/metrics has {len(response.body)} bytes, more than {PAGE_BYTES}"
        return cls(response.text)

    def matching(self, metric: str, **labels: str) -> list[float]:
        return [
            value
            for name, has, value in self.samples
            if name == metric and all(has.get(label, "") == wanted for label, wanted in labels.items())
        ]

    def value(self, metric: str, **labels: str) -> float:
        """The sum over the matching series; there has to be one."""
        found = self.matching(metric, **labels)
        shown = _series(metric, labels)
        assert found, f"/metrics has no {shown}"
        return sum(found)

    def count(self, metric: str, **labels: str) -> float:
        """The same, and 0 where there is none: a series may begin with its first event."""
        return sum(self.matching(metric, **labels))

    def flag(self, kind: str, feature: str = "") -> bool:
        """What `drift_detected` says of one signal."""
        shown = _series("drift_detected", {"kind": kind, "feature": feature})
        found = self.matching("drift_detected", kind=kind, feature=feature)
        assert len(found) == 1, f"/metrics should have one {shown}, it has {len(found)}"
        assert found[0] in (0.0, 1.0), f"{shown} should be 0 or 1, it is {found[0]}"
        return found[0] == 1.0

    def flagged(self, features: Sequence[str]) -> set[str]:
        """The features, and `prediction`, that the last window set a flag for."""
        names = {name for name in features if self.flag("feature", name)}
        return names | ({"prediction"} if self.flag("prediction") else set())


def _sample(line: str) -> tuple[str, dict[str, str], float]:
    found = SAMPLE.fullmatch(line)
    assert found, f"/metrics has a line that is no sample: {line[:SHOWN_CHARACTERS]!r}"
    name, inside, value = found.groups()
    try:
        number = float(value.replace("_", "x"))
    except ValueError:
        number = None
    assert number is not None, f"/metrics has a value that is no number: {line[:SHOWN_CHARACTERS]!r}"
    return name, _labels(inside or "", line), number


def _labels(inside: str, line: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    at = 0
    while at < len(inside):
        found = LABEL.match(inside, at)
        assert found, f"/metrics has labels that cannot be read: {line[:SHOWN_CHARACTERS]!r}"
        labels[found[1]] = ESCAPE.sub(lambda escape: {"n": "\n"}.get(escape[1], escape[1]), found[2])
        at = found.end()
    return labels


def _series(metric: str, labels: Mapping[str, str]) -> str:
    inside = ", ".join(f'{label}="{value}"' for label, value in labels.items() if value)
    return f"{metric}{{{inside}}}" if inside else metric


class Traffic:
    """Parcels on their way to one instance of the service, each with an id of its own."""

    def __init__(self, http: Any, model: Any, rng: Any) -> None:
        self._http = http
        self._model = model
        self._rng = rng
        self._sent = 0
        self._prefix = f"{rng.getrandbits(24):x}"

    def page(self) -> Page:
        return Page.read(self._http)

    def ids(self, count: int) -> list[str]:
        self._sent += count
        return [f"{self._prefix}-{number}" for number in range(self._sent - count, self._sent)]

    def post(self, parcels: Sequence[Any], identifiers: Sequence[str] | None = None) -> Any:
        """The response to one batch, whatever it is."""
        identifiers = identifiers or self.ids(len(parcels))
        rows = [{"id": one, "features": parcel} for one, parcel in zip(identifiers, parcels, strict=True)]
        return self._http.post("/predict", json={"instances": rows})

    def send(self, parcels: Sequence[Any]) -> list[tuple[str, bool]]:
        """One batch that has to be served: (id, late) of each parcel, as the service says."""
        identifiers = self.ids(len(parcels))
        response = self.post(parcels, identifiers)
        assert response.status == 200, (
            f"a batch of {len(parcels)} should get 200, got {response.status}: {response.text[:SHOWN_CHARACTERS]!r}"
        )
        predictions = response.pick("predictions", type=list)
        assert len(predictions) == len(parcels), f"{len(parcels)} predictions were expected, {len(predictions)} came"
        late = [row.get("late") if isinstance(row, dict) else None for row in predictions]
        wrong = next((value for value in late if not isinstance(value, bool)), None)
        assert all(isinstance(value, bool) for value in late), f"late should be true or false, is {wrong!r}"
        return list(zip(identifiers, late, strict=True))

    def window(self, *change: Any) -> set[str]:
        """Send one window of such traffic; what it set a flag for."""
        self.send(self._model.parcels(self._rng, WINDOW, *change))
        return self.page().flagged(self._model.names)

    def windows(self, count: int, *change: Any) -> list[set[str]]:
        return [self.window(*change) for _ in range(count)]

    def quiet(self, signal: str, count: int = QUIET_WINDOWS) -> None:
        """Windows like the reference, in which the signal's flag should not be set."""
        flagged = sum(signal in window for window in self.windows(count))
        assert flagged <= MOST_FLAGGED_WHILE_QUIET, (
            f"{signal} was flagged in {flagged} of {count} windows of traffic like the reference"
        )

    def sees(self, signal: str, change: Any, what: str) -> list[set[str]]:
        """Three changed windows, of which at least two should set the signal's flag."""
        windows = self.windows(3, change)
        flagged = sum(signal in window for window in windows)
        assert flagged >= 2, f"{what}: {signal} was flagged in {flagged} of the 3 changed windows, not in 2 or 3"
        return windows

    def label(self, labels: Sequence[tuple[str, bool]]) -> dict[str, int]:
        """Send labels; how many the service says were matched, unknown and duplicates."""
        response = self._http.post("/labels", json={"labels": [{"id": one, "late": late} for one, late in labels]})
        assert response.status == 200, (
            f"POST /labels should answer 200, it answered {response.status}: {response.text[:SHOWN_CHARACTERS]!r}"
        )
        return {result: response.pick(result, type=int) for result in ("matched", "unknown", "duplicate")}


@pytest.fixture
def traffic(oracle: Any, rng: Any) -> Callable[..., Traffic]:
    """traffic(http), or traffic(http, model) for another release than the current one."""
    return lambda http, model=None: Traffic(http, model or oracle.current, rng)


@pytest.fixture
def read_page() -> Callable[[Any], Page]:
    return Page.read


# Alert rules

ALERTS_BYTES = 64 * 1024
MINUTES = 150
BOUNDS = ("0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "+Inf")
FEATURES = ("distance_km", "weight_kg", "temperature_c", "carrier")
JOB = 'job="late-parcels",instance="127.0.0.1:8000"'
PROMTOOL = "/packages/usr/bin/promtool"

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


class Rules:
    """The submission's alerts.yml, and promtool to try it."""

    def __init__(self, alerts: bytes, run_tool: Any) -> None:
        assert len(alerts) <= ALERTS_BYTES, f"alerts.yml has {len(alerts)} bytes, more than {ALERTS_BYTES}"
        self.alerts = alerts
        self._run_tool = run_tool

    def check(self) -> None:
        self._hold(["check", "rules", "/inputs/rules/alerts.yml"], {"alerts.yml": self.alerts}, "promtool check rules")

    def hold_in(self, simulation: Simulation, what: str) -> None:
        """Under the simulated series the rules fire and clear as expected."""
        files = {"alerts.yml": self.alerts, "tests.yml": simulation.as_test_file()}
        self._hold(["test", "rules", "/inputs/rules/tests.yml"], files, what)

    def _hold(self, arguments: Sequence[str], files: Mapping[str, bytes], what: str) -> None:
        result = self._run_tool("prometheus", [PROMTOOL, *arguments], inputs={"rules": files})
        said = " ".join((result.stdout + b" " + result.stderr).decode("utf-8", "replace").split())
        assert result.exit_code == 0, f"{what}: {said[:900]}"


@pytest.fixture
def rules(submitted: Any, run_tool: Any) -> Rules:
    return Rules(submitted("alerts.yml"), run_tool)


@pytest.fixture
def simulation() -> Simulation:
    return Simulation()


# A real Prometheus

POLL_S = 0.1
SETTLED_WITHIN_S = 15.0
CONFIG = """
global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [/inputs/config/alerts.yml]
scrape_configs:
  - job_name: late-parcels
    static_configs: [{targets: ["127.0.0.1:8000"]}]
"""


class Prometheus:
    """A real Prometheus that scrapes one instance of the service twice a second."""

    def __init__(self, http: Any) -> None:
        self._http = http

    def api(self, path: str, **parameters: str) -> Any:
        """The `data` of an answer of Prometheus' own API."""
        asked = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
        response = self._http.get(f"/api/v1/{path}?{asked}")
        if response.status != 200:
            raise RuntimeError(f"Prometheus answered {response.status} to {path} {parameters}: {response.text[:300]}")
        return response.json()["data"]

    def query(self, promql: str) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each element of an instant vector."""
        found = self.api("query", query=promql)["result"]
        return [(element["metric"], float(element["value"][1])) for element in found]

    def number(self, promql: str) -> float | None:
        """The value of a query with one element; None when there is none."""
        found = self.query(promql)
        return found[0][1] if found else None

    def until(self, promql: str, right: Callable[[float | None], bool], what: str) -> float | None:
        """Ask until the answer is right, which it should be after a few scrapes."""
        deadline = time.monotonic() + SETTLED_WITHIN_S
        value = self.number(promql)
        while not right(value):
            assert time.monotonic() < deadline, f"{what}: {promql} is {value} in Prometheus{self._why_down()}"
            time.sleep(POLL_S)
            value = self.number(promql)
        return value

    def _why_down(self) -> str:
        errors = [target.get("lastError", "") for target in self.api("targets")["activeTargets"]]
        return f" (the last scrape: {errors[0][:200]})" if errors and errors[0] else ""


@pytest.fixture
def start_prometheus(start_companion: Any, submitted: Any) -> Callable[..., Prometheus]:
    """start_prometheus(service), with the submission's alert rules where `with_rules` says so."""

    def start(service: Any, with_rules: bool = False) -> Prometheus:
        alerts = submitted("alerts.yml") if with_rules else b"groups: []\n"
        config = {"prometheus.yml": CONFIG.encode(), "alerts.yml": alerts}
        return Prometheus(start_companion("prometheus", inputs={"config": config}, beside=service).http)

    return start


@pytest.fixture
def refused() -> Callable[[Any, int], None]:
    """refused(response, status): the service refused a request as the starter does."""

    def check(response: Any, status: int) -> None:
        if isinstance(response, BadAnswer):
            raise response
        assert response.status == status, (
            f"status {status} was expected, {response.status} came: {response.text[:SHOWN_CHARACTERS]!r}"
        )

    return check
