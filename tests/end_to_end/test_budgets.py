"""Budgets measured for real, on both engines. The tests run on busy machines, so what they ask for is what must hold on
any: nobody right fails, nobody slow or cheating passes, and the figures can be worked out again.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

import pytest

from assessments.budget import Budget, Metric
from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.measurement import Measurement, Noise, Side
from assessments.outcome import Fault, Outcome
from assessments.scorecard import Scorecard, Status
from graders.budgets import rule
from graders.budgets.figures import figure
from runner.bench import Bench
from runner.engines.bubblewrap.engine import BubblewrapEngine
from runner.engines.choose import EngineName
from runner.grade import Order, grade
from runner.recompute import differences
from runner.results import read_result, write_result

SAMPLES = Path(__file__).resolve().parents[1] / "sample_challenges"
PAIRS = 5
"""So many and no more: these tests are not about precision."""


@pytest.fixture(scope="module", params=[EngineName.BUBBLEWRAP, EngineName.DOCKER])
def engine_name(request: pytest.FixtureRequest) -> EngineName:
    return EngineName(request.param)


@pytest.fixture(scope="module")
def challenge() -> Challenge:
    challenge = read_challenge(SAMPLES / "timed-service")
    short = {"pairs_min": PAIRS, "pairs_max": PAIRS, "warm_up_s": 0.2, "tries": 1}
    return replace(challenge, plans=tuple(replace(plan, **short) for plan in challenge.plans))


@pytest.fixture
def measured(bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path) -> Callable[..., Scorecard]:
    def run(**changed: object) -> Scorecard:
        folder = tmp_path / "submission"
        folder.mkdir()
        for name, text in timed.version(**changed).items():
            (folder / name).write_text(text)
        return grade(Order(folder, "someone", unenforced_allowed=True), challenge, bench).scorecard

    return run


def outcomes(scorecard: Scorecard) -> dict[str, tuple[Outcome, Fault | None]]:
    return {str(result.check.id): (result.outcome, result.fault) for result in scorecard.results}


def test_the_reference_does_not_fail_its_own_budget(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text(timed.version()["main.py"])
    graded = grade(Order(tmp_path, "someone", unenforced_allowed=True), challenge, bench)
    scorecard = graded.scorecard
    found = outcomes(scorecard)
    assert found["proves"] == (Outcome.PASSED, None)
    for budget in ("answers-in-time", "spends-little"):
        assert found[budget] in {(Outcome.PASSED, None), (Outcome.INCONCLUSIVE, None)}
    (measurement,) = scorecard.measurements
    assert not any(block.failures for block in measurement.blocks)
    assert measurement.ended == ""
    assert measurement.isolation.exclusive
    for result in scorecard.results:
        if result.check.budget:
            assert result.ruling == rule(measurement, result.check.budget)
    by_pair = {(block.session, block.pair, block.side): block for block in measurement.blocks}
    for (session, pair, side), block in by_pair.items():
        other = by_pair[session, pair, Side.REFERENCE if side is Side.CANDIDATE else Side.CANDIDATE]
        assert block.intended_us == other.intended_us, "both sides of a pair get the same arrivals"
    orders = {(one.session, one.pair): one.side for one in reversed(measurement.blocks)}
    assert len({orders[0, pair] for pair in range(2)}) == 2, "and take turns in going first"
    written = write_result(tmp_path / "out", graded, challenge.folder / "starter", bench.signer)
    assert read_result(written)[0] == scorecard
    assert "Measured budgets" in (written / "report.html").read_text()


@pytest.mark.parametrize("engine_name", [EngineName.DOCKER], indirect=True)  # on the other one cheats are tried
def test_what_is_slow_never_passes(measured: Callable[..., Scorecard]) -> None:
    found = outcomes(measured(TIMES=3.0))["answers-in-time"]
    assert found in {(Outcome.FAILED, Fault.OVER_BUDGET), (Outcome.INCONCLUSIVE, None)}


@dataclass(frozen=True)
class Cheat:
    """What a trick may have been for, and that it was for nothing: figures that stay over the limit."""

    over: tuple[Metric, ...] = ()
    answers_right: bool = True
    """If not, what was recorded is a failure wherever the host was quiet."""
    changed: Mapping[str, object] = field(default_factory=dict)
    """Constants of the service."""


AHEAD = "works in the reference's turns"
CHEATS = {
    "answers first, computes later": Cheat(over=(Metric.P95, Metric.CPU), answers_right=False),
    "answers, then does the rest": Cheat(over=(Metric.CPU,)),
    AHEAD: Cheat(),
    "remembers answers": Cheat(over=(Metric.P95, Metric.CPU)),
    "knows a load when it sees one": Cheat(over=(Metric.P95,), answers_right=False),
    "turns away who would have to wait": Cheat(over=(Metric.P95,), answers_right=False, changed={"TIMES": 3.0}),
    "stalls at every 50th request": Cheat(over=(Metric.P95,), changed={"STALL_EVERY": 50, "STALL_S": 0.2}),
    "burns the CPU beside the reference": Cheat(over=(Metric.P95,), changed={"TIMES": 3.0, "BURNS": True}),
}
HALF = 0.5
"""Of the reference's blocks. One that is not kept still reports nothing at all, and a busy host is slow to switch."""
RESTS_ON = {Metric.P95: "answers-in-time", Metric.CPU: "spends-little"}


