"""A cohort is graded to its end, whatever single submissions do, and goes on from wherever it was stopped."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.cohort import AttemptState, CohortSubmission
from assessments.errors import InfrastructureError, InvalidChallenge, InvalidSubmission, UsageError
from assessments.manifest import read_challenge
from assessments.outcome import Outcome
from assessments.scorecard import Scorecard
from assessments.submission import Digest
from runner.bench import Bench, open_bench
from runner.cohort.add import Added, look_at, require_all
from runner.cohort.held_to import held_to, require_engine
from runner.cohort.owner import owner_of
from runner.cohort.progress import Estimate, Event, EventKind
from runner.cohort.run import MAX_IN_A_ROW, Stop, Work, lanes_for, pause_s, run
from runner.engines.choose import EngineName, Wish
from runner.engines.runs import Run
from runner.store import attempts, cohorts, submissions
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.scorecards import Sealed
from runner.store.signing import Signer
from runner.store.store import Store
from runner.submissions_file import Listed

HandIn = Callable[..., Added]
Graded = Callable[..., tuple[Counts, list[Event]]]
WRONG = "print(0)\n"


def listed(store: Store, kept: Kept) -> dict[str, CohortSubmission]:
    with store.database.reading() as connection:
        return {one.candidate: one for one in submissions.listed(connection, kept)}


def test_everybody_is_graded_with_the_same_hidden_data_and_once(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded
) -> None:
    hand_in("ann")
    hand_in("bob", WRONG)
    counts, events = graded()
    assert counts == Counts(ended=2)
    found = listed(store, kept)
    outcomes = {name: [each.outcome for each in one.scorecard.checks] for name, one in found.items() if one.scorecard}
    assert outcomes == {"ann": [Outcome.PASSED], "bob": [Outcome.FAILED]}
    assert len({one.scorecard.seed for one in found.values() if one.scorecard}) == 1
    kinds = [event.kind for event in events]
    assert kinds.count(EventKind.GRADED) == 2
    assert kinds[-1] is EventKind.FINISHED
    again, events = graded()
    assert again == counts
    assert [event.kind for event in events] == [EventKind.FINISHED]
    assert check(store).problems == ()


def test_what_cannot_be_graded_by_our_fault_waits_for_the_operator_and_stops_nobody(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded
) -> None:
    hand_in("ann", WRONG)
    hand_in("bob")
    lost = listed(store, kept)["ann"].digest
    content = store.artefacts.get(lost)
    store.artefacts.remove(lost)  # as a disk might
    counts, events = graded()
    assert counts == Counts(held=1, ended=1)
    assert [event.kind for event in events].count(EventKind.HELD) == 1
    held = listed(store, kept)["ann"]
    assert held.state is AttemptState.HELD
    assert "cannot be read" in held.problem
    assert held.scorecard is None
    store.artefacts.put(content)
    with store.database.writing() as connection:
        attempts.resume(connection, kept.id, doing_now(), "spring")
    assert graded()[0] == Counts(ended=2)


def test_when_everything_fails_by_our_fault_the_run_ends_and_tells_what_to_mend(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each submission was tried before any was tried twice, so that none is held for what is not about it."""
    for number in range(MAX_IN_A_ROW):
        hand_in(f"candidate {number}")
    get = type(store.artefacts).get
    monkeypatch.setattr(type(store.artefacts), "get", lambda artefacts, digest: get(artefacts, Digest("0" * 64)))
    with pytest.raises(InfrastructureError, match=r"(?s)12 failures of ours in a row.*cohort resume spring"):
        graded(lanes=1)
    monkeypatch.undo()
    assert {one.state for one in listed(store, kept).values()} == {AttemptState.WAITING}
    assert graded()[0] == Counts(ended=MAX_IN_A_ROW)


def test_an_interrupted_bench_ends_every_lane_although_nobody_asked_for_a_stop(
    store: Store, kept: Kept, hand_in: HandIn, challenges: dict[str, Challenge], bench: Bench
) -> None:
    """As Ctrl-C does to a demo: what is given back then must not be begun again, and again, for ever."""
    for number in range(4):
        hand_in(f"candidate {number}")
    with open_bench(bench.state, print, Wish(EngineName.BUBBLEWRAP)) as another:
        begun: list[Event] = []

        def tell(event: Event) -> None:
            if event.kind is EventKind.STARTED:
                begun.append(event)
                another.interrupt()
                assert len(begun) <= 2, "a lane began anew"

        counts = run(store, another, Work(kept, challenges, 2, unenforced_allowed=True), tell, Stop())
    assert counts == Counts(waiting=4)
    assert {one.state for one in listed(store, kept).values()} == {AttemptState.WAITING}


def test_pauses_grow_with_failures_in_a_row_up_to_a_bound() -> None:
    assert [pause_s(number, 0.5) for number in (0, 1, 2, 3, 7, 8, 100)] == [0, 0.5, 1, 2, 30, 30, 30]


