"""Whether a store fits together: the database, the chain of the audit log, the signatures, the bytes."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from assessments.submission import Digest
from runner.store import audit
from runner.store.artefacts import digest_of
from runner.store.audit import Action
from runner.store.schema import COHORTS, PINS, SCORECARDS, SUBMISSIONS
from runner.store.signing import Kind
from runner.store.store import Store

_PROBLEMS_AT_MOST = 200


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `entries` and `head` are the audit log's length and last digest, to be noted down elsewhere."""

    problems: tuple[str, ...]
    submissions: int
    scorecards: int
    entries: int
    head: str
    unclaimed: int
    """Artefacts that nothing names: left by something that was killed before it could record them."""


def check(store: Store) -> Checked:
    """Look at everything. Raises InfrastructureError where the database cannot be read at all."""
    with store.database.reading() as connection:
        problems = tuple(_first(_problems(store, connection)))
        entries, head = audit.head(connection)
        submissions = len(connection.execute(select(SUBMISSIONS.c.id)).all())
        scorecards = len(connection.execute(select(SCORECARDS.c.id)).all())
        claimed = _claimed(connection)
        unclaimed = sum(digest not in claimed for digest in store.artefacts.digests())
    return Checked(problems, submissions, scorecards, entries, head, unclaimed)


def _first(problems: Iterator[str]) -> Iterator[str]:
    for number, problem in enumerate(problems):
        if number == _PROBLEMS_AT_MOST:
            yield "and more"
            return
        yield problem


def _problems(store: Store, connection: Connection) -> Iterator[str]:
    if store.database.is_sqlite:
        said = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        yield from (f"{store.database.name}: {line}" for line in said if line != "ok")
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        yield from (f"{store.database.name}: a row of {row[0]} names one of {row[2]} that is gone" for row in broken)
    yield from audit.broken(connection)
    yield from _unrecorded(connection)
    yield from _bad_scorecards(store, connection)
    claimed = _claimed(connection)
    yield from _purged_midway(store, connection, claimed)
    for digest in sorted(claimed):
        if not store.artefacts.has(digest):
            yield f"{store.artefacts.path(digest)}: is missing; put it back from a backup"
        elif digest_of(store.artefacts.path(digest).read_bytes()) != digest:
            yield f"{store.artefacts.path(digest)}: was changed; put it back from a backup"


def _purged_midway(store: Store, connection: Connection, claimed: set[Digest]) -> Iterator[str]:
    """Purges that were killed when the rows were gone and the bytes were not."""
    handed_in = audit.handed_in(connection)
    for name in connection.scalars(select(COHORTS.c.name).where(COHORTS.c.purged_at.is_not(None))):
        left = [each for each in handed_in.get(name, set()) - claimed if store.artefacts.has(Digest(each))]
        if left:
            yield f"cohort {name}: was purged, and {len(left)} of its submissions are still here; purge it once more"


def _unrecorded(connection: Connection) -> Iterator[str]:
    """Rows without an entry in the audit log, and entries whose rows are gone. Purged cohorts have no rows."""
    purged = set(connection.scalars(select(COHORTS.c.name).where(COHORTS.c.purged_at.is_not(None))))
    received, graded = {}, {}
    for entry in audit.entries(connection):
        if entry.action == Action.SUBMISSION_RECEIVED and entry.detail["cohort"] not in purged:
            received[entry.subject] = entry.detail["digest"]
        elif entry.action == Action.GRADED and entry.subject in received:
            graded[entry.detail["scorecard"]] = entry.detail["digest"]
    rows = {
        f"submission {row.id}": row.digest for row in connection.execute(select(SUBMISSIONS.c.id, SUBMISSIONS.c.digest))
    }
    for subject, digest in received.items():
        if rows.get(subject) != digest:
            how = "another" if subject in rows else "gone"
            yield f"{subject}: the audit log says that it was received, and it is {how}"
    for subject in rows.keys() - received.keys():
        yield f"{subject}: the audit log does not know of it"
    cards = {row.id: row.digest for row in connection.execute(select(SCORECARDS.c.id, SCORECARDS.c.digest))}
    for card, digest in graded.items():
        if cards.get(card) != digest:
            how = "another" if card in cards else "gone"
            yield f"scorecard {card}: the audit log says that it was written, and it is {how}"
    for card in cards.keys() - graded.keys():
        yield f"scorecard {card}: the audit log does not know of it"


def _bad_scorecards(store: Store, connection: Connection) -> Iterator[str]:
    query = select(SCORECARDS.c.id, SCORECARDS.c.document, SCORECARDS.c.digest, SCORECARDS.c.signature)
    verifier = store.signer.verifier
    for row in connection.execute(query.execution_options(yield_per=100)):
        try:
            content = zlib.decompress(row.document)
        except zlib.error:
            yield f"scorecard {row.id}: its document cannot be unpacked"
            continue
        if digest_of(content) != row.digest:
            yield f"scorecard {row.id}: its document was changed"
        elif not verifier.signed(Kind.SCORECARD, content, row.signature):
            yield f"scorecard {row.id}: is not signed by this store's key {verifier.id}"


def _claimed(connection: Connection) -> set[Digest]:
    """The artefacts that must be there."""
    return {
        *map(Digest, connection.scalars(select(SUBMISSIONS.c.digest))),
        *map(Digest, connection.scalars(select(PINS.c.starter))),
    }
