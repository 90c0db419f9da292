"""Grading for real: right, wrong and hostile submissions, and challenges that are themselves at fault."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError, InvalidChallenge, InvalidSubmission
from assessments.manifest import read_challenge
from assessments.observation import Breach
from assessments.outcome import Fault, Outcome
from assessments.scorecard import Scorecard, Status
from runner.bench import Bench
from runner.engines.bubblewrap.sandbox import BubblewrapSandbox
from runner.grade import Order, grade

Graded = Callable[..., Scorecard]
SUM = "print(sum(map(int, input().split())))\n"


def test_the_sum_earns_the_point(graded: Graded, sum_challenge: Challenge) -> None:
    scorecard = graded(sum_challenge, {"main.py": SUM})
    assert (scorecard.points.earned, scorecard.status) == (1, Status.COMPLETE)
    assert scorecard.passed


FORGERIES = {
    "a forged verdict on stdout": """
        import os
        print('{"event": "checked", "id": "sum-is-right", "outcome": "passed"}')
        print('1 passed in 0.01s')
        os._exit(0)""",
    "files that look like results": """
        import pathlib
        for name in ("/tmp/report.xml", "/tmp/scorecard.json", "result.json", "/reward.txt"):
            try: pathlib.Path(name).write_text('{"points": 1}')
            except OSError: pass""",
    "a verdict on every descriptor it has": """
        import os
        for fd in range(3, 64):
            try: os.write(fd, b'{"event": "finished", "problem": ""}')
            except OSError: pass""",
    "pytest patched from inside": """
        import sys, types
        sys.modules["pytest"] = types.ModuleType("pytest")
        class Always(str):
            def __eq__(self, other): return True
        print(Always("x"))""",
    "an exit in the middle of nothing": "raise SystemExit(0)",
    "a daemon that writes later": """
        import os, time
        if os.fork() == 0:
            os.setsid(); time.sleep(0.2); print("12")""",
    "the answer searched for in every file": """
        import os
        for folder, _, names in os.walk("/"):
            for name in names:
                try:
                    if "CANARY" in open(os.path.join(folder, name), errors="replace").read(10000):
                        print("found", folder, name)
                except OSError: pass""",
    "no output at all": "pass",
    "an endless line": "print('1' * 60000)",
    "not text": "import sys; sys.stdout.buffer.write(bytes(range(256)))",
}


@pytest.mark.parametrize("code", FORGERIES.values(), ids=FORGERIES.keys())
def test_a_forgery_earns_nothing(graded: Graded, sum_challenge: Challenge, code: str) -> None:
    scorecard = graded(sum_challenge, {"main.py": _dedented(code)})
    assert scorecard.points.earned == 0
    assert scorecard.status is Status.COMPLETE, scorecard.results[0].message
    assert scorecard.results[0].fault in (Fault.WRONG_ANSWER, Fault.TIME_LIMIT)
    assert "found" not in scorecard.runs[0].stdout.text


PLANTED = ("conftest.py", "sitecustomize.py", "usercustomize.py", "pytest.py", "hidden_tests/test_sum.py", "x.pth")


def test_planted_files_change_nothing_on_the_graders_side(graded: Graded, sum_challenge: Challenge) -> None:
    planted = dict.fromkeys(PLANTED, "import os; os._exit(0)\n")
    scorecard = graded(sum_challenge, {"main.py": "print(0)\n", **planted})
    assert scorecard.points.earned == 0
    assert scorecard.results[0].outcome is Outcome.FAILED


LIMITS = [
    ("import time; time.sleep(60)", Fault.TIME_LIMIT, Breach.TIME),
    ("while True: print('x' * 1000)", Fault.OUTPUT_FLOOD, Breach.OUTPUT),
]


@pytest.mark.parametrize(("code", "fault", "breach"), LIMITS)
def test_a_broken_limit_is_the_candidates_and_named(
    graded: Graded, sum_challenge: Challenge, code: str, fault: Fault, breach: Breach
) -> None:
    scorecard = graded(sum_challenge, {"main.py": code})
    assert scorecard.results[0].fault is fault
    assert scorecard.runs[0].breach is breach


def test_the_same_seed_gives_the_same_inputs_and_another_others(graded: Graded, sum_challenge: Challenge) -> None:
    parrot = {"main.py": "print(input())\n"}
    first, again, other = (graded(sum_challenge, parrot, seed=seed).runs[0].stdout for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_submission_without_the_entry_file_is_refused_by_name(graded: Graded, sum_challenge: Challenge) -> None:
    with pytest.raises(InvalidSubmission, match=r"main\.py is missing"):
        graded(sum_challenge, {"other.py": SUM})


def test_a_host_that_cannot_enforce_a_limit_is_refused_unless_told_otherwise(
    bench: Bench, sum_challenge: Challenge, tmp_path: Path
) -> None:
    (tmp_path / "main.py").write_text(SUM)
    if bench.engine.describe(unenforced_allowed=False).unenforced:
        with pytest.raises(InfrastructureError, match="cannot enforce"):
            grade(Order(tmp_path, "x"), sum_challenge, bench)
    else:
        scorecard = grade(Order(tmp_path, "x"), sum_challenge, bench).scorecard
        assert not scorecard.engine.unenforced_allowed


# Services


def reference(challenge: Challenge) -> str:
    return (challenge.folder / "solutions/accepted/reference/main.py").read_text()


def outcomes(scorecard: Scorecard) -> dict[str, Fault | None]:
    assert scorecard.status is Status.COMPLETE, [result.message for result in scorecard.results]
    return {str(result.check.id): result.fault for result in scorecard.results}


ALL_RIGHT = dict.fromkeys(("echoes", "says-the-word", "says-the-other-word", "ends-when-told", "answers-many"))


def test_a_right_service_passes_every_check(graded: Graded, echo_challenge: Challenge) -> None:
    assert outcomes(graded(echo_challenge, {"main.py": reference(echo_challenge)})) == ALL_RIGHT


def test_one_hanging_answer_costs_one_check(graded: Graded, echo_challenge: Challenge) -> None:
    hang = "        import time\n        if 'text' in str(self.rfile.peek()): time.sleep(60)\n"
    hangs = reference(echo_challenge).replace("    def do_POST(self):\n", f"    def do_POST(self):\n{hang}")
    assert outcomes(graded(echo_challenge, {"main.py": hangs})) == ALL_RIGHT | {"echoes": Fault.NO_ANSWER}


def test_a_service_that_dies_in_a_check_is_started_again_for_the_next(
    graded: Graded, echo_challenge: Challenge
) -> None:
    dies = reference(echo_challenge).replace(
        "    def do_GET(self):\n", "    def do_GET(self):\n        if self.path == '/word': os._exit(3)\n"
    )
    expected = {"says-the-word": Fault.DIED, "says-the-other-word": Fault.DIED}
    scorecard = graded(echo_challenge, {"main.py": dies})
    assert outcomes(scorecard) == ALL_RIGHT | expected
    message = next(result.message for result in scorecard.results if result.check.id == "says-the-word")
    assert "exit code 3" in message


def test_a_service_that_ends_at_once_says_its_last_words(graded: Graded, echo_challenge: Challenge) -> None:
    scorecard = graded(echo_challenge, {"main.py": "raise ValueError('no model here')\n"})
    assert set(outcomes(scorecard).values()) == {Fault.DID_NOT_START}
    assert "no model here" in scorecard.results[0].message


def test_evidence_holds_what_was_sent_and_what_came_back(graded: Graded, echo_challenge: Challenge) -> None:
    wrong = reference(echo_challenge).replace("self.answer(self.rfile", "self.answer(b'[]' or self.rfile")
    result = next(r for r in graded(echo_challenge, {"main.py": wrong}).results if r.check.id == "echoes")
    assert result.outcome is Outcome.FAILED
    assert result.evidence[0].path == "/echo"
    assert "number" in result.evidence[0].request_body.text
    assert result.evidence[0].response_body.text == "[]"


def test_an_instance_that_saw_hidden_requests_never_answers_a_public_check(
    graded: Graded, echo_challenge: Challenge
) -> None:
    hoards = reference(echo_challenge).replace(
        "        self.answer(self.rfile",
        "        print('asked', flush=True)\n        self.answer(self.rfile",
    )
    scorecard = graded(echo_challenge, {"main.py": hoards})
    first = scorecard.runs[0].stdout.text
    assert first == "asked\n", "the first instance must have served the one public check alone"


# The control

ZERO = "print(0)\n"


def test_what_the_reference_fails_too_is_no_failure_of_the_candidates(graded: Graded, sum_copy: Path) -> None:
    (sum_copy / "solutions/accepted/reference/main.py").write_text("print('nothing')\n")
    scorecard = graded(read_challenge(sum_copy), {"main.py": ZERO}, controlled=True)
    (result,) = scorecard.results
    assert (result.outcome, result.fault) == (Outcome.ERRORED, Fault.CONTROL_FAILED)
    assert "gave 'nothing' The submission:" in result.message, "both are named"
    assert result.message.endswith("gave '0'")
    assert (scorecard.points.earned, scorecard.points.undecided) == (0, 1)
    assert scorecard.status is Status.INCOMPLETE


def test_a_reference_that_does_not_run_at_all_upholds_nothing(graded: Graded, sum_copy: Path) -> None:
    (sum_copy / "solutions/accepted/reference/main.py").write_text("raise SystemExit(1)\n")
    challenge = read_challenge(sum_copy)
    assert graded(challenge, {"main.py": ZERO}, controlled=True).results[0].fault is Fault.CONTROL_FAILED
    assert graded(challenge, {"main.py": SUM}, controlled=True).results[0].outcome is Outcome.PASSED


def test_a_failure_stands_without_a_reference_to_try(graded: Graded, sum_copy: Path) -> None:
    shutil.rmtree(sum_copy / "solutions")
    (result,) = graded(read_challenge(sum_copy), {"main.py": ZERO}, controlled=True).results
    assert result.fault is Fault.WRONG_ANSWER


def test_the_reference_is_tried_in_what_failed_and_in_nothing_else(
    graded: Graded, tmp_path: Path, echo_challenge: Challenge
) -> None:
    folder = Path(shutil.copytree(echo_challenge.folder, tmp_path / "challenges" / echo_challenge.id))
    right = reference(echo_challenge)
    wordless = right.replace("do_GET(self):\n", "do_GET(self):\n        if self.path == '/word': return\n")
    assert wordless != right
    (folder / "solutions/accepted/reference/main.py").write_text(wordless)
    wrong = right.replace("self.answer(self.rfile", "self.answer(b'[]' or self.rfile")
    scorecard = graded(read_challenge(folder), {"main.py": wrong}, controlled=True)
    without = graded(echo_challenge, {"main.py": wrong})
    expected = {"echoes": Fault.WRONG_ANSWER, "answers-many": Fault.WRONG_ANSWER}
    assert outcomes(scorecard) == outcomes(without) == ALL_RIGHT | expected
    assert len(scorecard.runs) == len(without.runs), "what the reference did is no run of the submission"
    assert [phase.name for phase in scorecard.phases] == [*(phase.name for phase in without.phases), "control"]


LEANS = """
import pytest
ran = []


