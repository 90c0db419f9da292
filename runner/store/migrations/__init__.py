"""How a database comes to this version, by alembic: one file a step under `versions/`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from assessments.errors import UsageError
from runner.store.database import Database


def upgrade(database: Database) -> str | None:
    """Bring the database to this version, in one transaction. Gives the version it had; None where it was empty.

    Raises UsageError for a database of a later version.
    """
    before = version_of(database)
    if before == newest():
        return before
    _require_known(database, before)
    with database.writing() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before


def version_of(database: Database) -> str | None:
    """The step that the database is at; None for one that is empty."""
    with database.reading() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The step that this version of Assay works with."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if head is None:
        raise AssertionError("there are no migrations")
    return head


def _require_known(database: Database, version: str | None) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if version is not None and version not in known:
        raise UsageError(f"{database.name}: is of a later version of Assay ({version}); use that version")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config
