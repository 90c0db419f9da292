"""A figure with the interval it is known to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Estimate:
    value: float
    low: float
    high: float
