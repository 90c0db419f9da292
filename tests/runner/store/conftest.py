"""A real store on each database: SQLite in a file, and a PostgreSQL server of the tests' own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.cohort import PinnedChallenge
from assessments.scorecard import Scorecard
from assessments.submission import Digest, Submission
from runner.store import cohorts
from runner.store.audit import Doing
from runner.store.cohorts import Kept, NewCohort
from runner.store.store import Store, open_store
from runner.store.submissions import Recorded, record

NOW = Doing("operator", "2026-01-01T00:00:00+00:00")
TESTS = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def scorecard(module_at: Callable[[Path], Any]) -> Scorecard:
    """A realistic one."""
    return module_at(TESTS / "runner/reports/scorecards.py").scorecard()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("ASSAY_DATABASE", raising=False)
    monkeypatch.delenv("ASSAY_ARTEFACTS", raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv("ASSAY_DATABASE", request.getfixturevalue("postgresql")())
    with open_store(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def assessment() -> Assessment:
    return Assessment(
        path=Path("role.toml"),
        id="role",
        version="1.0.0",
        title="A role",
        summary="Does things.",
        window_hours=48,
        attempts=2,
        pass_mark=PassMark(0.7, 0.05),
        feedback=Feedback.SKILLS,
        parts=(Part("serve", 1), Part("watch", 1)),
        skill_weights={"speed": 2.0},
    )


@pytest.fixture
def kept(store: Store, assessment: Assessment) -> Kept:
    digest = store.artefacts.put(b"a starter")
    pins = [PinnedChallenge(name, "1.0.0", Digest("c" * 64)) for name in ("serve", "watch")]
    new = NewCohort("spring", assessment, pins, {"serve": digest, "watch": digest}, certified=True, seed=5)
    with store.database.writing() as connection:
        return cohorts.make(connection, new, NOW)


@pytest.fixture
def hand_in(store: Store, kept: Kept) -> Callable[..., Recorded]:
    """Hands in some bytes for a candidate."""

    def hand_in(candidate: str, challenge: str = "serve", content: bytes = b"work") -> Recorded:
        digest = store.artefacts.put(content)
        submission = Submission(digest, digest, "work.zip", "zip", ())
        with store.database.writing() as connection:
            return record(connection, kept, candidate, challenge, submission, NOW, store.signer)

    return hand_in
