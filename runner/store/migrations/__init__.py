"""How a database comes to this version, by alembic: one file a step under `versions/`."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import column, inspect, select, table, text

from assessments.errors import UsageError
from runner.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

NEWEST: Final = "0001"
"""The step that this version of Assay works with. Named here, so that alembic is imported only to take a step."""
_LOCK: Final = 0x61737361_79
"""Any number that nobody else locks."""
_VERSIONS: Final = table("alembic_version", column("version_num"))


def upgrade(database: Database) -> str | None:
    """Bring the database to this version, in one transaction. Gives the version it had; None where it was empty.

    Raises UsageError for a database of a later version.
    """
    from alembic import command
    from alembic.script import ScriptDirectory

    before = version_of(database)
    if before == NEWEST:
        return before
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if before is not None and before not in known:
        raise UsageError(f"{database.name}: is of a later version of Assay ({before}); use that version")
    with database.writing() as connection:
        if not database.is_sqlite:  # there a writer is alone anyway; of two who begin at once the second finds it done
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
        steps = config()
        steps.attributes["connection"] = connection
        command.upgrade(steps, "head")
    return before


def version_of(database: Database) -> str | None:
    """The step that the database is at; None for one that is empty."""
    with database.reading() as connection:
        if not inspect(connection).has_table(_VERSIONS.name):
            return None
        return connection.scalar(select(_VERSIONS.c.version_num))


def config() -> "Config":
    """Alembic's configuration: where the steps are."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return found
