"""The tables. Times are RFC 3339 in UTC, digests SHA-256 in hexadecimal, documents JSON.

Nothing is ordered by a clock: ids and sequence numbers count up, so a clock that jumps back changes no order.
None is given twice, also where rows were purged: the audit log names rows by their ids (SQLite must be told so).
Scorecards and the audit log cannot be changed: triggers refuse it (see `migrations`).
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

COHORTS: Final = Table(
    "cohorts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("assessment", Text, nullable=False),
    Column("seed", BigInteger, nullable=False),
    Column("certified", Boolean, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("closed_at", Text),
    Column("purged_at", Text),
    sqlite_autoincrement=True,
)

PINS: Final = Table(
    "pins",
    METADATA,
    Column("cohort_id", ForeignKey(COHORTS.c.id), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("challenge", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("starter", Text, nullable=False),
    UniqueConstraint("cohort_id", "challenge"),
)
"""The challenges that a cohort is held to. `starter` is the artefact that candidates started from."""

SUBMISSIONS: Final = Table(
    "submissions",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("cohort_id", ForeignKey(COHORTS.c.id), nullable=False),
    Column("candidate", Text, nullable=False),
    Column("challenge", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("tree", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("received_at", Text, nullable=False),
    Column("receipt", Text, nullable=False),
    Column("scorecard_id", Text),
    Index(None, "cohort_id", "candidate", "challenge"),
    sqlite_autoincrement=True,
)
"""`scorecard_id` names the scorecard that counts."""

REGRADES: Final = Table(
    "regrades",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("cohort_id", ForeignKey(COHORTS.c.id), nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("pins", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("decision", Text),
    Column("decided_by", Text),
    Column("decided_at", Text),
    sqlite_autoincrement=True,
)
"""`pins` are the challenges' digests that it grades with; `decision` is accepted, dropped, or not there yet."""

ATTEMPTS: Final = Table(
    "attempts",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("cohort_id", ForeignKey(COHORTS.c.id), nullable=False),
    Column("submission_id", ForeignKey(SUBMISSIONS.c.id), nullable=False, index=True),
    Column("regrade_id", ForeignKey(REGRADES.c.id), index=True),
    Column("seed", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("token", Integer, nullable=False),
    Column("beat", Integer, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("faults", Integer, nullable=False),
    Column("problem", Text, nullable=False),
    Column("started_at", Text),
    Column("ended_at", Text),
    Column("vouched", Boolean, nullable=False),
    Index(None, "cohort_id", "state", "id"),
    sqlite_autoincrement=True,
)
"""One grading. `token` goes up each time somebody takes it: who comes back with an older one has lost it.

`beat` goes up while its owner lives, `deaths` counts owners that died over it, `faults` failures of ours. `vouched`:
what was measured is believed, since a canary came after it and did not fail (see `canaries`).
"""

SCORECARDS: Final = Table(
    "scorecards",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("attempt_id", ForeignKey(ATTEMPTS.c.id), nullable=False, unique=True),
    Column("submission_id", ForeignKey(SUBMISSIONS.c.id), nullable=False, index=True),
    Column("summary", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("signature", Text, nullable=False),
)
"""`document` is the scorecard's JSON document, packed with zlib; `digest` is over the document itself."""

MARKS: Final = Table(
    "marks",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("cohort_id", ForeignKey(COHORTS.c.id), nullable=False, index=True),
    Column("candidate", Text, nullable=False),
    Column("criterion", Text, nullable=False),
    Column("value", Float),
    Column("out_of", Float),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", Text, nullable=False),
)

FINGERPRINTS: Final = Table(
    "fingerprints",
    METADATA,
    Column("submission", Text, primary_key=True),
    Column("starter", Text, primary_key=True),
    Column("method", Integer, primary_key=True, autoincrement=False),
    Column("prints", LargeBinary, nullable=False),
    Column("cut", Boolean, nullable=False),
)
"""What code is compared by: 64-bit numbers, little-endian, of the artefact `submission` without the `starter`'s."""

AUDIT: Final = Table(
    "audit",
    METADATA,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False, index=True),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
)

UNCHANGEABLE: Final = {"audit": ("UPDATE", "DELETE"), "scorecards": ("UPDATE",)}
"""Table -> what no statement may do to it. Scorecards are removed by a purge, and by nothing else."""
