"""What is known of a cohort when its page is made."""

from collections.abc import Mapping
from dataclasses import dataclass

from assessments.cohort import Candidate, Cohort
from runner.insights.attention import Concern
from runner.insights.items import ChallengeStatistics
from runner.insights.ranking import Ranked
from runner.insights.similarity import Pair


@dataclass(frozen=True, slots=True)
class CohortContent:
    """Everything on a cohort's page, before any of it is put in words."""

    cohort: Cohort
    candidates: tuple[Candidate, ...]
    ranking: tuple[Ranked, ...]
    """Best first. Who is not in it stands at the end, without a place."""
    concerns: tuple[Concern, ...]
    """Most pressing first."""
    statistics: tuple[ChallengeStatistics, ...]
    pairs: Mapping[str, tuple[Pair, ...]]
    """By challenge: candidates whose submissions share more than the threshold, most alike first."""
    links: Mapping[str, str]
    """Of a scorecard's id, the relative address of its report. One without has no report beside the page."""
    side_by_side: Mapping[tuple[str, Pair], str]
    """Of a challenge and a pair, the relative address of the page that shows both; of the most alike only."""
    made_at: str
    """RFC 3339, UTC."""
    regrades_open: int
    """Regrades that nobody has accepted or refused yet."""
