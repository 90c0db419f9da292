"""The metrics page, read back: parsed only as far as the checks need it, strictly and within bounds.

That a real Prometheus can read it, too, is a check of its own.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

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