def test_a_cohort_stays_on_the_engine_it_was_begun_on(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded
) -> None:
    hand_in("ann")
    require_engine(store, kept, "docker")
    graded()
    require_engine(store, kept, "bubblewrap")
    with pytest.raises(UsageError, match=r"was graded on bubblewrap so far, .* on docker.*add --engine bubblewrap"):
        require_engine(store, kept, "docker")


def test_a_drained_run_leaves_the_rest_for_the_next_one(
    store: Store, kept: Kept, challenges: dict[str, Challenge], hand_in: HandIn, graded: Graded, bench: Bench
) -> None:
    for name in ("ann", "bob", "cem", "dan"):
        hand_in(name)
    stop = Stop()
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        if event.kind is EventKind.STARTED:
            stop.drain.set()

    work = Work(kept, challenges, 1, unenforced_allowed=True)
    assert run(store, bench, work, tell, stop) == Counts(waiting=3, ended=1)
    assert graded()[0] == Counts(ended=4)


def test_what_a_dead_runner_had_begun_is_graded_by_the_next(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded
) -> None:
    hand_in("ann")
    with store.database.writing() as connection:
        dead = owner_of(store.folder, Run("0123456789ab", Path("/nowhere")))
        assert attempts.claim(connection, kept.id, dead, doing_now())
    counts, events = graded()
    assert counts == Counts(ended=1)
    assert events[0] == Event(EventKind.TAKEN_BACK, text="1")


def test_a_challenge_that_changed_is_not_graded_under_the_old_name(
    store: Store, kept: Kept, tmp_path: Path, challenges: dict[str, Challenge]
) -> None:
    copy = tmp_path / "challenges"
    shutil.copytree(challenges["add-numbers"].folder, copy / "add-numbers")
    assert held_to(kept.cohort.challenges, "spring", copy)
    with (copy / "add-numbers/challenge.toml").open("a") as manifest:
        manifest.write("\n# another limit\n")
    with pytest.raises(InvalidChallenge, match="is not what cohort spring is held to"):
        held_to(kept.cohort.challenges, "spring", copy)


def test_what_was_graded_with_other_files_than_the_cohorts_does_not_count(
    store: Store, kept: Kept, tmp_path: Path, challenges: dict[str, Challenge], hand_in: HandIn, bench: Bench
) -> None:
    """An author saves a hidden test while a run goes on, or somebody accepts a regrade."""
    hand_in("ann")
    copy = tmp_path / "add-numbers"
    shutil.copytree(challenges["add-numbers"].folder, copy)
    events: list[Event] = []

    def tell(event: Event) -> None:
        events.append(event)
        if event.kind is EventKind.STARTED:
            (copy / "brief.md").write_text("another job\n")

    work = Work(kept, {"add-numbers": read_challenge(copy)}, 1, unenforced_allowed=True)
    assert run(store, bench, work, tell, Stop()) == Counts(held=1)
    held = listed(store, kept)["ann"]
    assert held.scorecard is None
    assert "files were changed" in held.problem


def test_a_scorecard_that_cannot_be_sealed_stops_nobody_else(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand_in("ann")
    hand_in("bob", WRONG)

    def seal(scorecard: Scorecard, signer: Signer) -> Sealed:
        if scorecard.candidate == "ann":
            raise ValueError("no document can hold it")
        return real(scorecard, signer)

    from runner.store.scorecards import seal as real

    monkeypatch.setattr("runner.cohort.run.seal", seal)
    assert graded()[0] == Counts(held=1, ended=1)


def test_nothing_is_taken_in_that_cannot_be_graded_nor_after_the_end(
    store: Store, kept: Kept, hand_in: HandIn, challenges: dict[str, Challenge], tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/readme.txt").write_text("nothing")
    refused = look_at([Listed("eve", "add-numbers", tmp_path / "empty", None, "line 3")], challenges)
    with pytest.raises(InvalidSubmission, match=r"line 3: eve, add-numbers: empty: main\.py is missing"):
        require_all(refused)
    with store.database.writing() as connection:
        cohorts.close(connection, kept, doing_now())
    with pytest.raises(UsageError, match="cohort spring is closed"):
        hand_in("late")
    assert listed(store, kept) == {}


def test_an_estimate_is_given_once_enough_is_known_and_by_the_pace_so_far() -> None:
    estimate = Estimate()
    assert estimate.remaining_s(10, 5.0) is None
    for _ in range(4):
        estimate.learn("serve", 10.0)
    assert estimate.remaining_s(6, 20.0) == pytest.approx(30.0), "two at a time: 6 of 10 s each"


def test_lanes_are_as_many_as_cores_and_memory_allow(challenges: dict[str, Challenge]) -> None:
    assert lanes_for(challenges, 7) == 7
    huge = replace(challenges["add-numbers"], limits=replace(challenges["add-numbers"].limits, memory_bytes=2**60))
    assert lanes_for({"add-numbers": huge}, None) == 1
