"""A scorecard in a few words, for tables and logs."""

from assessments.outcome import Outcome
from assessments.scorecard import Scorecard, Status
from runner.reports.wording import percent


def score_text(scorecard: Scorecard) -> str:
    """The score as a percentage, or as the range it must lie in while some checks are undecided."""
    points = scorecard.points
    if scorecard.status is Status.COMPLETE:
        return percent(points.share)
    return f"{percent(points.share)} to {percent(points.share_at_most)}"


def worst_finding(scorecard: Scorecard) -> str:
    """The check that was missed at the highest price: one of ours that is errored comes before any other."""
    missed = [result for result in scorecard.results if result.outcome is not Outcome.PASSED]
    if not missed:
        return "none"
    worst = max(missed, key=lambda result: (result.outcome is Outcome.ERRORED, result.check.points))
    return f"{worst.check.id}: {worst.message.partition(chr(10))[0]}"