@pytest.mark.usefixtures("needs_cgroups")  # who counts the CPU time
@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)  # what meets them is not the engine's
@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_gains_nothing(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path, name: str
) -> None:
    """Three short pairs: what is asserted is what was recorded, which noise can only make worse for the cheat."""
    cheat = CHEATS[name]
    (tmp_path / "main.py").write_text(timed.cheat(name, **cheat.changed)["main.py"])
    plans = tuple(replace(plan, pairs_min=3, pairs_max=3, block_s=0.6) for plan in challenge.plans)
    order = Order(tmp_path, "someone", unenforced_allowed=True)
    scorecard = grade(order, replace(challenge, plans=plans), bench).scorecard
    (measurement,) = scorecard.measurements
    reference = [block for block in measurement.blocks if block.side is Side.REFERENCE]
    candidate = [block for block in measurement.blocks if block.side is Side.CANDIDATE]
    found = outcomes(scorecard)
    for metric in cheat.over:
        assert found[RESTS_ON[metric]] in {(Outcome.FAILED, Fault.OVER_BUDGET), (Outcome.INCONCLUSIVE, None)}
        limit = budget_of(scorecard, RESTS_ON[metric]).limit
        assert figure(candidate, metric) > limit * figure(reference, metric)
    assert "remembered" not in log_of(scorecard)
    if name == AHEAD:
        assert still_s(scorecard) > HALF * sum(block.noise.seconds for block in reference)
    if not cheat.answers_right:
        assert rule(_in_quiet(measurement), budget_of(scorecard, "answers-in-time")).outcome is Outcome.FAILED


@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)  # Docker always has cgroups
def test_without_cgroups_signals_keep_a_cheat_still(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path
) -> None:
    assert isinstance(bench.engine, BubblewrapEngine)
    engine = replace(bench.engine, cgroups=None)
    (tmp_path / "main.py").write_text(timed.cheat(AHEAD)["main.py"])
    plans = tuple(replace(plan, pairs_min=3, pairs_max=3, block_s=0.6) for plan in challenge.plans)
    order = Order(tmp_path, "someone", unenforced_allowed=True)
    try:
        scorecard = grade(order, replace(challenge, plans=plans), replace(bench, engine=engine)).scorecard
    finally:
        engine.shut()
    (measurement,) = scorecard.measurements
    assert measurement.isolation.frozen == "SIGSTOP"
    references_s = sum(block.noise.seconds for block in measurement.blocks if block.side is Side.REFERENCE)
    assert still_s(scorecard) > HALF * references_s > 0


def log_of(scorecard: Scorecard) -> str:
    return "".join(run.stdout.text for run in scorecard.runs)


def still_s(scorecard: Scorecard) -> float:
    """How long the cheat was kept from running, by its own account."""
    lines = log_of(scorecard).splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("still "))


