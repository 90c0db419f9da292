"""Counts of a window against counts of the reference."""

import csv
import math
from bisect import bisect_left
from collections import Counter, deque
from pathlib import Path

WINDOW = 500
BINS = 10
KEPT = 30_000

# The standard normal deviate that is exceeded once in 20,000 times, and (for accuracy and labels) once in 4,000.
DEVIATE = 3.89
OUTCOME_DEVIATE = 3.5


def critical(freedom):
    """Of chi-square, after Wilson and Hilferty: good to a few per cent, and one degree of freedom or more."""
    part = 2 / (9 * freedom)
    return freedom * (1 - part + DEVIATE * math.sqrt(part)) ** 3


def differs(reference, window):
    """Chi-square of two samples, given as counts by bin."""
    total, size = sum(reference.values()), sum(window.values())
    if size < 100:
        return False
    bins = [bin_ for bin_ in reference.keys() | window.keys() if reference[bin_] + window[bin_]]
    share = size / (total + size)
    statistic = 0.0
    for bin_ in bins:
        both = reference[bin_] + window[bin_]
        wanted = both * share
        statistic += (window[bin_] - wanted) ** 2 * (1 / wanted + 1 / (both - wanted))
    return len(bins) > 1 and statistic > critical(len(bins) - 1)


def cuts(values):
    """The ends of bins that hold about equal shares; with many equal values there are fewer."""
    ordered = sorted(values)
    return sorted({ordered[len(ordered) * step // BINS] for step in range(1, BINS)})


class Watch:
    def __init__(self, folder: Path, scorer):
        with (folder / "reference.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.scorer = scorer
        self.cuts = {"": cuts(float(row["probability"]) for row in rows)}
        for name in scorer.numbers:
            self.cuts[name] = cuts(float(row[name]) for row in rows if row[name])
        self.reference = {name: Counter() for name in ("", *scorer.names)}
        for row in rows:
            values = {name: float(row[name]) if name in scorer.numbers else row[name] for name in scorer.names if row[name]}
            self._count(self.reference, values, float(row["probability"]))
        late = [row["late"] == "true" for row in rows]
        right = [(float(row["probability"]) >= scorer.threshold) == came for row, came in zip(rows, late, strict=True)]
        self.share_late, self.share_right = sum(late) / len(rows), sum(right) / len(rows)
        self.reference_rows = len(rows)
        self.window, self.filled = self._empty(), 0
        self.labelled = self.late = self.right = 0
        self.said, self.order, self.known = {}, deque(), set()

    def _empty(self):
        return {name: Counter() for name in self.reference}

    def _count(self, counts, values, probability):
        """The empty name stands for the prediction."""
        counts[""][bisect_left(self.cuts[""], probability)] += 1
        for name, value in values.items():
            if name in self.cuts:
                counts[name][bisect_left(self.cuts[name], value)] += 1
            elif name in counts:
                counts[name][value if value in self.scorer.words[name]["weights"] else None] += 1

    def saw(self, identifier, features, probability):
        """None, or at the end of a window what drifted: names of features, and an empty one for the prediction."""
        if identifier not in self.said:
            self.order.append(identifier)
        self.said[identifier] = probability >= self.scorer.threshold
        if len(self.order) > KEPT:
            oldest = self.order.popleft()
            del self.said[oldest]
            self.known.discard(oldest)
        values = {name: features[name] for name in self.scorer.names if features.get(name) is not None}
        self._count(self.window, values, probability)
        self.filled += 1
        if self.filled < WINDOW:
            return None
        drifted = {name for name, counts in self.window.items() if differs(self.reference[name], counts)}
        self.window, self.filled = self._empty(), 0
        return drifted

    def match(self, identifier):
        if identifier not in self.said:
            return "unknown"
        if identifier in self.known:
            return "duplicate"
        self.known.add(identifier)
        return "matched"

    def came(self, predicted, late):
        """None, or at the end of a label window its accuracy and which of `accuracy` and `label` are off."""
        self.labelled += 1
        self.late += late
        self.right += predicted == late
        if self.labelled < WINDOW:
            return None
        accuracy = self.right / WINDOW
        off = set()
        if self._deviate(self.right, self.share_right) < -OUTCOME_DEVIATE:
            off.add("accuracy")
        if abs(self._deviate(self.late, self.share_late)) > OUTCOME_DEVIATE:
            off.add("label")
        self.labelled = self.late = self.right = 0
        return accuracy, off

    def _deviate(self, count, share):
        spread = math.sqrt(share * (1 - share) * (1 / WINDOW + 1 / self.reference_rows))
        return (count / WINDOW - share) / spread