@pytest.mark.check("sum-is-right", points=1, skill="correctness", visibility="hidden")
def test_first(run_job):
    ran.append(run_job())


@pytest.mark.check("leans", points=1, skill="correctness", visibility="hidden")
def test_second(run_job):
    assert ran, "nothing ran before"
    assert run_job(stdin=b"1 2").stdout == b"3\\n", "the sum is wrong"
"""


def with_another_check(folder: Path, tests: str) -> Challenge:
    (folder / "hidden_tests/test_sum.py").write_text(tests)
    with (folder / "challenge.toml").open("a") as manifest:
        manifest.write('[[checks]]\nid = "leans"\npoints = 1\nskill = "correctness"\nvisibility = "hidden"\n')
    return read_challenge(folder)


def test_a_submission_cannot_choose_checks_that_the_reference_fails_only_by_themselves(
    graded: Graded, sum_copy: Path
) -> None:
    scorecard = graded(with_another_check(sum_copy, LEANS), {"main.py": ZERO}, controlled=True)
    assert outcomes(scorecard) == {"sum-is-right": None, "leans": Fault.WRONG_ANSWER}


def test_what_else_was_decided_stands(graded: Graded, sum_copy: Path) -> None:
    never = LEANS.replace("ran.append(run_job())", "assert False, 'never'").replace("assert ran,", "assert True,")
    scorecard = graded(with_another_check(sum_copy, never), {"main.py": ZERO}, controlled=True)
    assert [one.fault for one in scorecard.results] == [Fault.CONTROL_FAILED, Fault.WRONG_ANSWER]
    assert len(scorecard.runs) == 1, "the submission was judged once"


def test_a_reference_that_cannot_be_read_is_told_before_anybody_is_judged(graded: Graded, sum_copy: Path) -> None:
    (sum_copy / "solutions/accepted/reference/link").symlink_to("/etc/hostname")
    with pytest.raises(InvalidChallenge):
        graded(read_challenge(sum_copy), {"main.py": SUM}, controlled=True)


def test_the_control_may_be_left_out(graded: Graded, sum_copy: Path) -> None:
    (sum_copy / "solutions/accepted/reference/main.py").write_text("print('nothing')\n")
    (result,) = graded(read_challenge(sum_copy), {"main.py": ZERO}, controlled=False).results
    assert result.fault is Fault.WRONG_ANSWER


def test_what_a_failure_leaves_behind_does_not_trouble_its_control(graded: Graded, sum_challenge: Challenge) -> None:
    spoiler = """
        import os, signal, time
        held = []
        for _ in range(8):
            try:
                if os.fork() == 0:
                    os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN)
                    while True: pass
            except OSError: pass
        for _ in range(40):
            try: held.append(os.open("/dev/ptmx", os.O_RDWR))
            except OSError: pass
        try: open("/tmp/full", "wb").write(bytes(1 << 23))
        except OSError: pass
        print("spoilt", flush=True)
        os._exit(1)"""
    scorecard = graded(sum_challenge, {"main.py": _dedented(spoiler)}, controlled=True)
    assert scorecard.runs[0].stdout.text == "spoilt\n"
    assert scorecard.results[0].fault is Fault.WRONG_ANSWER, scorecard.results[0].message


# Challenges at fault


@pytest.fixture
def altered(tmp_path: Path, sum_challenge: Challenge) -> Callable[[str], Challenge]:
    """The smallest challenge with other hidden tests."""

    def make(test: str) -> Challenge:
        folder = Path(shutil.copytree(sum_challenge.folder, tmp_path / "challenges" / sum_challenge.id))
        (folder / "hidden_tests/test_sum.py").write_text(_dedented(test))
        return read_challenge(folder)

    return make


MARK = '@pytest.mark.check("sum-is-right", points=1, skill="correctness", visibility="hidden")\n'
FAULTY = {
    "no check at all": ("import pytest\n", Fault.CHECKS_DIFFER),
    "a file that cannot be imported": ("import nonsense_that_is_not_there\n", Fault.CHECKS_DIFFER),
    "a test without a marker": (f"import pytest\n{MARK}def test_a(): pass\ndef test_b(): pass\n", Fault.CHECKS_DIFFER),
    "a check twice": (f"import pytest\n{MARK}def test_a(): pass\n{MARK}def test_b(): pass\n", Fault.CHECKS_DIFFER),
    "other points": (f"import pytest\n{MARK.replace('=1', '=2')}def test_a(): pass\n", Fault.CHECKS_DIFFER),
    "a marker with a typing error": (
        f"import pytest\n{MARK.replace('points', 'point')}def test_a(): pass\n",
        Fault.CHECKS_DIFFER,
    ),
    "a skip marker": (f"import pytest\n@pytest.mark.skip\n{MARK}def test_a(): pass\n", Fault.CHECKS_DIFFER),
    "an expected failure": (f"import pytest\n@pytest.mark.xfail\n{MARK}def test_a(): assert 0\n", Fault.CHECKS_DIFFER),
    "a module that skips itself": (
        f"import pytest\npytest.skip('x', allow_module_level=True)\n{MARK}def test_a(): pass\n",
        Fault.CHECKS_DIFFER,
    ),
    "a parametrised check": (
        f"import pytest\n{MARK}@pytest.mark.parametrize('x', [1, 2])\ndef test_a(x): pass\n",
        Fault.CHECKS_DIFFER,
    ),
    "a check that measures for no budget": (
        f"import pytest\n{MARK}def test_a(measure): measure()\n",
        Fault.CHECKS_DIFFER,
    ),
    "a skip from inside": (f"import pytest\n{MARK}def test_a(): pytest.skip('x')\n", Fault.CHECK_SKIPPED),
    "a crash": (f"import pytest\n{MARK}def test_a(): [][0]\n", Fault.CHECK_CRASHED),
    "a fixture that crashes": (
        f"import pytest\n@pytest.fixture\ndef f(): 1 / 0\n{MARK}def test_a(f): pass\n",
        Fault.CHECK_CRASHED,
    ),
    "an unknown fixture": (f"import pytest\n{MARK}def test_a(nothing): pass\n", Fault.CHECK_CRASHED),
    "an exit": (f"import os, pytest\n{MARK}def test_a(): os._exit(0)\n", Fault.GRADER_DIED),
    "an exit on import": ("import os; os._exit(0)\n", Fault.GRADER_DIED),
    "a kill": (f"import os, pytest\n{MARK}def test_a(): os.kill(os.getpid(), 9)\n", Fault.GRADER_DIED),
    "pytest told to exit": (f"import pytest\n{MARK}def test_a(): pytest.exit('x', 0)\n", Fault.CHECK_CRASHED),
}


@pytest.mark.parametrize(("test", "fault"), FAULTY.values(), ids=FAULTY.keys())
def test_a_challenge_at_fault_costs_no_points_and_is_never_a_pass(
    graded: Graded, altered: Callable[[str], Challenge], test: str, fault: Fault
) -> None:
    scorecard = graded(altered(test), {"main.py": SUM})
    assert [(r.outcome, r.fault) for r in scorecard.results] == [(Outcome.ERRORED, fault)], scorecard.results[0].message
    assert (scorecard.points.earned, scorecard.points.undecided) == (0, 1)
    assert scorecard.status is Status.INCOMPLETE


def test_a_check_that_loops_by_itself_is_stopped_and_counts_as_ours(
    graded: Graded, altered: Callable[[str], Challenge]
) -> None:
    challenge = altered(f"import pytest\n{MARK}def test_a():\n    while True:\n        pass\n")
    manifest = challenge.folder / "challenge.toml"
    manifest.write_text(manifest.read_text() + "time_limit_s = 0.1\n")
    scorecard = graded(read_challenge(challenge.folder), {"main.py": SUM})
    assert scorecard.results[0].fault is Fault.CHECK_STALLED


def _dedented(code: str) -> str:
    import textwrap

    return textwrap.dedent(code).lstrip("\n") + "\n"


def test_a_job_that_outlives_its_check_is_the_candidates_failure(
    graded: Graded, sum_challenge: Challenge, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(sum_challenge.folder, tmp_path / "challenges" / sum_challenge.id))
    manifest = folder / "challenge.toml"
    manifest.write_text(manifest.read_text().replace("job_s = 2", "job_s = 60") + "time_limit_s = 0.5\n")
    scorecard = graded(read_challenge(folder), {"main.py": "import time; time.sleep(60)"})
    assert scorecard.results[0].fault is Fault.TIME_LIMIT


def test_a_check_reads_all_that_a_job_may_print(graded: Graded, altered: Callable[[str], Challenge]) -> None:
    challenge = altered(f"import pytest\n{MARK}def test_a(run_job): assert len(run_job().stdout) == 60_000\n")
    scorecard = graded(challenge, {"main.py": "print('x' * 59_999)"})
    assert scorecard.results[0].outcome is Outcome.PASSED, scorecard.results[0].message
    assert len(scorecard.runs[0].stdout.text) < 20_000


def test_a_conftest_that_breaks_is_the_challenges_fault(graded: Graded, altered: Callable[[str], Challenge]) -> None:
    challenge = altered(f"import pytest\n{MARK}def test_a(): pass\n")
    (challenge.folder / "hidden_tests/conftest.py").write_text("raise RuntimeError\n")
    scorecard = graded(challenge, {"main.py": SUM})
    assert scorecard.results[0].fault is Fault.CHECK_CRASHED


# Peaks of memory

PEAK = """
import pytest
MB = 10**6