def _in_quiet(measurement: Measurement) -> Measurement:
    """The first session as a host would have recorded it that nobody disturbed, and as much again."""
    still = Noise(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    blocks = [replace(block, noise=still) for block in measurement.blocks if block.session == 0]
    again = [replace(block, session=1) for block in blocks]
    return replace(measurement, blocks=(*blocks, *again), calibration={})


def budget_of(scorecard: Scorecard, check: str) -> Budget:
    (budget,) = (result.check.budget for result in scorecard.results if result.check.id == check)
    assert budget is not None
    return budget


@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)  # nothing of it is the engine's
def test_what_stays_undecided_is_measured_again_and_then_left_to_a_person(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path
) -> None:
    """The blocks hold too few requests for a p95, whatever the host does."""
    (tmp_path / "main.py").write_text(timed.version()["main.py"])
    plans = tuple(replace(plan, pairs_min=3, pairs_max=3, block_s=0.25, tries=2) for plan in challenge.plans)
    order = Order(tmp_path, "someone", unenforced_allowed=True)
    graded = grade(order, replace(challenge, plans=plans), bench)
    scorecard = graded.scorecard
    (measurement,) = scorecard.measurements
    sessions = [block.session for block in measurement.blocks]
    assert sorted(set(sessions)) == [0, 2]
    assert sessions == sorted(sessions)
    first, again = ([block.intended_us for block in measurement.blocks if block.session == n] for n in (0, 2))
    assert not set(first) & set(again), "no request is made twice"
    (ruling,) = (result.ruling for result in scorecard.results if result.check.id == "answers-in-time")
    assert ruling is not None
    assert (ruling.outcome, ruling.tries) == (Outcome.INCONCLUSIVE, 2)
    assert "It was measured 2 times" in ruling.why
    written = write_result(tmp_path / "out", graded, challenge.folder / "starter", bench.signer)
    kept, _ = read_result(written)
    assert differences(kept) == ()
    page = (written / "report.html").read_text()
    assert "2 tries, since not every one decided" in page
    assert "measured again" in page


def test_one_that_dies_under_load_fails_at_once(measured: Callable[..., Scorecard]) -> None:
    scorecard = measured(DIES_AFTER=150)
    assert outcomes(scorecard)["answers-in-time"] == (Outcome.FAILED, Fault.OVER_BUDGET)
    assert scorecard.status is Status.COMPLETE
    (measurement,) = scorecard.measurements
    assert "exit code 3" in measurement.ended


def test_one_that_does_not_start_is_not_measured(challenge: Challenge, graded: Callable[..., Scorecard]) -> None:
    scorecard = graded(challenge, {"main.py": "raise SystemExit(1)\n"})
    assert set(outcomes(scorecard).values()) == {(Outcome.FAILED, Fault.DID_NOT_START)}
    assert scorecard.measurements == ()


@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)
def test_where_the_reference_does_not_start_either_nobody_fails(
    bench: Bench, challenge: Challenge, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(challenge.folder, tmp_path / challenge.folder.name))
    (folder / "solutions/accepted/reference/main.py").write_text("raise SystemExit(1)\n")
    (tmp_path / "submission").mkdir()
    (tmp_path / "submission/main.py").write_text("raise SystemExit(1)\n")
    order = Order(tmp_path / "submission", "someone", unenforced_allowed=True)
    scorecard = grade(order, replace(challenge, folder=folder), bench).scorecard
    budgets = {str(check.id) for check in challenge.checks if check.budget}
    assert budgets
    assert outcomes(scorecard) == {
        name: (Outcome.ERRORED, Fault.CHECK_CRASHED if name in budgets else Fault.CONTROL_FAILED)
        for name in outcomes(scorecard)
    }


