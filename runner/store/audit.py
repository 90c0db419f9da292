"""The audit log: who did what when. Each entry carries the digest of the one before, so that a gap or a change shows.

An entry is added in the transaction of what it tells of. Entries are ordered by number and not by time. Whoever can
write the database and knows this file can write a new chain; note down the last digest elsewhere (`assay db check`
prints it) and they cannot do it unseen.
"""

import getpass
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import Connection, insert, select, text

from runner.store.schema import AUDIT

_FIRST = "0" * 64


class Action(StrEnum):
    """What can be done."""

    COHORT_MADE = "cohort-made"
    COHORT_CLOSED = "cohort-closed"
    COHORT_PURGED = "cohort-purged"
    SUBMISSION_RECEIVED = "submission-received"
    GRADED = "graded"
    HELD = "held"
    CANARY_GRADED = "canary-graded"
    VOIDED = "voided"
    RESUMED = "resumed"
    REGRADE_ORDERED = "regrade-ordered"
    REGRADE_ACCEPTED = "regrade-accepted"
    REGRADE_DROPPED = "regrade-dropped"
    MARKED = "marked"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done."""

    sequence: int
    at: str
    by: str
    action: str
    subject: str
    detail: Mapping[str, object]
    previous: str
    digest: str


@dataclass(frozen=True, slots=True)
class Doing:
    """Who does something, and when."""

    by: str
    at: str


def doing_now() -> Doing:
    """This user, now."""
    return Doing(_user(), now())


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def append(connection: Connection, doing: Doing, action: Action, subject: str, **detail: object) -> None:
    """Add an entry, in the transaction of what it tells of."""
    if connection.dialect.name != "sqlite":  # there a writer is alone anyway
        connection.execute(text("LOCK TABLE audit IN EXCLUSIVE MODE"))
    last = connection.execute(
        select(AUDIT.c.sequence, AUDIT.c.digest).order_by(AUDIT.c.sequence.desc()).limit(1)
    ).one_or_none()
    sequence, previous = (last.sequence + 1, last.digest) if last else (1, _FIRST)
    words = json.dumps(detail, sort_keys=True, ensure_ascii=True, allow_nan=False)
    row = {
        "sequence": sequence,
        "at": doing.at,
        "by": doing.by,
        "action": str(action),
        "subject": subject,
        "detail": words,
        "previous": previous,
    }
    connection.execute(insert(AUDIT).values(**row, digest=_digest(row)))


def entries(connection: Connection) -> Iterator[AuditEntry]:
    """All of them, first one first."""
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)):
        yield AuditEntry(
            row.sequence, row.at, row.by, row.action, row.subject, json.loads(row.detail), row.previous, row.digest
        )


def handed_in(connection: Connection) -> Mapping[str, set[str]]:
    """Cohort -> the digests of all that was ever handed in to it, also once it is purged."""
    found: dict[str, set[str]] = {}
    for words in connection.scalars(select(AUDIT.c.detail).where(AUDIT.c.action == Action.SUBMISSION_RECEIVED)):
        detail = json.loads(words)
        found.setdefault(detail["cohort"], set()).add(detail["digest"])
    return found


def broken(connection: Connection) -> Iterator[str]:
    """Where the chain has a gap, or an entry was changed."""
    expected, previous = 1, _FIRST
    for row in connection.execute(select(AUDIT).order_by(AUDIT.c.sequence)).mappings():
        if row["sequence"] != expected:
            yield f"audit: entries {expected} to {row['sequence'] - 1} are missing"
        elif row["previous"] != previous:
            yield f"audit: entry {expected} does not follow from the one before"
        if _digest({key: value for key, value in row.items() if key != "digest"}) != row["digest"]:
            yield f"audit: entry {row['sequence']} was changed"
        expected, previous = row["sequence"] + 1, row["digest"]


def head(connection: Connection) -> tuple[int, str]:
    """How many entries there are, and the last one's digest."""
    last = connection.execute(
        select(AUDIT.c.sequence, AUDIT.c.digest).order_by(AUDIT.c.sequence.desc()).limit(1)
    ).one_or_none()
    return (last.sequence, last.digest) if last else (0, _FIRST)


def _digest(row: Mapping[str, object]) -> str:
    canonical = json.dumps(dict(row), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _user() -> str:
    """Who runs this; behind sudo the person and not root."""
    return os.environ.get("ASSAY_OPERATOR") or os.environ.get("SUDO_USER") or _login()


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # in a container started for a number that no account has
        return f"uid {os.getuid()}"
