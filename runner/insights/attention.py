"""What a person should look at first in a cohort."""

from dataclasses import dataclass
from enum import StrEnum


class ConcernKind(StrEnum):
    HELD = "held"
    ERRORED = "errored"
    IDENTICAL = "identical"
    SIMILAR = "similar"
    TOO_CLOSE = "too-close"
    UNDECIDED = "undecided"
    UNENFORCED = "unenforced"
    NOT_GRADED = "not-graded"


@dataclass(frozen=True, slots=True)
class Concern:
    kind: ConcernKind
    candidate: str
    challenge: str | None
    sentence: str
