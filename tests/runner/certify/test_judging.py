"""What a grading must show of each kind of solution, budgets included: pure, from outcomes that are made up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.budget import Ruling
from assessments.challenge import Challenge
from assessments.check import CheckId, CheckResult
from assessments.manifest import read_challenge
from assessments.outcome import Outcome
from assessments.scorecard import ChallengeRef, EngineRef, EnvironmentRef, Host, Scorecard, score, skill_scores, status
from assessments.submission import Digest, Submission
from runner.certify.solutions import Kind, Solution
from runner.certify.verify import judge, lacks_budgets, measured

TIMED = Path(__file__).resolve().parents[2] / "sample_challenges/timed-service"
NONE = Digest("0" * 64)
CORRECT, FAST, LEAN = map(CheckId, ("proves", "answers-in-time", "spends-little"))
LETTERS = {"p": Outcome.PASSED, "f": Outcome.FAILED, "i": Outcome.INCONCLUSIVE}


@pytest.fixture(scope="module")
def challenge() -> Challenge:
    """One check of correctness, and two budgets."""
    return read_challenge(TIMED)


@pytest.fixture
def graded(challenge: Challenge) -> Callable[..., Scorecard]:
    def make(outcomes: str, left: float = 0.0) -> Scorecard:
        """`left`: the share of points that a failed budget's fall-off leaves."""
        results = tuple(
            CheckResult(check, LETTERS[letter], None, "", "why", (), 0.1, _ruling(check.budget, LETTERS[letter], left))
            for check, letter in zip(challenge.checks, outcomes, strict=True)
        )
        return Scorecard(
            id="card",
            graded_at="2026-01-01T00:00:00+00:00",
            candidate="sample",
            challenge=ChallengeRef(challenge.id, "1.0.0", challenge.title, NONE, challenge.pass_mark),
            submission=Submission(NONE, NONE, "sample", "folder", ()),
            environment=EnvironmentRef(NONE, "3.11.7"),
            engine=EngineRef("bubblewrap", "1.0", (), unenforced_allowed=True),
            host=Host(NONE, "", "", "", 1, 1, ""),
            seed=1,
            status=status(results),
            points=score(results),
            skills=skill_scores(challenge.skills, results),
            results=results,
            runs=(),
            phases=(),
        )

    return make


def _ruling(budget: object, outcome: Outcome, left: float) -> Ruling | None:
    if budget is None or outcome is not Outcome.FAILED:
        return None
    return Ruling(budget, outcome, 1.0, 2.0, 2.0, 1.9, 2.1, 10, 0, left, "slow")  # type: ignore[arg-type]


def solution(kind: Kind, must: str = "", may: str = "", share_max: float = 1.0) -> Solution:
    ids = {"c": CORRECT, "f": FAST, "l": LEAN}
    names = (frozenset(ids[letter] for letter in letters) for letters in (must, may))
    return Solution(kind, "sample", {}, *names, share_max)


JUDGED = [
    ("an accepted one that passes all", solution(Kind.ACCEPTED), "ppp", 0.0, True, ()),
    (
        "an accepted one with an open budget",
        solution(Kind.ACCEPTED),
        "pip",
        0.0,
        True,
        ("is inconclusive",),
    ),
    ("an accepted one that was not measured", solution(Kind.ACCEPTED), "pii", 0.0, False, ()),
    ("a slow one", solution(Kind.SLOW, "f", "l"), "pff", 0.5, True, ()),
    (
        "a slow one that is fast",
        solution(Kind.SLOW, "f"),
        "ppp",
        0.0,
        True,
        ("must fail 'answers-in-time'",),
    ),
    ("a broken one that breaks more", solution(Kind.BROKEN, "c"), "ffi", 0.0, False, ("must pass 'answers-in-time'",)),
    ("a cheat that gains nothing", solution(Kind.CHEAT, "cfl"), "ffi", 0.0, True, ()),
    (
        "a cheat that is left something",
        solution(Kind.CHEAT, "cfl"),
        "fff",
        0.5,
        True,
        ("earns 2 p", "earns 1 p"),
    ),
    ("a cheat that keeps a budget", solution(Kind.CHEAT, "cfl"), "ffp", 0.0, True, ("must fail 'spends-little'",)),
    ("a starter within its share", solution(Kind.BASELINE, may="cfl", share_max=0.3), "ffp", 0.0, True, ()),
    ("a starter beyond its share", solution(Kind.BASELINE, may="cfl", share_max=0.2), "ffp", 0.0, True, ("earns 25%",)),
]


@pytest.mark.parametrize(
    ("sample", "outcomes", "left", "was_measured", "words"), [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED]
)
def test_a_grading_is_held_against_what_the_solution_shows(
    challenge: Challenge,
    graded: Callable[..., Scorecard],
    sample: Solution,
    outcomes: str,
    left: float,
    was_measured: bool,
    words: tuple[str, ...],
) -> None:
    problems = judge(challenge, sample, 1, graded(outcomes, left), measured=was_measured).problems
    assert len(problems) == len(words), problems
    for problem, expected in zip(problems, words, strict=True):
        assert expected in problem


def test_budgets_that_were_left_aside_are_known(challenge: Challenge, graded: Callable[..., Scorecard]) -> None:
    row = judge(challenge, solution(Kind.BROKEN, "c"), 1, graded("fii"), measured=False)
    assert row.unmeasured == {FAST, LEAN}
    assert judge(challenge, solution(Kind.CHEAT, "cfl"), 1, graded("ffi"), measured=True).unmeasured == frozenset()


def test_a_kept_grading_whose_budgets_are_wanted_now_is_made_again(
    challenge: Challenge, graded: Callable[..., Scorecard]
) -> None:
    cheat = solution(Kind.CHEAT, "cfl")
    aside = judge(challenge, cheat, 1, graded("fii"), measured=False)
    assert aside.problems == ()
    assert lacks_budgets(challenge, aside, first_engine=True)
    assert not lacks_budgets(challenge, aside, first_engine=False)
    assert not lacks_budgets(challenge, judge(challenge, cheat, 2, graded("fii"), measured=False), first_engine=True)
    assert not lacks_budgets(challenge, judge(challenge, cheat, 1, graded("fii")), first_engine=True)
    wrong = judge(challenge, cheat, 1, graded("pii"), measured=False)
    assert wrong.problems
    assert not lacks_budgets(challenge, wrong, first_engine=True)


@pytest.mark.parametrize(
    ("sample", "times"),
    [
        (solution(Kind.ACCEPTED), (True, True)),
        (solution(Kind.SLOW, "f"), (True, True)),
        (solution(Kind.BROKEN, "c"), (False, False)),
        (solution(Kind.BROKEN, "cl"), (True, True)),
        (solution(Kind.CHEAT, "cfl"), (True, False)),
        (solution(Kind.BASELINE), (True, False)),
    ],
    ids=["accepted", "slow", "broken", "broken-by-a-budget", "cheat", "baseline"],
)
def test_budgets_are_measured_where_they_show_something(
    challenge: Challenge, sample: Solution, times: tuple[bool, bool]
) -> None:
    assert (measured(challenge, sample, first=True), measured(challenge, sample, first=False)) == times
