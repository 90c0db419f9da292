"""Cohorts in the store: made, found, closed."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from assessments.assessment import Assessment
from assessments.cohort import Cohort, PinnedChallenge
from assessments.errors import UsageError
from assessments.submission import Digest
from runner.store.audit import Action, Doing, append
from runner.store.database import new_id
from runner.store.schema import COHORTS, PINS


@dataclass(frozen=True, slots=True)
class Kept:
    """A cohort, and what only the store needs of it."""

    id: int
    cohort: Cohort
    seed: int
    """All submissions of a challenge are graded with the same hidden data, which is made from this. Secret."""
    starters: dict[str, Digest]
    """Challenge -> the artefact that candidates started from."""
    purged_at: str | None


@dataclass(frozen=True, slots=True)
class NewCohort:
    """What a cohort is made of."""

    name: str
    assessment: Assessment
    challenges: Sequence[PinnedChallenge]
    starters: dict[str, Digest]
    certified: bool
    seed: int | None = None
    """None: a fresh one that nobody can predict."""


def make(connection: Connection, new: NewCohort, doing: Doing) -> Kept:
    """Make it. Raises UsageError where the name is taken."""
    seed = secrets.randbits(62) if new.seed is None else new.seed
    try:
        result = connection.execute(
            insert(COHORTS).values(
                name=new.name,
                assessment=_assessments().dump_json(new.assessment).decode(),
                seed=seed,
                certified=new.certified,
                created_at=doing.at,
            )
        )
    except IntegrityError as error:
        raise UsageError(f"there is a cohort '{new.name}' already; choose another name") from error
    cohort_id = new_id(result)
    for position, pin in enumerate(new.challenges):
        connection.execute(
            insert(PINS).values(
                cohort_id=cohort_id,
                position=position,
                challenge=pin.id,
                version=pin.version,
                digest=pin.digest,
                starter=new.starters[pin.id],
            )
        )
    append(
        connection,
        doing,
        Action.COHORT_MADE,
        f"cohort {new.name}",
        assessment=f"{new.assessment.id} {new.assessment.version}",
        certified=new.certified,
        challenges={pin.id: pin.digest for pin in new.challenges},
    )
    return find(connection, new.name)


def find(connection: Connection, name: str) -> Kept:
    """The cohort of this name. Raises UsageError where there is none."""
    row = connection.execute(select(COHORTS).where(COHORTS.c.name == name)).one_or_none()
    if row is None:
        known = list(connection.scalars(select(COHORTS.c.name).order_by(COHORTS.c.id.desc()).limit(10)))
        there = f"there are: {', '.join(known)}" if known else "there is none yet; make one with: assay cohort new"
        raise UsageError(f"there is no cohort '{name}'; {there}")
    return _kept(connection, row)


def hold(connection: Connection, name: str) -> Kept:
    """The cohort of this name, which nobody else closes, hands in to or decides on until this transaction ends.

    On SQLite a writer is alone anyway. Raises UsageError where there is none.
    """
    connection.execute(select(COHORTS.c.id).where(COHORTS.c.name == name).with_for_update(key_share=True)).all()
    return find(connection, name)


def every(connection: Connection) -> list[Kept]:
    """All cohorts, newest first."""
    return [_kept(connection, row) for row in connection.execute(select(COHORTS).order_by(COHORTS.c.id.desc()))]


def close(connection: Connection, kept: Kept, doing: Doing) -> None:
    """From now on nothing is handed in any more. Raises UsageError where it was closed before."""
    closed_at = hold(connection, kept.cohort.name).cohort.closed_at
    if closed_at:
        raise UsageError(f"cohort {kept.cohort.name} was closed on {closed_at[:10]} already")
    connection.execute(update(COHORTS).where(COHORTS.c.id == kept.id).values(closed_at=doing.at))
    append(connection, doing, Action.COHORT_CLOSED, f"cohort {kept.cohort.name}")


def pinned(connection: Connection, cohort_id: int) -> dict[str, Digest]:
    """Challenge -> the files it is held to now."""
    rows = connection.execute(select(PINS.c.challenge, PINS.c.digest).where(PINS.c.cohort_id == cohort_id))
    return {row.challenge: Digest(row.digest) for row in rows}


def repin(connection: Connection, kept: Kept, pins: Sequence[PinnedChallenge]) -> None:
    """Hold the cohort to other files of its challenges: those of an accepted regrade."""
    for pin in pins:
        where = (PINS.c.cohort_id == kept.id) & (PINS.c.challenge == pin.id)
        connection.execute(update(PINS).where(where).values(version=pin.version, digest=pin.digest))


def dump_pins(pins: Sequence[PinnedChallenge]) -> str:
    return json.dumps([[pin.id, pin.version, pin.digest] for pin in pins])


def load_pins(text: str) -> tuple[PinnedChallenge, ...]:
    return tuple(PinnedChallenge(*pin) for pin in json.loads(text))


def _kept(connection: Connection, row: Row[tuple[object, ...]]) -> Kept:
    pins = connection.execute(select(PINS).where(PINS.c.cohort_id == row.id).order_by(PINS.c.position)).all()
    cohort = Cohort(
        name=row.name,
        assessment=_assessments().validate_json(row.assessment),
        challenges=tuple(PinnedChallenge(pin.challenge, pin.version, Digest(pin.digest)) for pin in pins),
        created_at=row.created_at,
        closed_at=row.closed_at,
        certified=row.certified,
    )
    return Kept(row.id, cohort, row.seed, {pin.challenge: Digest(pin.starter) for pin in pins}, row.purged_at)


@cache
def _assessments() -> TypeAdapter[Assessment]:
    return TypeAdapter(Assessment)
