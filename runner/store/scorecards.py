"""Scorecards in the store: each written once, whole, in the transaction that ends its grading."""

import zlib
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy import Connection, func, insert, select

from assessments.cohort import AttemptState
from assessments.errors import UsageError
from assessments.scorecard import Scorecard
from assessments.scorecard_summary import ScorecardSummary, summary_of
from runner.reports import document
from runner.store.artefacts import digest_of
from runner.store.schema import ATTEMPTS, SCORECARDS, SUBMISSIONS
from runner.store.signing import Kind, Signer

_LEVEL = 6


@dataclass(frozen=True, slots=True)
class Sealed:
    """A scorecard made ready to be stored, outside of any transaction: packing and signing take their time."""

    id: str
    summary: str
    packed: bytes
    digest: str
    signature: str


@dataclass(frozen=True, slots=True)
class KeptScorecard:
    """A scorecard as it was stored."""

    submission_id: int
    document: bytes
    signature: str


def seal(scorecard: Scorecard, signer: Signer) -> Sealed:
    """The scorecard as its document, signed."""
    content = document.dump(scorecard)
    return Sealed(
        id=scorecard.id,
        summary=dump_summary(summary_of(scorecard)),
        packed=zlib.compress(content, _LEVEL),
        digest=digest_of(content),
        signature=signer.sign(Kind.SCORECARD, content),
    )


def write(connection: Connection, sealed: Sealed, attempt_id: int, submission_id: int) -> None:
    connection.execute(
        insert(SCORECARDS).values(
            id=sealed.id,
            attempt_id=attempt_id,
            submission_id=submission_id,
            summary=sealed.summary,
            document=sealed.packed,
            digest=sealed.digest,
            signature=sealed.signature,
        )
    )


def kept_scorecard(connection: Connection, scorecard_id: str) -> KeptScorecard:
    """A scorecard by its id, or by the beginning of it if only one begins so. Raises UsageError."""
    found = connection.execute(
        select(SCORECARDS.c.submission_id, SCORECARDS.c.document, SCORECARDS.c.signature)
        .where(SCORECARDS.c.id.startswith(scorecard_id, autoescape=True))
        .limit(2)
    ).all()
    if len(found) != 1:
        several = "several scorecards begin" if found else "no scorecard begins"
        raise UsageError(f"{several} with '{scorecard_id}'; name one by its whole id")
    return KeptScorecard(found[0].submission_id, zlib.decompress(found[0].document), found[0].signature)


def graded_again(connection: Connection, cohort_id: int) -> list[ScorecardSummary]:
    """The figures of all scorecards of submissions that have several: what regrades left, whether or not it counts."""
    several = (
        select(SCORECARDS.c.submission_id)
        .join(SUBMISSIONS, SUBMISSIONS.c.id == SCORECARDS.c.submission_id)
        .where(SUBMISSIONS.c.cohort_id == cohort_id)
        .group_by(SCORECARDS.c.submission_id)
        .having(func.count() > 1)
    )
    rows = connection.execute(
        select(SCORECARDS.c.summary)
        .join(ATTEMPTS, ATTEMPTS.c.id == SCORECARDS.c.attempt_id)
        .where(SCORECARDS.c.submission_id.in_(several), ATTEMPTS.c.state != AttemptState.VOID)
    )
    return [load_summary(row.summary) for row in rows]


def counts(connection: Connection, submission_id: int, scorecard_id: str) -> None:
    """Let this scorecard be the one that counts of a submission."""
    connection.execute(SUBMISSIONS.update().where(SUBMISSIONS.c.id == submission_id).values(scorecard_id=scorecard_id))


def dump_summary(summary: ScorecardSummary) -> str:
    return _summaries().dump_json(summary).decode()


def load_summary(text: str) -> ScorecardSummary:
    return _summaries().validate_json(text)


@cache
def _summaries() -> TypeAdapter[ScorecardSummary]:
    return TypeAdapter(ScorecardSummary)
