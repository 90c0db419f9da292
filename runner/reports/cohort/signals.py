"""What speaks of a submission's integrity: likeness to another's, and limits that its host did not enforce."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assessments.cohort import Candidate
from runner.insights.attention import Concern, ConcernKind
from runner.insights.similarity import Pair
from runner.reports import wording
from runner.reports.text import Text, shown

_IDENTICAL = 2.0
_UNENFORCED = 0.01
"""How far the kinds stand apart when a table is sorted by them; a likeness is its share, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Signals:
    """Of one candidate. `weight` is larger the more there is to look at."""

    words: tuple[Text, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Integrity:
    """What is known of all candidates, by name."""

    identical: frozenset[str]
    alike: Mapping[str, tuple[str, float]]
    """The other whose submission is most alike, and its share."""
    unenforced_everywhere: bool
    """Then the page says it once and no row repeats it."""


def integrity(
    candidates: Sequence[Candidate], concerns: Sequence[Concern], pairs: Mapping[str, Sequence[Pair]]
) -> Integrity:
    alike: dict[str, tuple[str, float]] = {}
    for pair in (pair for each in pairs.values() for pair in each):
        for mine, other in ((pair.first, pair.second), (pair.second, pair.first)):
            if mine not in alike or alike[mine][1] < pair.share:
                alike[mine] = (other, pair.share)
    graded = [each for each in candidates if any(one.scorecard for one in each.submissions.values())]
    return Integrity(
        identical=frozenset(each.candidate for each in concerns if each.kind is ConcernKind.IDENTICAL),
        alike=alike,
        unenforced_everywhere=bool(graded) and all(map(unenforced, graded)),
    )


def unenforced(candidate: Candidate) -> tuple[str, ...]:
    """Names of the controls that were missing in any of a candidate's gradings."""
    cards = (one.scorecard for one in candidate.submissions.values())
    return tuple(dict.fromkeys(name for card in cards if card for name in card.unenforced))


def signals(candidate: Candidate, known: Integrity) -> Signals:
    words: list[Text] = []
    weight = 0.0
    if candidate.name in known.identical:
        words.append(Text("identical to another's"))
        weight += _IDENTICAL
    if candidate.name in known.alike:
        other, share = known.alike[candidate.name]
        words.append(shown(f"{wording.percent(share)} like {other}'s", 90))
        weight += share
    if not known.unenforced_everywhere and unenforced(candidate):
        words.append(Text("not all limits enforced"))
        weight += _UNENFORCED
    return Signals(tuple(words), weight)
