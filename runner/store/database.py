"""A database: opened, brought to this version, read and written in transactions; its errors become words.

SQLite waits for its one writer, in WAL mode, and has every commit on disk before it returns. PostgreSQL is named by a
URL and serves several hosts.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from assessments.errors import InfrastructureError, UsageError
from runner.reports.text import visible

_WAIT_S = 30.0
"""How long a writer waits for another."""
_CURES: Final = (
    (("full", "no space"), "the disk is full; make room, and run the same command again"),
    (("readonly", "read-only", "unable to open"), "it cannot be written; check the folder's owner, rights and mount"),
    (("locked", "busy"), "another program holds it locked; end that program, and run the same command again"),
    (("malformed", "not a database", "corrupt"), "it is damaged; put back a copy that `assay db backup` made"),
    (("no such table", "no such column", "undefined"), "it is of another version; run: assay db upgrade"),
    (("connect", "refused", "timeout"), "nobody answers there; check ASSAY_DATABASE, and that the server runs"),
)


@dataclass(frozen=True, slots=True)
class Database:
    """An open database. Threads may share it; processes open their own."""

    engine: Engine
    name: str
    """For people: a file, or a URL without its password."""

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One view of everything, however long the block takes. Raises InfrastructureError."""
        with self._worded(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """All that the block does, or nothing of it; on disk once it is left. Raises InfrastructureError."""
        writer = self.engine.execution_options(assay_writes=True)
        with self._worded(), writer.connect() as connection, connection.begin():
            yield connection

    def close(self) -> None:
        self.engine.dispose()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def _worded(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise InfrastructureError(f"{self.name}: {worded(error)}") from error
        except UnicodeEncodeError as error:  # half characters, as from an argument that is not UTF-8
            raise UsageError(f"'{visible(str(error.object))[:200]}' is not UTF-8; write it in UTF-8") from error


def connect(where: Path | str) -> Database:
    """The database in this file, or at this URL. It is not looked at yet; see `migrations.upgrade`.

    Raises UsageError for a URL that names nothing we know.
    """
    if isinstance(where, Path):
        url, name = URL.create("sqlite", database=str(where)), str(where)
    else:
        url = _known_url(where)
        name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _WAIT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        engine = create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": 10})
        event.listen(engine, "begin", _begin_postgresql)
    return Database(engine, name)


def worded(error: SQLAlchemyError) -> str:
    """What went wrong, and the cure where one is known."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).strip().partition("\n")[0]
    lowered = said.lower()
    cure = next((cure for signs, cure in _CURES if any(sign in lowered for sign in signs)), None)
    kind = "the database failed" if isinstance(error, OperationalError) else "the database refused"
    return (
        f"{cure} ({said}); nothing of this step was kept" if cure else f"{kind}: {said}; nothing of this step was kept"
    )


def new_id(result: "CursorResult[Any]") -> int:
    """The id of the one row that was just inserted."""
    if not result.inserted_primary_key:
        raise AssertionError("no row was inserted")
    return int(result.inserted_primary_key[0])


def _known_url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise UsageError(f"ASSAY_DATABASE: '{text}' is no URL; write postgresql://user@host/name") from error
    if url.get_backend_name() == "sqlite":
        return url
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise UsageError(f"ASSAY_DATABASE: {url.get_backend_name()} is not known here; use sqlite or postgresql")
    url = url.set(drivername="postgresql+psycopg")
    try:
        url.get_dialect().import_dbapi()
    except (ImportError, NoSuchModuleError) as error:
        raise UsageError("PostgreSQL needs its driver; run: pip install 'assay-runner[postgres]'") from error
    return url


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # transactions begin where `_begin_sqlite` says so
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: two that read first and write later would each wait for the other.
    writes = connection.get_execution_options().get("assay_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if not connection.get_execution_options().get("assay_writes", False):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
