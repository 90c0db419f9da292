"""What submissions are known by when code is compared, kept by their digests: finding it takes far longer than reading.

A row says of which bytes, beside which starter, by which method; all of it can be found again from the artefacts.
"""

import struct
from collections.abc import Mapping

from sqlalchemy import Connection, insert, select, text

from assessments.submission import Digest
from runner.insights.similarity import METHOD, Fingerprints
from runner.store.cohorts import Kept
from runner.store.schema import FINGERPRINTS, SUBMISSIONS


def keep(connection: Connection, submission: Digest, starter: Digest, found: Fingerprints) -> None:
    """Keep them; what is there already stays."""
    row = {"submission": submission, "starter": starter, "method": METHOD}
    if connection.dialect.name != "sqlite":  # the same bytes may be handed in twice at once, to two cohorts
        connection.execute(text(f"LOCK TABLE {FINGERPRINTS.name} IN SHARE ROW EXCLUSIVE MODE"))
    there = select(FINGERPRINTS.c.cut).filter_by(**row)
    if connection.execute(there).first() is None:
        values = sorted(found.values)
        connection.execute(
            insert(FINGERPRINTS).values(**row, prints=struct.pack(f"<{len(values)}Q", *values), cut=found.cut)
        )


def kept_fingerprints(connection: Connection, kept: Kept) -> Mapping[tuple[str, str], Fingerprints]:
    """Those of a cohort's submissions, by the digests of submission and starter."""
    mine = select(SUBMISSIONS.c.digest).where(SUBMISSIONS.c.cohort_id == kept.id)
    query = select(FINGERPRINTS).where(FINGERPRINTS.c.method == METHOD, FINGERPRINTS.c.submission.in_(mine))
    return {
        (row.submission, row.starter): Fingerprints(
            frozenset(struct.unpack(f"<{len(row.prints) // 8}Q", row.prints)), row.cut
        )
        for row in connection.execute(query)
    }
