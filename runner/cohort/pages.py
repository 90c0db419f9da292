"""The folder of pages that interviewers decide from.

<out>/
  index.html                  the cohort
  reports/<who>-<id>.html     each scorecard that counts, made once: a scorecard never changes
  alike/<digest>.html         the submissions that are most alike, side by side
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from assessments.check import CheckId
from assessments.cohort import Candidate, CohortSubmission, candidates
from assessments.errors import AssayError, InfrastructureError, UsageError
from assessments.scorecard import Scorecard
from assessments.scorecard_summary import ScorecardSummary
from runner.cohort.files import files_of, files_of_starter
from runner.engines.rootfs import Say
from runner.insights.attention import concerns
from runner.insights.flaky import flaky_checks
from runner.insights.items import ChallengeStatistics, challenge_statistics
from runner.insights.ranking import rank
from runner.insights.similarity import Fingerprints, Pair, fingerprint, matches, similar
from runner.intake import unpack
from runner.reports import document
from runner.reports.cohort.content import CohortContent
from runner.reports.cohort.page import render_cohort
from runner.reports.cohort.side_by_side import render_similarity
from runner.reports.html import Audience, Sources, render
from runner.results import slug
from runner.store import fingerprints, marks, regrades, scorecards, submissions
from runner.store.audit import now
from runner.store.cohorts import Kept
from runner.store.store import Store

_REPORTS, _ALIKE = "reports", "alike"
_ALIKE_MOST = 60
"""Pages of pairs; of the others `assay cohort similar` makes one when it is asked."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A cohort as it stands now."""

    kept: Kept
    candidates: tuple[Candidate, ...]
    undecided_regrades: int
    flaky: Mapping[str, frozenset[CheckId]]
    """Challenge -> checks that said different things of the same bytes."""

    @property
    def counting(self) -> Sequence[CohortSubmission]:
        """Every submission that counts."""
        return [one for candidate in self.candidates for one in candidate.submissions.values()]


def standing_of(store: Store, kept: Kept) -> Standing:
    """Everything that pages are made of, read in one view of the store."""
    with store.database.reading() as connection:
        everyone = candidates(
            kept.cohort.assessment, submissions.listed(connection, kept), marks.listed(connection, kept)
        )
        undecided = sum(one.decision is None for one in regrades.every(connection, kept))
        again = scorecards.graded_again(connection, kept.id)
    flaky = {
        pin.id: flaky_checks(card for card in again if card.challenge.id == pin.id) for pin in kept.cohort.challenges
    }
    return Standing(kept, everyone, undecided, flaky)


def write_pages(store: Store, kept: Kept, out: Path, say: Say, *, reports: bool = True) -> Path:
    """Make the folder, and give its first page. Reports that are there already are left as they are.

    Raises InfrastructureError.
    """
    standing = standing_of(store, kept)
    links = {
        one.scorecard.id: f"{_REPORTS}/{_name(one.candidate, one.scorecard)}"
        for one in standing.counting
        if one.scorecard
    }
    try:
        (out / _REPORTS).mkdir(parents=True, exist_ok=True)
        pairs = similar_pairs(store, standing)
        side_by_side: Mapping[tuple[str, Pair], str] = {}
        if reports:
            _write_reports(store, standing, out, links, say)
            side_by_side = _write_alike(store, standing, pairs, out)
        shown = {card: link for card, link in links.items() if reports}
        page = render_cohort(content(standing, pairs, shown, side_by_side))
        _replace(out / "index.html", page)
    except OSError as error:
        raise InfrastructureError(f"{out}: could not be written: {error.strerror}") from error
    return out / "index.html"


def content(
    standing: Standing,
    pairs: Mapping[str, tuple[Pair, ...]],
    links: Mapping[str, str],
    side_by_side: Mapping[tuple[str, Pair], str],
) -> CohortContent:
    """What the cohort's page shows."""
    kept = standing.kept
    return CohortContent(
        cohort=kept.cohort,
        candidates=standing.candidates,
        ranking=rank(standing.candidates, kept.cohort.assessment),
        concerns=concerns(standing.candidates, pairs),
        statistics=tuple(statistics(standing)),
        pairs=pairs,
        links=links,
        side_by_side=side_by_side,
        made_at=now(),
        regrades_open=standing.undecided_regrades,
    )


def statistics(standing: Standing) -> Iterator[ChallengeStatistics]:
    """What the cohort says of each challenge's checks."""
    for pin in standing.kept.cohort.challenges:
        cards = [one.scorecard for one in standing.counting if one.challenge == pin.id and one.scorecard]
        if cards:
            yield challenge_statistics(cards, standing.flaky[pin.id])


