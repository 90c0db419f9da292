"""An assessment: the challenges, weights, time window and pass mark for one role."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Feedback(StrEnum):
    """What a candidate is shown once their window is over."""

    NOTHING = "nothing"
    STANDING = "standing"
    """Whether they passed, did not, or were too close to call."""
    SKILLS = "skills"
    """That, and their share of the points of each skill."""
    PAGE = "page"
    """That, and the candidate's page of each challenge, which shows of each check what its visibility allows."""


@dataclass(frozen=True, slots=True)
class PassMark:
    """The share from which an assessment is passed, with a band of doubt on both sides of it.

    Within the band it is too close to call, and a person decides: an assessment measures no finer than that.
    """

    share: float
    doubt: float
    """Half of the band's width, as a share of all points."""

    @property
    def passed_from(self) -> float:
        return self.share + self.doubt

    @property
    def not_passed_below(self) -> float:
        return self.share - self.doubt


@dataclass(frozen=True, slots=True)
class Part:
    """One challenge of an assessment; `weight` is its part of the whole, beside the other parts' weights."""

    challenge: str
    weight: float


@dataclass(frozen=True, slots=True)
class Assessment:
    """An assessment as read from its file, `assessments/roles/<id>.toml` or an organisation's own."""

    path: Path
    id: str
    version: str
    title: str
    summary: str
    window_hours: float
    """From the moment a candidate gets the kits to their last submission."""
    attempts: int
    """How often each challenge may be handed in. The last attempt counts, so that none is drawn for luck."""
    pass_mark: PassMark
    feedback: Feedback
    parts: tuple[Part, ...]
    skill_weights: Mapping[str, float]
    """How much a point of each skill counts; 1 for one that is not here."""

    def skill_weight(self, skill: str) -> float:
        return self.skill_weights.get(skill, 1.0)

    def part_share(self, part: Part) -> float:
        """The part's share of the whole."""
        return part.weight / sum(each.weight for each in self.parts)