@pytest.mark.check("answers-many", points=1, skill="operations", visibility="hidden")
def test_small(http, service):
    http.get("/word")
    peak = service.peak_memory_bytes()
    assert MB < peak < 50 * MB, f"it took {peak} bytes"
"""
HOARDS = "held = b'x' * 55_000_000\n"
OF_THE_DEAD = PEAK.replace('http.get("/word")', 'service.signal("KILL"); assert service.wait(10), "it lives on"')


def asks_for_the_peak(echo: Challenge, folder: Path, test: str) -> Challenge:
    """The echo service with one check alone, which asks for the peak of the service's memory."""
    copy = Path(shutil.copytree(echo.folder, folder / "challenges" / echo.id))
    (copy / "hidden_tests/test_echo.py").write_text(test)
    head, *checks = (copy / "challenge.toml").read_text().split("[[checks]]")
    (wanted,) = (check for check in checks if 'id = "answers-many"' in check)
    head = head.replace('["correctness", "operations"]', '["operations"]')
    (copy / "challenge.toml").write_text(f"{head}[[checks]]{wanted}")
    return read_challenge(copy)


@pytest.mark.parametrize(
    ("test", "before", "fault"),
    [(PEAK, "", None), (PEAK, HOARDS, Fault.WRONG_ANSWER), (OF_THE_DEAD, "", Fault.WRONG_ANSWER)],
    ids=["small", "hoards", "ends before it is asked"],
)
def test_a_check_can_limit_the_peak_of_memory(
    graded: Graded, tmp_path: Path, echo_challenge: Challenge, test: str, before: str, fault: Fault | None
) -> None:
    challenge = asks_for_the_peak(echo_challenge, tmp_path, test)
    (result,) = graded(challenge, {"main.py": before + reference(echo_challenge)}).results
    assert result.fault is fault, result.message
    assert ("has ended" in result.message) == (test is OF_THE_DEAD)


@pytest.mark.parametrize(
    ("test", "before", "fault"),
    [(PEAK, "", Fault.NOT_MEASURED), (PEAK, HOARDS, Fault.NOT_MEASURED), (OF_THE_DEAD, "", Fault.WRONG_ANSWER)],
    ids=["small", "hoards", "ends before it is asked"],
)
def test_where_the_kernel_tells_no_peak_nobody_passes_and_nobody_loses_by_it(
    graded: Graded,
    tmp_path: Path,
    echo_challenge: Challenge,
    monkeypatch: pytest.MonkeyPatch,
    test: str,
    before: str,
    fault: Fault,
) -> None:
    told = BubblewrapSandbox.usage
    monkeypatch.setattr(BubblewrapSandbox, "usage", lambda box: replace(told(box), peak_memory_bytes=None))
    challenge = asks_for_the_peak(echo_challenge, tmp_path, test)
    scorecard = graded(challenge, {"main.py": before + reference(echo_challenge)})
    assert scorecard.results[0].fault is fault, scorecard.results[0].message
    assert scorecard.points.undecided == (1 if fault is Fault.NOT_MEASURED else 0)
