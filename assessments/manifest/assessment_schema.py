"""The shape of an assessment's file, field by field. Unknown keys are problems.

`assay assessment schema` prints this as JSON Schema.
"""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from assessments.assessment import Feedback
from assessments.manifest.schema import Line, Name


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class PassMarkTable(_Table):
    """[pass_mark]: from where it is passed, and how near to that it is too close to call."""

    share: float = Field(gt=0, lt=1, description="Share of all points.")
    doubt: float = Field(gt=0, le=0.2, description="Within this of the share, on either side, a person decides.")

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        if self.share - self.doubt <= 0 or self.share + self.doubt >= 1:
            raise ValueError("the band of doubt reaches nothing or everything; move share, or make doubt smaller")
        return self


class PartTable(_Table):
    """[[challenges]]: one challenge, and its weight beside the others."""

    id: Name
    weight: float = Field(default=1, gt=0, le=100)


class AssessmentManifest(BaseModel):
    """assessments/roles/<id>.toml: one assessment."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title="Assay assessment")

    format: Literal[1]
    id: Name
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    title: Line
    summary: Annotated[str, Field(min_length=1, max_length=1000)]
    window_hours: float = Field(gt=0, le=24 * 60, description="From getting the kits to the last submission.")
    attempts: int = Field(default=1, ge=1, le=20, description="Submissions of each challenge; the last one counts.")
    feedback: Feedback = Field(default=Feedback.STANDING, strict=False, description="What the candidate sees after it.")
    pass_mark: PassMarkTable
    challenges: list[PartTable] = Field(min_length=1, max_length=20)
    skills: dict[Name, Annotated[float, Field(ge=0, le=100)]] = Field(
        default_factory=dict, description="How much a point of a skill counts; 1 for one that is not named."
    )

    @model_validator(mode="after")
    def _names_each_challenge_once(self) -> Self:
        twice = [name for name, times in Counter(part.id for part in self.challenges).items() if times > 1]
        if twice:
            raise ValueError(f"challenges: {', '.join(twice)} stands more than once; give it one weight")
        return self
