"""What to look at first in a cohort. The sentences are ours, and the names of candidates in them are untrusted.

Nothing else of a submission's or a candidate's is in a sentence: a page escapes and bounds it as it does any name.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from assessments.assessment_result import Standing
from assessments.cohort import AttemptState, Candidate, CohortSubmission
from assessments.outcome import Outcome
from runner.insights.similarity import Pair
from runner.reports.wording import count, percent

_MOST_NAMES: Final = 3
"""How many others a sentence names; it counts the rest."""


class ConcernKind(StrEnum):
    """Most urgent first: what stops the cohort, what is our fault, what may be a candidate's, what only takes time."""

    HELD = "held"
    """Grading waits for the operator."""
    ERRORED = "errored"
    """Checks without a verdict by a fault of ours."""
    IDENTICAL = "identical"
    """The same bytes, handed in by several candidates."""
    SIMILAR = "similar"
    """Two candidates have code in common."""
    TOO_CLOSE = "too-close"
    """Too close to the pass mark to call."""
    UNDECIDED = "undecided"
    """Budgets that were not measured, or that the machine was too noisy for."""
    UNENFORCED = "unenforced"
    """Graded without some control of the sandbox."""
    NOT_GRADED = "not-graded"
    """Nothing is wrong; it is not done yet."""


@dataclass(frozen=True, slots=True)
class Concern:
    """One thing to look at."""

    kind: ConcernKind
    candidate: str
    """Untrusted text. Of several, the first by name."""
    challenge: str | None
    """None where it is of the whole assessment."""
    sentence: str
    """Names of candidates in it are untrusted text."""


def concerns(candidates: Sequence[Candidate], pairs: Mapping[str, Sequence[Pair]]) -> tuple[Concern, ...]:
    """All there is to look at, most urgent first; of one kind by candidate and challenge, similar code by its share.

    `pairs` are those of each challenge's submissions, by candidates' names. Two who handed in the same bytes are told
    once, as that and not as similar.
    """
    found = [*_identical(candidates), *_similar(candidates, pairs)]
    for candidate in candidates:
        for submission in candidate.submissions.values():
            found += _of_submission(candidate.name, submission)
        if candidate.graded and candidate.result.standing is Standing.TOO_CLOSE:
            found.append(_too_close(candidate))
    kinds = list(ConcernKind)
    # Sorting is stable: similar pairs come with the most similar first, and keep to it.
    return tuple(
        sorted(
            found,
            key=lambda one: (
                kinds.index(one.kind),
                ("", "") if one.kind is ConcernKind.SIMILAR else (one.candidate, one.challenge or ""),
            ),
        )
    )


def _of_submission(name: str, submission: CohortSubmission) -> Iterator[Concern]:
    challenge, card = submission.challenge, submission.scorecard
    if submission.state is AttemptState.HELD:
        again = "Grading again" if card else "Grading"
        yield Concern(ConcernKind.HELD, name, challenge, f"{again} waits for the operator, after faults of ours.")
    elif card is None:
        running = submission.state is AttemptState.RUNNING
        sentence = "It is being graded." if running else "It is not graded yet."
        yield Concern(ConcernKind.NOT_GRADED, name, challenge, sentence)
    if card is None:
        return
    outcomes = [figure.outcome for figure in card.checks]
    if errored := outcomes.count(Outcome.ERRORED):
        sentence = f"{_no_verdict(errored)}, by a fault of ours: grade it again once that is mended."
        yield Concern(ConcernKind.ERRORED, name, challenge, sentence)
    if undecided := outcomes.count(Outcome.INCONCLUSIVE):
        sentence = (
            f"{_no_verdict(undecided)}: budgets that were not measured, or on too noisy a machine. Grade it in quiet."
        )
        yield Concern(ConcernKind.UNDECIDED, name, challenge, sentence)
    if card.unenforced:
        sentence = f"It was graded without {count(len(card.unenforced), 'control')} of the sandbox that the host lacks."
        yield Concern(ConcernKind.UNENFORCED, name, challenge, sentence)


def _no_verdict(checks: int) -> str:
    return f"{count(checks, 'check')} {'has' if checks == 1 else 'have'} no verdict"


def _too_close(candidate: Candidate) -> Concern:
    share = candidate.result.share
    if percent(share.low) == percent(share.high):
        sentence = (
            f"With {percent(share.low)} of the points it is too close to the pass mark to call: a person decides."
        )
    else:
        sentence = (
            f"Between {percent(share.low)} and {percent(share.high)} of the points it is open whether they passed: "
            "what is undecided, or a person, decides."
        )
    return Concern(ConcernKind.TOO_CLOSE, candidate.name, None, sentence)


def _identical(candidates: Sequence[Candidate]) -> Iterator[Concern]:
    for (challenge, _), names in sorted(_same_bytes(candidates).items(), key=lambda item: item[1]):
        first, *others = names
        sentence = f"The same bytes as those of {_listed(others)}."
        yield Concern(ConcernKind.IDENTICAL, first, challenge, sentence)


def _similar(candidates: Sequence[Candidate], pairs: Mapping[str, Sequence[Pair]]) -> Iterator[Concern]:
    same = {
        (challenge, name): digest for (challenge, digest), names in _same_bytes(candidates).items() for name in names
    }
    by_share = sorted(
        ((challenge, pair) for challenge, each in pairs.items() for pair in each),
        key=lambda item: (-item[1].share, item[0], item[1].first, item[1].second),
    )
    for challenge, pair in by_share:
        first, second = same.get((challenge, pair.first)), same.get((challenge, pair.second))
        if first is None or first != second:
            sentence = f"{percent(pair.share)} of the smaller one's code is like that of {pair.second}."
            yield Concern(ConcernKind.SIMILAR, pair.first, challenge, sentence)


def _same_bytes(candidates: Sequence[Candidate]) -> dict[tuple[str, str], list[str]]:
    """Names in order, by challenge and digest, where there are several.

    Files count, however they were packed. What is not graded yet has no digest of its files; its archive may be one
    that is known.
    """
    every = [(candidate.name, each) for candidate in candidates for each in candidate.submissions.values()]
    trees = {each.digest: each.scorecard.tree for _, each in every if each.scorecard}
    names: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, each in sorted(every, key=lambda item: item[0]):
        names[each.challenge, trees.get(each.digest, each.digest)].append(name)
    return {key: each for key, each in names.items() if len(each) > 1}


def _listed(names: Sequence[str]) -> str:
    shown, more = names[:_MOST_NAMES], len(names) - _MOST_NAMES
    if more > 0:
        return f"{', '.join(shown)} and {more:,} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
