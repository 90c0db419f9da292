"""A candidate's place, as a range where it is too close to call."""

from dataclasses import dataclass

from assessments.cohort import Candidate


@dataclass(frozen=True, slots=True)
class Ranked:
    candidate: Candidate
    place_best: int
    place_worst: int
