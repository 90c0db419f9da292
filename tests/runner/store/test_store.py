"""The store as a whole: versions, what cannot be changed, what a check finds, backups, and a machine that fails."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from assessments.errors import InfrastructureError, UsageError
from assessments.scorecard import Scorecard
from runner.store import attempts, audit, cohorts, migrations
from runner.store.audit import Action, Doing
from runner.store.backup import back_up
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.database import connect
from runner.store.schema import METADATA
from runner.store.scorecards import seal
from runner.store.signing import verifier
from runner.store.store import Store, open_store
from runner.store.submissions import Recorded

HandIn = Callable[..., Recorded]
NOW = Doing("operator", "2026-01-01T00:00:00+00:00")


@pytest.fixture
def graded(store: Store, kept: Kept, hand_in: HandIn, scorecard: Scorecard) -> None:
    """Two submissions, one of them graded."""
    hand_in("ann")
    hand_in("bob", content=b"other work")
    with store.database.writing() as connection:
        claim = attempts.claim(connection, kept.id, "me", NOW)
        assert claim is not None
        assert attempts.end(connection, claim, seal(replace(scorecard, id="card"), store.signer), NOW)


def test_the_migrations_make_just_the_tables_that_the_code_reads(store: Store) -> None:
    with store.database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_cohort_is_read_back_as_it_was_made(store: Store, kept: Kept) -> None:
    with store.database.reading() as connection:
        assert cohorts.find(connection, "spring") == kept
        with pytest.raises(UsageError, match="there is no cohort 'autumn'; there are: spring"):
            cohorts.find(connection, "autumn")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE scorecards SET document = document",
        "UPDATE audit SET by = 'nobody'",
        "DELETE FROM audit",
    ],
)
@pytest.mark.usefixtures("graded")
def test_what_is_written_once_cannot_be_changed_whatever_asks(store: Store, statement: str) -> None:
    quoted = statement.replace(" by ", ' "by" ')
    with pytest.raises(InfrastructureError, match="are written once"), store.database.writing() as connection:
        connection.execute(text(quoted))


@pytest.mark.usefixtures("graded")
def test_a_store_that_fits_together_passes_its_check(store: Store) -> None:
    found = check(store)
    assert found.problems == ()
    assert (found.submissions, found.scorecards, found.entries) == (2, 1, 4)
    assert found.unclaimed == 0


ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
"""For what is done with SQLite's own tools."""


DAMAGES = [
    ("DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE sequence = 2", "entries 2 to 2 are missing"),
    ("DROP TRIGGER audit_no_update; UPDATE audit SET by = 'eve' WHERE sequence = 2", "entry 2 was changed"),
    ("DELETE FROM attempts WHERE submission_id = 2; DELETE FROM submissions WHERE id = 2", "submission 2: .* gone"),
    ("UPDATE submissions SET digest = 'x' WHERE id = 2", "submission 2: .* another"),
    ("DELETE FROM scorecards", "scorecard card: .* gone"),
    ("DROP TRIGGER scorecards_no_update; UPDATE scorecards SET document = x'00'", "cannot be unpacked"),
    ("DROP TRIGGER scorecards_no_update; UPDATE scorecards SET signature = 'AAAA'", "not signed"),
]


@ON_SQLITE
@pytest.mark.parametrize(("damage", "found"), DAMAGES, ids=[row[1] for row in DAMAGES])
@pytest.mark.usefixtures("graded")
def test_a_check_finds_what_was_changed_behind_our_back(store: Store, damage: str, found: str) -> None:
    with sqlite3.connect(store.database.name) as raw:
        raw.executescript(damage)
    raw.close()
    problems = check(store).problems
    assert any(re.search(found, problem) for problem in problems), problems


@pytest.mark.usefixtures("graded")
def test_a_check_finds_bytes_that_are_gone_or_changed(store: Store) -> None:
    first, second = list(store.artefacts.digests())[:2]
    store.artefacts.path(first).chmod(0o600)
    store.artefacts.path(first).write_bytes(b"forged")
    store.artefacts.remove(second)
    problems = check(store).problems
    assert any("was changed" in problem for problem in problems)
    assert any("is missing" in problem for problem in problems)
    with pytest.raises(InfrastructureError, match="was changed"):
        store.artefacts.get(first)


@ON_SQLITE
@pytest.mark.usefixtures("graded")
def test_a_backup_is_a_whole_store_of_its_own(store: Store, tmp_path: Path) -> None:
    back_up(store, tmp_path / "copy/store")
    with open_store(tmp_path / "copy") as copy:
        found = check(copy)
        assert (found.problems, found.submissions, found.scorecards) == ((), 2, 1)
        assert copy.signer.verifier.id == store.signer.verifier.id
    with pytest.raises(UsageError, match="is there already"):
        back_up(store, tmp_path / "copy/store")


@pytest.mark.parametrize("upgrade", [False, True])
def test_a_database_of_a_later_version_is_left_alone(store: Store, upgrade: bool) -> None:
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with (
        pytest.raises(UsageError, match=r"is of a later version of Assay \(9999\)"),
        open_store(store.folder.parent, upgrade=upgrade),
    ):
        pass


@ON_SQLITE
def test_a_database_of_an_earlier_version_can_be_backed_up_before_it_is_upgraded(store: Store, tmp_path: Path) -> None:
    with store.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    with pytest.raises(UsageError, match="assay db backup, then assay db upgrade"), open_store(store.folder.parent):
        pass
    with open_store(store.folder.parent, as_it_is=True) as opened:
        back_up(opened, tmp_path / "copy")
    assert (tmp_path / "copy/assay.db").is_file()


