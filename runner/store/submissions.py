"""Submissions in the store. A receipt is given only for what is on disk and recorded."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from assessments.cohort import AttemptState, CohortSubmission
from assessments.errors import UsageError
from assessments.submission import Digest, Submission
from runner.store.audit import Action, Doing, append
from runner.store.cohorts import Kept
from runner.store.database import new_id
from runner.store.schema import ATTEMPTS, SCORECARDS, SUBMISSIONS
from runner.store.scorecards import load_summary
from runner.store.signing import Kind, Signer, canonical

RECEIPT_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Stored:
    """A submission as grading and drawing need it: whose it is, where its bytes are, and how to read them."""

    id: int
    candidate: str
    challenge: str
    digest: Digest
    format: str
    origin: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of recording one."""

    receipt: str
    again: bool
    """Whether the same bytes were there already, so that nothing was added."""


def record(
    connection: Connection,
    kept: Kept,
    candidate: str,
    challenge: str,
    submission: Submission,
    doing: Doing,
    signer: Signer,
) -> Recorded:
    """Record a submission whose bytes are kept, and let it wait for its grading.

    The same bytes handed in twice in a row are one submission. Raises UsageError beyond the assessment's attempts.
    """
    mine = (
        (SUBMISSIONS.c.cohort_id == kept.id)
        & (SUBMISSIONS.c.candidate == candidate)
        & (SUBMISSIONS.c.challenge == challenge)
    )
    earlier = connection.execute(
        select(SUBMISSIONS.c.digest, SUBMISSIONS.c.receipt).where(mine).order_by(SUBMISSIONS.c.id.desc())
    ).all()
    if earlier and earlier[0].digest == submission.digest:
        return Recorded(earlier[0].receipt, again=True)
    allowed = kept.cohort.assessment.attempts
    if len(earlier) >= allowed:
        raise UsageError(f"{candidate}: {challenge} was handed in {len(earlier)} times already; {allowed} are allowed")
    receipt = make_receipt(kept, candidate, challenge, submission.digest, doing, signer)
    result = connection.execute(
        insert(SUBMISSIONS).values(
            cohort_id=kept.id,
            candidate=candidate,
            challenge=challenge,
            digest=submission.digest,
            tree=submission.tree_digest,
            format=submission.format,
            origin=submission.origin,
            received_at=doing.at,
            receipt=receipt,
        )
    )
    submission_id = new_id(result)
    enqueue(connection, kept.id, [(submission_id, seed_of(kept, challenge))])
    append(
        connection,
        doing,
        Action.SUBMISSION_RECEIVED,
        f"submission {submission_id}",
        cohort=kept.cohort.name,
        challenge=challenge,
        digest=submission.digest,
    )
    return Recorded(receipt, again=False)


def enqueue(
    connection: Connection, cohort_id: int, submissions: Iterable[tuple[int, int]], regrade_id: int | None = None
) -> None:
    """Let submissions, given with the seed of each, wait for a grading."""
    rows = [
        {
            "cohort_id": cohort_id,
            "submission_id": submission_id,
            "regrade_id": regrade_id,
            "seed": seed,
            "state": str(AttemptState.WAITING),
            "owner": "",
            "token": 0,
            "beat": 0,
            "deaths": 0,
            "faults": 0,
            "problem": "",
            "vouched": False,
        }
        for submission_id, seed in submissions
    ]
    if rows:
        connection.execute(insert(ATTEMPTS), rows)


def seed_of(kept: Kept, challenge: str) -> int:
    """The seed that everybody's submission of a challenge is graded with, in this cohort: the same hidden data for all.

    HMAC-SHA256 of the challenge's name under the cohort's seed, so that one challenge's says nothing of another's.
    """
    digest = hmac.digest(str(kept.seed).encode("ascii"), challenge.encode("utf-8"), hashlib.sha256)
    return int.from_bytes(digest[:8], "big") >> 1


def make_receipt(kept: Kept, candidate: str, challenge: str, digest: Digest, doing: Doing, signer: Signer) -> str:
    """A signed statement that these bytes were received: what `assay verify` checks."""
    stated = {
        "assessment": f"{kept.cohort.assessment.id} {kept.cohort.assessment.version}",
        "candidate": candidate,
        "challenge": challenge,
        "cohort": kept.cohort.name,
        "digest": str(digest),
        "received_at": doing.at,
    }
    signature = signer.sign(Kind.RECEIPT, canonical(stated))
    document = {"format": RECEIPT_FORMAT, "receipt": stated, "key": signer.verifier.id, "signature": signature}
    return json.dumps(document, indent=1, ensure_ascii=True)


def listed(connection: Connection, kept: Kept) -> Iterator[CohortSubmission]:
    """All submissions of a cohort in the order of arrival, each with its last attempt and the scorecard that counts."""
    last = (
        select(ATTEMPTS.c.submission_id, func.max(ATTEMPTS.c.id).label("attempt_id"))
        .where(ATTEMPTS.c.cohort_id == kept.id, ATTEMPTS.c.regrade_id.is_(None))
        .group_by(ATTEMPTS.c.submission_id)
        .subquery()
    )
    query = (
        select(SUBMISSIONS, ATTEMPTS.c.state, ATTEMPTS.c.problem, SCORECARDS.c.summary)
        .join(last, last.c.submission_id == SUBMISSIONS.c.id)
        .join(ATTEMPTS, ATTEMPTS.c.id == last.c.attempt_id)
        .outerjoin(SCORECARDS, SCORECARDS.c.id == SUBMISSIONS.c.scorecard_id)
        .where(SUBMISSIONS.c.cohort_id == kept.id)
        .order_by(SUBMISSIONS.c.id)
    )
    for row in connection.execute(query):
        yield CohortSubmission(
            id=row.id,
            candidate=row.candidate,
            challenge=row.challenge,
            digest=Digest(row.digest),
            received_at=row.received_at,
            origin=row.origin,
            state=AttemptState(row.state),
            problem=row.problem,
            scorecard=load_summary(row.summary) if row.summary else None,
        )


def stored(connection: Connection, submission_id: int) -> Stored:
    """One of them. The id must be one."""
    row = connection.execute(select(SUBMISSIONS).where(SUBMISSIONS.c.id == submission_id)).one()
    return Stored(row.id, row.candidate, row.challenge, Digest(row.digest), row.format, row.origin)