@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)
@pytest.mark.parametrize(("asked", "fault"), [(True, Fault.WRONG_ANSWER), ("never", Fault.CONTROL_FAILED)])
def test_what_a_check_asks_after_it_has_measured_has_a_control(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path, asked: object, fault: Fault
) -> None:
    """The reference says that it is ready, the submission that it is not; whatever comes of the budget."""
    folder = Path(shutil.copytree(challenge.folder, tmp_path / challenge.folder.name))
    tests = folder / "hidden_tests/test_timed.py"
    text = tests.read_text()
    head, last = text.split("def test_spends_little(measure)")
    first, then = last.split("    measure(one_request)\n")
    asks = f"        assert start_service().http.get('/').json()['ready'] == {asked!r}"
    last = f"{first}    try:\n        measure(one_request)\n    finally:\n{asks}\n{then}"
    tests.write_text(f"{head}def test_spends_little(measure, start_service){last}")
    (tmp_path / "submission").mkdir()
    never = timed.version()["main.py"].replace('{"ready": True}', '{"ready": False}')
    (tmp_path / "submission/main.py").write_text(never)
    plans = tuple(replace(plan, pairs_min=3, pairs_max=3, block_s=0.6) for plan in challenge.plans)
    order = Order(tmp_path / "submission", "someone", unenforced_allowed=True)
    scorecard = grade(order, replace(challenge, folder=folder, plans=plans), bench).scorecard
    assert outcomes(scorecard)["spends-little"][1] is fault


def test_without_measuring_budgets_stay_open(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text(timed.version()["main.py"])
    order = Order(tmp_path, "someone", unenforced_allowed=True, measures=False)
    scorecard = grade(order, challenge, bench).scorecard
    assert outcomes(scorecard)["answers-in-time"] == (Outcome.INCONCLUSIVE, None)
    assert (scorecard.points.earned, scorecard.points.undecided) == (2, 6)


def test_a_reference_that_dies_is_the_challenges_fault(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path
) -> None:
    broken = Path(shutil.copytree(challenge.folder, tmp_path / challenge.folder.name))
    (broken / "solutions/accepted/reference/main.py").write_text(timed.version(DIES_AFTER=50)["main.py"])
    submission = tmp_path / "submission"
    submission.mkdir()
    (submission / "main.py").write_text(timed.version()["main.py"])
    order = Order(submission, "someone", unenforced_allowed=True)
    scorecard = grade(order, replace(challenge, folder=broken), bench).scorecard
    assert outcomes(scorecard)["answers-in-time"] == (Outcome.ERRORED, Fault.CHECK_CRASHED)
    assert outcomes(scorecard)["proves"] == (Outcome.PASSED, None)


FAULTY = {
    "a budget whose test does not measure": (
        "def test_spends_little(measure)",
        "def test_spends_little()",
        Fault.CHECKS_DIFFER,
    ),
    "a measurement beside another instance": (
        "def test_spends_little(measure)",
        "def test_spends_little(measure, http)",
        Fault.CHECK_CRASHED,
    ),
    "a judge that breaks": ("given = response.pick", "[][0]; given = response.pick", Fault.CHECK_CRASHED),
    "requests that cannot be made": ("text = f", "[][0]; text = f", Fault.CHECK_CRASHED),
}


@pytest.mark.parametrize("engine_name", [EngineName.BUBBLEWRAP], indirect=True)  # none of it is the engine's
@pytest.mark.parametrize("name", FAULTY)
def test_what_is_wrong_with_the_challenge_costs_nobody_a_point(
    bench: Bench, challenge: Challenge, timed: ModuleType, tmp_path: Path, name: str
) -> None:
    old, new, fault = FAULTY[name]
    folder = Path(shutil.copytree(challenge.folder, tmp_path / challenge.folder.name))
    tests = folder / "hidden_tests/test_timed.py"
    text = tests.read_text()
    assert old in text
    text = text.replace(old, new)
    if fault is Fault.CHECKS_DIFFER:
        text = text.replace(f"{new}:", f"{new}:\n    return", 1)
    tests.write_text(text)
    submission = tmp_path / "submission"
    submission.mkdir()
    (submission / "main.py").write_text(timed.version()["main.py"])
    order = Order(submission, "someone", unenforced_allowed=True)
    scorecard = grade(order, replace(challenge, folder=folder), bench).scorecard
    assert fault in {result.fault for result in scorecard.results}
    assert not [result for result in scorecard.results if result.outcome is Outcome.FAILED]