def test_runners_that_open_a_new_store_at_once_make_one(
    postgresql: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many hosts' first runs would: both find it empty, and each makes the tables."""
    url = postgresql()
    monkeypatch.setattr("runner.store.migrations.version_of", lambda _: None)
    databases = [connect(url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrations.upgrade, databases))
    monkeypatch.undo()
    assert migrations.version_of(databases[0]) == migrations.NEWEST
    for database in databases:
        database.close()


@pytest.mark.usefixtures("graded")
def test_no_new_key_is_made_beside_what_the_lost_one_signed(store: Store) -> None:
    (store.folder / "keys/signing.pem").unlink()
    with pytest.raises(InfrastructureError, match="the signing key is gone"), open_store(store.folder.parent):
        pass


def test_a_public_key_that_was_not_written_any_more_is_written_by_the_next(store: Store) -> None:
    public = store.folder / "keys/signing.pub"
    public.unlink()
    with open_store(store.folder.parent) as opened:
        assert verifier(public).id == opened.signer.verifier.id


def test_bytes_that_a_disk_has_damaged_are_written_anew_when_they_are_handed_in_again(store: Store) -> None:
    digest = store.artefacts.put(b"work")
    store.artefacts.path(digest).chmod(0o600)
    store.artefacts.path(digest).write_bytes(b"wo")
    assert store.artefacts.put(b"work") == digest
    assert store.artefacts.get(digest) == b"work"


def test_a_text_that_no_database_takes_is_a_usage_error(store: Store) -> None:
    with pytest.raises(UsageError, match="is not UTF-8"), store.database.reading() as connection:
        cohorts.find(connection, "caf\udce9")


def test_who_has_no_account_is_named_by_number(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ASSAY_OPERATOR", "SUDO_USER", "LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    assert audit.doing_now().by == f"uid {os.getuid()}"


@ON_SQLITE
def test_what_is_deleted_is_overwritten(store: Store) -> None:
    with store.database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1


@ON_SQLITE
def test_a_full_disk_loses_nothing_that_was_there(store: Store, kept: Kept, hand_in: HandIn) -> None:
    """A database that may not grow any more is what SQLite makes of a full disk."""
    hand_in("ann")
    with store.database.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def tight() -> None:
        with store.database.writing() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
            audit.append(connection, NOW, Action.MARKED, "x", note="y" * 10**6)

    with pytest.raises(InfrastructureError, match="the disk is full; make room"):
        tight()
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id).waiting == 1
        assert not list(audit.broken(connection))


def test_a_database_that_somebody_holds_locked_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASSAY_DATABASE", raising=False)
    monkeypatch.setattr("runner.store.database._WAIT_S", 0.1)
    with open_store(tmp_path) as store:
        holder = sqlite3.connect(store.database.name, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(InfrastructureError, match="holds it locked; end that program"), store.database.writing():
            pass
        holder.close()
        with store.database.writing() as connection:
            assert cohorts.every(connection) == []


def test_a_clock_that_jumps_back_changes_no_order(store: Store, kept: Kept) -> None:
    earlier = Doing("operator", "1999-01-01T00:00:00+00:00")
    with store.database.writing() as connection:
        audit.append(connection, NOW, Action.MARKED, "first")
        audit.append(connection, earlier, Action.MARKED, "second")
        assert [entry.subject for entry in audit.entries(connection)][-2:] == ["first", "second"]
        assert not list(audit.broken(connection))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a folder read-only")
def test_a_read_only_store_is_named(tmp_path: Path) -> None:
    """In a mount namespace of its own, so that nothing of it is left."""
    script = (
        "import sys; from pathlib import Path; from runner.store.store import open_store\n"
        "from assessments.errors import InfrastructureError\n"
        "try:\n"
        "    with open_store(Path(sys.argv[1])) as store, store.database.writing(): pass\n"
        "except InfrastructureError as error: print(error)\n"
    )
    with open_store(tmp_path):
        pass
    mounted = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", mounted, "sh", tmp_path, sys.executable, script],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "cannot be written" in done.stdout or "cannot be made" in done.stdout, done.stdout + done.stderr


def test_errors_of_urls_are_words() -> None:
    with pytest.raises(UsageError, match="is no URL"):
        connect("not a url")
    with pytest.raises(UsageError, match="use sqlite or postgresql"):
        connect("mysql://host/name")
    with (
        pytest.raises(InfrastructureError, match="nobody answers there"),
        connect("postgresql://nobody@127.0.0.1:1/none").reading(),
    ):
        pass


def test_one_view_is_not_disturbed_by_who_writes_meanwhile(store: Store, kept: Kept, hand_in: HandIn) -> None:
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id).total == 0
        hand_in("ann")
        assert attempts.count(connection, kept.id).total == 0
    with store.database.reading() as connection:
        assert attempts.count(connection, kept.id).total == 1


def test_a_failed_step_leaves_nothing_of_itself(store: Store, kept: Kept) -> None:
    def half() -> None:
        with store.database.writing() as connection:
            audit.append(connection, NOW, Action.MARKED, "half")
            connection.execute(text("SELECT nothing FROM nowhere"))

    with pytest.raises((InfrastructureError, SQLAlchemyError)):
        half()
    with store.database.reading() as connection:
        assert [entry.subject for entry in audit.entries(connection)] == ["cohort spring"]