def similar_pairs(store: Store, standing: Standing) -> Mapping[str, tuple[Pair, ...]]:
    """Challenge -> candidates whose code is alike beyond the starter, most alike first."""
    with store.database.reading() as connection:
        kept = fingerprints.kept_fingerprints(connection, standing.kept)
    found: dict[str, dict[str, Fingerprints]] = {}
    for one in standing.counting:
        prints = kept.get((one.digest, standing.kept.starters[one.challenge]))
        if prints is None:  # of a method before this one
            prints = fingerprint(files_of(store, one), files_of_starter(store, standing.kept, one.challenge))
        found.setdefault(one.challenge, {})[one.candidate] = prints
    return {challenge: similar(prints) for challenge, prints in found.items()}


def side_by_side_page(store: Store, kept: Kept, first: CohortSubmission, second: CohortSubmission) -> str:
    """The page that shows what two submissions of one challenge have in common, wherever they stand."""
    mine, theirs = files_of(store, first), files_of(store, second)
    starter = files_of_starter(store, kept, first.challenge)
    prints = {first.candidate: fingerprint(mine, starter), second.candidate: fingerprint(theirs, starter)}
    pairs = similar(prints, least=0.0)
    return render_similarity(
        first.candidate,
        second.candidate,
        first.challenge,
        pairs[0].share if pairs else 0.0,
        matches(mine, theirs, starter),
        mine,
        theirs,
        now(),
    )


def scorecard_of(store: Store, summary: ScorecardSummary) -> Scorecard:
    """The whole scorecard."""
    with store.database.reading() as connection:
        kept = scorecards.kept_scorecard(connection, summary.id)
    return document.load(kept.document, f"scorecard {summary.id}")


def sources_of(store: Store, kept: Kept, submission: CohortSubmission, scorecard: Scorecard) -> Sources:
    """What a report shows of the submission's files."""
    needed = tuple(file.path for file in scorecard.submission.files)
    content = store.artefacts.get(scorecard.submission.digest)
    received = unpack(content, scorecard.submission.format, scorecard.submission.origin, required_files=needed)
    return Sources(received.contents, files_of_starter(store, kept, submission.challenge))


def named(standing: Standing, names: Sequence[str]) -> list[Candidate]:
    """Candidates by name. Raises UsageError for one that is not there."""
    by_name = {candidate.name: candidate for candidate in standing.candidates}
    missing = [name for name in names if name not in by_name]
    if missing:
        raise UsageError(f"cohort {standing.kept.cohort.name} has no candidate {', '.join(missing)}")
    return [by_name[name] for name in names]


def _write_reports(store: Store, standing: Standing, out: Path, links: Mapping[str, str], say: Say) -> None:
    missing = [one for one in standing.counting if one.scorecard and not (out / links[one.scorecard.id]).is_file()]
    for number, one in enumerate(missing, start=1):
        if one.scorecard is None:
            continue
        card = scorecard_of(store, one.scorecard)
        try:
            sources = sources_of(store, standing.kept, one, card)
        except AssayError as error:
            say(f"{one.candidate}: the report shows no files: {error}")
            sources = Sources({}, {})
        _replace(out / links[card.id], render(card, sources, Audience.INTERVIEWER))
        if number % 50 == 0:
            say(f"{number} of {len(missing)} reports")


def _write_alike(
    store: Store, standing: Standing, pairs: Mapping[str, tuple[Pair, ...]], out: Path
) -> Mapping[tuple[str, Pair], str]:
    """A page for each of the pairs that are most alike, and where it lies. Made once: submissions never change."""
    most_alike = sorted(
        ((challenge, pair) for challenge, found in pairs.items() for pair in found), key=lambda one: -one[1].share
    )[:_ALIKE_MOST]
    by_who = {(one.challenge, one.candidate): one for one in standing.counting}
    links = {}
    for challenge, pair in most_alike:
        first, second = by_who[challenge, pair.first], by_who[challenge, pair.second]
        who = [challenge, pair.first, first.digest, pair.second, second.digest]
        link = f"{_ALIKE}/{hashlib.sha256(json.dumps(who).encode()).hexdigest()[:16]}.html"
        links[challenge, pair] = link
        if not (out / link).is_file():
            (out / _ALIKE).mkdir(exist_ok=True)
            _replace(out / link, side_by_side_page(store, standing.kept, first, second))
    return links


def _name(candidate: str, scorecard: ScorecardSummary) -> str:
    return f"{slug(candidate)}-{scorecard.challenge.id}-{scorecard.id[:8]}.html"


def _replace(path: Path, text: str) -> None:
    """The whole page, or the one before."""
    unfinished = path.with_name(f".{path.name}")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)
