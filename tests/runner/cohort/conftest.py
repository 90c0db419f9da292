"""A cohort of real submissions of the sample challenges, in a store of its own, on a real bench."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.manifest.read_assessment import read_assessment
from runner.bench import Bench
from runner.cohort.add import Added, add
from runner.cohort.make import make_cohort
from runner.cohort.progress import Event
from runner.cohort.run import Stop, Work, run
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.cohorts import Kept
from runner.store.store import Store, open_store
from runner.submissions_file import Listed

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"
ROLE = """
format = 1
id = "adders"
version = "1.0.0"
title = "Adders"
summary = "Add numbers, and answer."
window_hours = 1
attempts = 3
feedback = "skills"

[pass_mark]
share = 0.5
doubt = 0.2

[[challenges]]
id = "add-numbers"
weight = 1
"""
RIGHT = "print(sum(map(int, input().split())))\n"
WRONG = "print(0)\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.delenv("ASSAY_DATABASE", raising=False)
    monkeypatch.delenv("ASSAY_ARTEFACTS", raising=False)
    with open_store(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
def kept(store: Store, tmp_path: Path) -> Kept:
    (tmp_path / "adders.toml").write_text(ROLE)
    assessment = read_assessment(tmp_path / "adders.toml")
    return make_cohort(store, "spring", assessment, doing_now(), challenges=SAMPLES, seed=3, uncertified_allowed=True)


@pytest.fixture
def challenges() -> dict[str, Challenge]:
    return {"add-numbers": read_challenge(SAMPLES / "add-numbers")}


@pytest.fixture
def hand_in(store: Store, kept: Kept, challenges: dict[str, Challenge], tmp_path: Path) -> Callable[..., Added]:
    """Hands in a program that stands for a candidate's work."""

    def hand_in(candidate: str, program: str = RIGHT) -> Added:
        folder = tmp_path / "handed-in" / candidate
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.py").write_text(program)
        listed = Listed(candidate, "add-numbers", folder, None, candidate)
        return add(store, kept, listed, challenges["add-numbers"], doing_now())

    return hand_in


@pytest.fixture
def graded(
    store: Store, kept: Kept, challenges: dict[str, Challenge], bench: Bench
) -> Callable[..., tuple[Counts, list[Event]]]:
    """Runs the cohort, or a regrade of it, and gives what it told."""

    def graded(stop: Stop | None = None, regrade_id: int | None = None, lanes: int = 2) -> tuple[Counts, list[Event]]:
        events: list[Event] = []
        work = Work(kept, challenges, lanes, regrade_id, unenforced_allowed=True, pause_s=0)
        counts = run(store, bench, work, events.append, stop or Stop())
        return counts, events

    return graded
