"""Pairs of candidates whose submissions are alike."""

from collections.abc import Mapping
from dataclasses import dataclass

from assessments.cohort import Candidate
from runner.insights.similarity import Pair
from runner.reports import wording
from runner.reports.cohort.content import CohortContent
from runner.reports.cohort.links import near, report_of
from runner.reports.cohort.terms import name_of
from runner.reports.evidence import bar_width
from runner.reports.text import Text


@dataclass(frozen=True, slots=True)
class Side:
    name: Text
    href: str


@dataclass(frozen=True, slots=True)
class PairView:
    first: Side
    second: Side
    share: str
    width: str
    shared: str
    href: str
    """Of the page that shows both; empty where there is none."""


@dataclass(frozen=True, slots=True)
class AlikeView:
    """The pairs of one challenge, most alike first."""

    challenge: Text
    pairs: tuple[PairView, ...]


def alike_views(content: CohortContent, titles: Mapping[str, Text], most: int) -> tuple[AlikeView, ...]:
    """Of each challenge as many pairs as there is room for."""
    by_name = {candidate.name: candidate for candidate in content.candidates}
    views = []
    for challenge, title in titles.items():
        found = sorted(content.pairs.get(challenge, ()), key=lambda pair: -pair.share)
        if not found:
            continue
        kept = found[:most]
        most -= len(kept)
        views.append(AlikeView(title, tuple(_pair(each, challenge, by_name, content) for each in kept)))
    return tuple(views)


def _pair(pair: Pair, challenge: str, by_name: Mapping[str, Candidate], content: CohortContent) -> PairView:
    first, second = (_side(name, challenge, by_name, content.links) for name in (pair.first, pair.second))
    return PairView(
        first,
        second,
        wording.percent(pair.share),
        bar_width(pair.share, 1.0),
        wording.count(pair.shared, "piece"),
        near(content.side_by_side.get((challenge, pair), "")),
    )


def _side(name: str, challenge: str, by_name: Mapping[str, Candidate], links: Mapping[str, str]) -> Side:
    one = by_name[name].submissions.get(challenge) if name in by_name else None
    return Side(name_of(name), report_of(one.scorecard.id if one and one.scorecard else None, links))
