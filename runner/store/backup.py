"""A copy of the whole store, made while others write: the database as of one moment, every artefact, the key.

To put it back: stop what runs, and copy the folder over `<state>/store`.
"""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from assessments.errors import InfrastructureError, UsageError
from runner.store.store import Store


def back_up(store: Store, target: Path) -> None:
    """Make the folder `target`, whole or not at all. Raises UsageError where it is there already."""
    if target.exists():
        raise UsageError(f"{target}: is there already; name a folder that is not")
    if not store.database.is_sqlite:
        raise UsageError(
            "a PostgreSQL database is backed up by its own tools, such as pg_dump; copy the artefacts after it"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            _copy_database(store, unfinished / "assay.db")
            # After the database: an artefact is written before the row that names it.
            shutil.copytree(
                store.artefacts.folder, unfinished / "artefacts", ignore=shutil.ignore_patterns(".unfinished-*")
            )
            shutil.copytree(store.folder / "keys", unfinished / "keys")
            unfinished.rename(target)
        except BaseException:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise
    except (OSError, shutil.Error, sqlite3.Error) as error:
        raise InfrastructureError(f"{target}: the backup could not be written: {error}; nothing is there") from error


def _copy_database(store: Store, target: Path) -> None:
    """SQLite's own online copy: consistent, and nobody waits for it."""
    source = store.database.engine.url.database or ""
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
