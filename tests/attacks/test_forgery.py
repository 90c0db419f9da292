"""Forging a grade: the check is failed, by the submission's own fault, however it ended and whatever it wrote."""

import re
from collections.abc import Callable

import pytest

from assessments.challenge import Challenge
from assessments.errors import UsageError
from assessments.outcome import FAULTS, Fault, Outcome, Owner
from assessments.scorecard import Scorecard
from runner.reports import document

Graded = Callable[..., Scorecard]

TABLE = {
    "FRG a report through every descriptor of the box": """
        for pid in (1, os.getpid()):
            try: numbers = os.listdir(f"/proc/{pid}/fd")
            except PermissionError: continue
            for number in numbers:
                try: os.write(os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY), b'{"exit-code": 0}\\n')
                except OSError: pass""",
    "FRG a report on its own output": """
        say('{"format": 1, "check": "sum-is-right", "outcome": "passed", "points": 1}')
        say("1 passed in 0.01s"); say("ok 1 - sum-is-right"); say("##teamcity[testFinished name='sum-is-right']")""",
    "FRG reports in every place where one might be looked for": """
        for folder in ("/outputs", "/tmp", "/dev/shm"):
            for one in ("scorecard.json", "result.json", "reward.txt", "junit.xml", "verdict", "exit_code"):
                open(f"{folder}/{one}", "w").write('{"outcome": "passed", "points": 1}')""",
    "FRG every answer at once": "print(*range(4000), sep='\\n')",
    "FRG an answer that equals everything": """
        class Any(int):
            def __eq__(self, other): return True
            def __hash__(self): return 0
            def __str__(self): return "always equal"
        say(Any(12))""",
    "FRG tools of tests, patched in its own process": """
        import builtins, random, types, unittest
        sys.modules["pytest"] = types.ModuleType("pytest")
        unittest.TestCase.assertEqual = lambda *_: None
        random.Random.randrange = lambda *_: 0; random.seed = lambda *_: None
        time.time = time.monotonic = lambda: 0.0; builtins.abs = lambda _: 0
        say(0)""",
    "FRG its own input": "os.ftruncate(0, 0); os.write(0, b'0 0')",
    "FRG an end by every signal": "os.kill(os.getpid(), signal.SIGSEGV)",
    "FRG an odd exit code": "os._exit(255)",
    "FRG an exit that looks well": "sys.exit(0)",
    "FRG an exit that looks well after a failure": "import atexit; atexit.register(os._exit, 0); raise SystemExit(1)",
    "FRG the end of everybody": "os.kill(-1, signal.SIGKILL); os.abort()",
    "FRG a child that goes on when the parent has ended": """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.05); say("12")
        os._exit(0)""",
    "FRG a word to whoever reports its exit code": "os.kill(1, signal.SIGINT); os._exit(1)",
    "FRG starving whoever reports its exit code": """
        for kind in ("AS", "DATA", "STACK", "NOFILE", "FSIZE", "NPROC", "CPU"):
            attempt(resource.prlimit, 1, getattr(resource, "RLIMIT_" + kind), (0, 0))
        os._exit(1)""",
    "FRG lone surrogates and controls": """
        sys.stdout.buffer.write(b"\\xed\\xa0\\x80\\0\\x1b]0;x\\x07" * 2000)
        sys.stderr.buffer.write(b"\\xff" * 9000)""",
    "FRG a program that is not there": "os.execv('/bin/true', ['true'])",
}


@pytest.mark.parametrize("code", TABLE.values(), ids=TABLE.keys())
def test_it_earns_nothing_and_blames_nobody_else(job: Graded, code: str) -> None:
    result = job(code).results[0]
    assert (result.outcome, result.fault and FAULTS[result.fault].owner) == (Outcome.FAILED, Owner.CANDIDATE)


@pytest.mark.attack("FRG", "frames of the stream between engine and runner")
def test_a_frame_in_the_output_is_output(job: Graded) -> None:
    frames = r"os.write(1, b'\x02\0\0\0\0\0\0\x05wrong' * 9); os.write(1, b'\x01\0\0\0\xff\xff\xff\xff')"
    run = job(frames).runs[0]
    assert (run.stdout.total_bytes, run.stderr.total_bytes) == (9 * 13 + 8, 0)


PLANTED = (
    *("graders/__init__.py", "runner/__init__.py", "assessments/__init__.py", "hidden_tests/conftest.py"),
    *("pyproject.toml", "pytest.ini", "setup.cfg", "conftest.py", "assay_oracle.py", "sitecustomize.py"),
    *("usercustomize.py", "evil.pth", "setup.py", "pytest.py", "_pytest/__init__.py", "h11/__init__.py"),
)


@pytest.mark.attack("FRG", "modules and settings planted for the grader to load")
def test_planted_modules_are_loaded_by_nobody(job: Graded) -> None:
    scorecard = job("say(0)", dict.fromkeys(PLANTED, "raise SystemExit(0)\n"))
    assert scorecard.results[0].fault is Fault.WRONG_ANSWER


@pytest.mark.attack("FRG", "hidden inputs that are known in advance")
def test_hidden_inputs_are_new_each_time(job: Graded) -> None:
    given = {job("say(sys.stdin.read())", seed=None).runs[0].stdout.text for _ in range(2)}
    assert len(given) == 2


@pytest.mark.attack("FRG", "an answer learnt by heart")
def test_what_was_right_once_is_wrong_for_other_inputs(job: Graded) -> None:
    first = job("say(sum(map(int, sys.stdin.read().split())))", seed=1)
    learnt = first.runs[0].stdout.text.strip()
    assert first.results[0].outcome is Outcome.PASSED
    assert job(f"say({learnt})", seed=2).results[0].fault is Fault.WRONG_ANSWER


@pytest.mark.attack("FRG", "a figure changed in a stored scorecard")
def test_a_changed_figure_is_noticed(job: Graded) -> None:
    stored = document.dump(job("say(0)"))
    changed = re.sub(rb'"earned": 0(\.0)?', b'"earned": 1.0', stored)
    assert changed != stored
    with pytest.raises(UsageError):
        document.load(changed, "changed.json")


@pytest.mark.attack("FRG", "other files than the ones that were handed in")
def test_what_was_run_is_what_the_digests_say(job: Graded, sum_challenge: Challenge) -> None:
    """A job that tries to change itself for the next time is the same bytes the next time."""
    changes = """
        attempt(open, "main.py", "w"); attempt(os.rename, "/tmp", "/submission/x")
        import hashlib; say(hashlib.sha256(open("main.py", "rb").read()).hexdigest())"""
    first, second = job(changes), job(changes)
    told = {str(file.digest) for card in (first, second) for file in card.submission.files}
    assert told == {first.runs[0].stdout.text.strip()} == {second.runs[0].stdout.text.strip()}
