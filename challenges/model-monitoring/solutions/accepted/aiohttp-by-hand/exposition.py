"""Counters, gauges and one histogram, and the page that shows them in Prometheus' text format."""

from bisect import bisect_left

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Metric:
    def __init__(self, kind, name, text, labels=()):
        self.kind, self.name, self.text, self.labels, self.values = kind, name, text, labels, {}

    def set(self, value, *labels):
        self.values[labels] = value

    def add(self, amount, *labels):
        self.values[labels] = self.values.get(labels, 0) + amount

    def lines(self):
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} {self.kind}"
        for labels, value in self.values.items():
            yield f"{self.name}{braced(zip(self.labels, labels, strict=True))} {value}"


class Histogram:
    def __init__(self, name, text):
        self.name, self.text, self.counts, self.sum = name, text, [0] * (len(BOUNDS) + 1), 0.0

    def observe(self, seconds):
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def lines(self):
        yield f"# HELP {self.name} {self.text}"
        yield f"# TYPE {self.name} histogram"
        below = 0
        for bound, count in zip((*BOUNDS, "+Inf"), self.counts, strict=True):
            below += count
            yield f'{self.name}_bucket{{le="{bound}"}} {below}'
        yield f"{self.name}_sum {self.sum}"
        yield f"{self.name}_count {below}"


def braced(pairs):
    inside = ",".join(f'{name}="{value.translate(ESCAPES)}"' for name, value in pairs if value)
    return f"{{{inside}}}" if inside else ""


def page(metrics):
    return "".join(f"{line}\n" for metric in metrics for line in metric.lines())
