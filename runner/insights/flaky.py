"""Which checks said different things of the same bytes. Pure."""

from collections import defaultdict
from collections.abc import Iterable

from assessments.check import CheckId
from assessments.outcome import Outcome
from assessments.scorecard_summary import ScorecardSummary

_VERDICTS = {Outcome.PASSED, Outcome.FAILED}


def flaky_checks(scorecards: Iterable[ScorecardSummary]) -> frozenset[CheckId]:
    """Checks that passed and failed the same submission, graded with the same challenge, environment and seed.

    One that is undecided at times is not flaky: that is what an undecided budget is for.
    """
    seen: dict[tuple[object, ...], set[Outcome]] = defaultdict(set)
    for card in scorecards:
        for one in card.checks:
            key = (card.submission, card.challenge.digest, card.environment, card.seed, one.check)
            seen[key].add(one.outcome)
    return frozenset(CheckId(str(key[-1])) for key, outcomes in seen.items() if outcomes >= _VERDICTS)
