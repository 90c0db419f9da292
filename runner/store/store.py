"""The store as a whole: its database, its artefacts and its key, opened together."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select

from assessments.errors import InfrastructureError, UsageError
from runner.engines.folders import READABLE, make_folder
from runner.store import migrations
from runner.store.artefacts import Artefacts
from runner.store.database import Database, connect
from runner.store.places import keys_folder, store_folder
from runner.store.schema import SUBMISSIONS
from runner.store.signing import PRIVATE, Signer, signer

DATABASE_VARIABLE: Final = "ASSAY_DATABASE"
ARTEFACTS_VARIABLE: Final = "ASSAY_ARTEFACTS"
_PRIVATE: Final = 0o700


@dataclass(frozen=True, slots=True)
class Store:
    """An open store."""

    folder: Path
    database: Database
    artefacts: Artefacts
    signer: Signer


@contextlib.contextmanager
def open_store(state: Path, *, upgrade: bool = False, own: bool = False, as_it_is: bool = False) -> Iterator[Store]:
    """The store of this state folder, made if there is none.

    With `own` all of it lies there, whatever the environment names. A database of an earlier version is left alone
    unless `upgrade` says otherwise; `as_it_is` opens it all the same, to copy it. Raises InfrastructureError, and
    UsageError where the database must be upgraded first, or is of a later version.
    """
    folder = store_folder(state)
    try:
        make_folder(state, READABLE)
        folder.mkdir(mode=_PRIVATE, exist_ok=True)
        artefacts = Path((not own and os.environ.get(ARTEFACTS_VARIABLE)) or folder / "artefacts")
        artefacts.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
    except OSError as error:
        msg = f"{folder}: the store cannot be made: {error.strerror}; name another state folder with ASSAY_STATE"
        raise InfrastructureError(msg) from error
    database = connect((not own and os.environ.get(DATABASE_VARIABLE)) or folder / "assay.db")
    with contextlib.closing(database):
        if not as_it_is or migrations.version_of(database) is None:
            _require_version(database, upgrade=upgrade)
        _require_key(database, keys_folder(state))
        yield Store(folder, database, Artefacts(artefacts), signer(keys_folder(state)))


def _require_version(database: Database, *, upgrade: bool) -> None:
    version = migrations.version_of(database)
    if version == migrations.NEWEST:
        return
    if version is not None and version < migrations.NEWEST and not upgrade:
        raise UsageError(
            f"{database.name}: is of an earlier version ({version}); run: assay db backup, then assay db upgrade"
        )
    migrations.upgrade(database)


def _require_key(database: Database, keys: Path) -> None:
    """A new key beside a store that another one has signed would make a stranger's work of all that is in it."""
    if (keys / PRIVATE).exists():
        return
    with database.reading() as connection:
        signed = connection.execute(select(SUBMISSIONS.c.id).limit(1)).first()
    if signed:
        raise InfrastructureError(
            f"{keys}: the signing key is gone, and there are receipts that it signed; put the folder back from a "
            "backup, or copy it from the host that has it"
        )
