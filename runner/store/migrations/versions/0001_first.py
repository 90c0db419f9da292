"""The first tables. Written out, and not made from `schema`: that may change, and a step that was taken may not."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_UNCHANGEABLE = {"audit": ("UPDATE", "DELETE"), "scorecards": ("UPDATE",)}


def upgrade() -> None:
    _make_cohorts()
    _make_submissions()
    _make_gradings()
    _make_fingerprints()
    _make_words_of_people()
    for table, statements in _UNCHANGEABLE.items():
        for statement in statements:
            _refuse(table, statement)


def _make_cohorts() -> None:
    op.create_table(
        "cohorts",
        sa.Column("id", sa.Integer),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("assessment", sa.Text, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("certified", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("closed_at", sa.Text),
        sa.Column("purged_at", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_cohorts"),
        sa.UniqueConstraint("name", name="uq_cohorts_name"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "pins",
        sa.Column("cohort_id", sa.Integer, sa.ForeignKey("cohorts.id", name="fk_pins_cohort_id")),
        sa.Column("position", sa.Integer),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("starter", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cohort_id", "position", name="pk_pins"),
        sa.UniqueConstraint("cohort_id", "challenge", name="uq_pins_cohort_id_challenge"),
    )


def _make_submissions() -> None:
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer),
        sa.Column(
            "cohort_id", sa.Integer, sa.ForeignKey("cohorts.id", name="fk_submissions_cohort_id"), nullable=False
        ),
        sa.Column("candidate", sa.Text, nullable=False),
        sa.Column("challenge", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("tree", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("receipt", sa.Text, nullable=False),
        sa.Column("scorecard_id", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_submissions"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_submissions_cohort_id_candidate_challenge",
        "submissions",
        ["cohort_id", "candidate", "challenge"],
    )


def _make_gradings() -> None:
    op.create_table(
        "regrades",
        sa.Column("id", sa.Integer),
        sa.Column("cohort_id", sa.Integer, sa.ForeignKey("cohorts.id", name="fk_regrades_cohort_id"), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("pins", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("decision", sa.Text),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_at", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_regrades"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_regrades_cohort_id", "regrades", ["cohort_id"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer),
        sa.Column("cohort_id", sa.Integer, sa.ForeignKey("cohorts.id", name="fk_attempts_cohort_id"), nullable=False),
        sa.Column(
            "submission_id",
            sa.Integer,
            sa.ForeignKey("submissions.id", name="fk_attempts_submission_id"),
            nullable=False,
        ),
        sa.Column("regrade_id", sa.Integer, sa.ForeignKey("regrades.id", name="fk_attempts_regrade_id")),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("token", sa.Integer, nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("deaths", sa.Integer, nullable=False),
        sa.Column("faults", sa.Integer, nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text),
        sa.Column("ended_at", sa.Text),
        sa.Column("vouched", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_attempts_submission_id", "attempts", ["submission_id"])
    op.create_index("ix_attempts_regrade_id", "attempts", ["regrade_id"])
    op.create_index("ix_attempts_cohort_id_state_id", "attempts", ["cohort_id", "state", "id"])
    op.create_table(
        "scorecards",
        sa.Column("id", sa.Text),
        sa.Column(
            "attempt_id", sa.Integer, sa.ForeignKey("attempts.id", name="fk_scorecards_attempt_id"), nullable=False
        ),
        sa.Column(
            "submission_id",
            sa.Integer,
            sa.ForeignKey("submissions.id", name="fk_scorecards_submission_id"),
            nullable=False,
        ),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_scorecards"),
        sa.UniqueConstraint("attempt_id", name="uq_scorecards_attempt_id"),
    )
    op.create_index("ix_scorecards_submission_id", "scorecards", ["submission_id"])


def _make_fingerprints() -> None:
    op.create_table(
        "fingerprints",
        sa.Column("submission", sa.Text),
        sa.Column("starter", sa.Text),
        sa.Column("method", sa.Integer, autoincrement=False),
        sa.Column("prints", sa.LargeBinary, nullable=False),
        sa.Column("cut", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("submission", "starter", "method", name="pk_fingerprints"),
    )


def _make_words_of_people() -> None:
    op.create_table(
        "marks",
        sa.Column("id", sa.Integer),
        sa.Column("cohort_id", sa.Integer, sa.ForeignKey("cohorts.id", name="fk_marks_cohort_id"), nullable=False),
        sa.Column("candidate", sa.Text, nullable=False),
        sa.Column("criterion", sa.Text, nullable=False),
        sa.Column("value", sa.Float),
        sa.Column("out_of", sa.Float),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_marks"),
    )
    op.create_index("ix_marks_cohort_id", "marks", ["cohort_id"])
    op.create_table(
        "audit",
        sa.Column("sequence", sa.Integer, autoincrement=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sequence", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"])


def _refuse(table: str, statement: str) -> None:
    """A trigger that lets nobody change what was written, whatever program they come with."""
    name, words = f"{table}_no_{statement.lower()}", f"{table} are written once"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"CREATE TRIGGER {name} BEFORE {statement} ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END")
        return
    op.execute(
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{words}'; END $$"
    )
    op.execute(f"CREATE TRIGGER {name} BEFORE {statement} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()")
