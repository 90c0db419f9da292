"""What the reference solution does on this host when it is quiet, remembered from one grading to the next.

state/calibrations/<digest>.json   by plan and metric; the digest is over host, engine, challenge and environment
"""

import contextlib
import hashlib
import json
import math
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from assessments.measurement import Measurement
from graders.budgets import better, calibrated
from runner.engines.folders import READABLE, make_folder

_PLANS = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Calibrations:
    """Those of one host, engine, challenge and environment."""

    file: Path

    @classmethod
    def of(cls, state: Path, *what: str) -> "Calibrations":
        digest = hashlib.sha256("\0".join(what).encode()).hexdigest()
        return cls(make_folder(state / "calibrations", READABLE) / f"{digest}.json")

    def read(self) -> _PLANS:
        """Nothing where nothing was learnt yet, or what stands there is of no use."""
        try:
            found = json.loads(self.file.read_text())
            return {str(plan): {str(name): _number(value) for name, value in of.items()} for plan, of in found.items()}
        except (OSError, ValueError, AttributeError, TypeError):
            return {}

    def learn(self, measurement: Measurement) -> None:
        """Remember what a quiet session saw, if it was one. The file is replaced as a whole or not at all."""
        seen = calibrated(measurement)
        if seen is None:
            return
        known = self.read()
        known[measurement.plan.id] = dict(better(known.get(measurement.plan.id, {}), seen))
        _replace(self.file, json.dumps(known, indent=1, sort_keys=True))


def _number(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        msg = "a calibration is a positive number"
        raise ValueError(msg)
    return float(value)


def _replace(file: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(descriptor, "w") as written:
        written.write(text)
    try:
        Path(name).replace(file)
    except OSError:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
