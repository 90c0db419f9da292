"""What the checks share: traffic sent window by window, alert rules tried by promtool, and a real Prometheus.

Reading the metrics page and simulating hours of scrapes are modules of their own. Everything is given through fixtures,
so the test files import nothing from each other.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest
from metrics_page import SHOWN_CHARACTERS, Page
from simulated_hours import Simulation

from graders.http import BadAnswer

WINDOW = 500
QUIET_WINDOWS = 5
MOST_FLAGGED_WHILE_QUIET = 2
"""Of the five windows before a change: a rate of one in a hundred gets there once in a hundred thousand times."""


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
PROMTOOL = "/packages/usr/bin/promtool"


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
        # The queries are ours and hold for what the brief asks for: what they cannot be asked of is the submission's.
        assert response.status == 200, (
            f"of these metrics Prometheus cannot answer {path} {parameters}: {response.status}, {response.text[:300]!r}"
        )
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
        ours = {"prometheus.yml": CONFIG.encode(), "alerts.yml": b"groups: []\n"}
        theirs = ours | {"alerts.yml": submitted("alerts.yml")} if with_rules else ours
        started = start_companion("prometheus", {"config": theirs}, beside=service, instead={"config": ours})
        return Prometheus(started.http)

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
