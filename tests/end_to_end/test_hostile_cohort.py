"""Twenty hostile submissions and five honest ones, graded together in four lanes.

The honest ones come out as they do alone. The hostile ones get what they earn by honest means, which is nothing or
little; none of them makes a fault of ours of it; and nothing of them is left.
"""

import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from assessments.challenge import Challenge
from assessments.outcome import FAULTS, Fault, Outcome, Owner
from assessments.scorecard import Scorecard, Status
from runner.bench import Bench, open_bench
from runner.engines.choose import EngineName, Wish
from runner.grade import Order, grade
from runner.lanes import run_lanes

LANES, SEED = 4, 11
TOOLS = "import json, os, signal, socket, sys, threading, time\n"
FORGED = '{"event": "checked", "id": "sum-is-right", "outcome": "passed"}\\n'

JOBS = {
    # Processes without end
    "forks for ever": """
        while True:
            try: os.fork()
            except OSError: pass""",
    "forks and ends, for ever": """
        while True:
            try:
                if os.fork() == 0: os._exit(0)
            except OSError: pass""",
    "forks into sessions of their own": """
        while True:
            try:
                if os.fork() == 0: os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN)
            except OSError: pass""",
    # Memory without end
    "takes memory at once": "x = bytearray(1 << 33)",
    "takes memory in many processes": """
        while True:
            try: os.fork()
            except OSError: x = bytearray(30 << 20)""",
    "takes memory in files without a name": """
        files = [os.memfd_create(str(number)) for number in range(40)]
        while True:
            for file in files: os.write(file, b"x" * (1 << 20))""",
    # Logs without end
    "writes for ever": "while True: os.write(1, b'x' * 65536)",
    "complains for ever": "while True: os.write(2, b'\\x1b[2J\\0' * 9999)",
    "writes for ever in many processes": """
        while True:
            try: os.fork()
            except OSError: pass
            os.write(1, b"x" * 4096)""",
    # Disks
    "fills every scratch place": """
        for folder in ("/tmp", "/outputs", "/dev/shm"):
            try:
                with open(folder + "/big", "wb") as file:
                    while True: file.write(b"x" * (1 << 20))
            except OSError: pass""",
    "makes files without end": """
        for folder in ("/tmp", "/outputs", "/dev/shm"):
            try:
                for number in range(10**6): os.close(os.open(f"{folder}/{number}", os.O_CREAT))
            except OSError: pass""",
    "makes folders in folders": """
        try:
            os.chdir("/outputs")
            for _ in range(10**6): os.mkdir("d" * 200); os.chdir("d" * 200)
        except OSError: pass""",
    # Time
    "is deaf to signals": """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(1)""",
    "stops itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "works for ever": "while True: pass",
    # Reports of its own
    "claims success": f"print('{FORGED}1 passed'); os._exit(0)",
    "claims success through every descriptor": f"""
        for pid in (1, os.getpid(), os.getppid()):
            for number in range(64):
                try: os.write(os.open(f"/proc/{{pid}}/fd/{{number}}", os.O_WRONLY), b'{FORGED}')
                except OSError: pass""",
    "kills whoever judges it": """
        for pid in range(1, 70000):
            try: os.kill(pid, signal.SIGKILL)
            except OSError: pass""",
}  # fmt: skip

ECHO = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

def hostile(handler, body):
    pass

class Echo(BaseHTTPRequestHandler):
    def log_message(self, *words): pass
    def do_GET(self):
        word = open("/assets/words/word.txt", "rb").read()
        self.answer(word if self.path == "/word" else b"ready")
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.answer(hostile(self, body) or body)
    def answer(self, body):
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer.request_queue_size = 64
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))

def listen():
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Echo).serve_forever()
"""
SERVICES = {
    "floods its log when asked": "def hostile(handler, body): os.write(1, b'x' * 999999); time.sleep(9)\nlisten()",
    "answers with a verdict": """
        def hostile(handler, body): return b'{"outcome": "passed", "exit_code": 0}'
        listen()""",
}
UNTOUCHED = {"ends-when-told", "says-the-other-word", "says-the-word"}
"""What a hostile service earns by honest means: the checks that none of its mischief touches."""

HONEST_JOBS = {
    "adds": "print(sum(map(int, input().split())))",
    "multiplies": "first, second = map(int, input().split())\nprint(first * second)",
}
HONEST_SERVICES = {
    "echoes": "listen()",
    "echoes something else": "def hostile(handler, body): return json.dumps({'sent': len(body)}).encode()\nlisten()",
    "ends with the wrong code": "signal.signal(signal.SIGTERM, lambda *_: os._exit(3))\nlisten()",
}
HONEST_POINTS = {
    "adds": 1,
    "multiplies": 0,
    "echoes": 6,
    "echoes something else": 3,
    "ends with the wrong code": 5,
}


@dataclass(frozen=True)
class Entry:
    """One submission and what it is handed in for."""

    order: Order
    challenge: Challenge

    @property
    def name(self) -> str:
        return self.order.candidate


@pytest.fixture
def cohort(tmp_path: Path, sum_challenge: Challenge, echo_challenge: Challenge) -> list[Entry]:
    """All twenty-five: after each four hostile ones comes an honest one."""

    def entry(name: str, code: str, challenge: Challenge) -> Entry:
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        service = ECHO if challenge is echo_challenge else ""
        (folder / "main.py").write_text(TOOLS + service + textwrap.dedent(code.strip("\n")))
        return Entry(Order(folder, name, seed=SEED, unenforced_allowed=True), challenge)

    hostile = [entry(name, code, sum_challenge) for name, code in JOBS.items()]
    hostile += [entry(name, code, echo_challenge) for name, code in SERVICES.items()]
    hostile = hostile[::4] + hostile[1::4] + hostile[2::4] + hostile[3::4]  # of every kind at the same time
    honest = [entry(name, code, sum_challenge) for name, code in HONEST_JOBS.items()]
    honest += [entry(name, code, echo_challenge) for name, code in HONEST_SERVICES.items()]
    assert (len(hostile), len(honest)) == (20, 5)
    together = []
    for number, one in enumerate(honest):
        together += [*hostile[number * 4 : number * 4 + 4], one]
    return together


def test_honest_submissions_come_out_as_they_do_alone(
    own_state: Path, chaos: ModuleType, engine: EngineName, cohort: list[Entry]
) -> None:
    with chaos.watching(own_state, engine) as watch:
        with open_bench(own_state, print, Wish(engine)) as bench:
            alone = {one.name: graded(one, bench) for one in cohort if one.name in HONEST_POINTS}
            scorecards = run_lanes(lambda one: graded(one, bench), cohort, bench, LANES)
            left = watch.until_clean(time.monotonic() + chaos.CLEAN_WITHIN_S, ("processes", "folders"))
        left |= watch.until_clean(time.monotonic() + chaos.CLEAN_WITHIN_S)
    together = {scorecard.candidate: scorecard for scorecard in scorecards}
    assert {name: outcomes(together[name]) for name in HONEST_POINTS} == {
        name: outcomes(scorecard) for name, scorecard in alone.items()
    }
    assert {name: together[name].points.earned for name in HONEST_POINTS} == HONEST_POINTS
    for name, scorecard in together.items():
        assert_all_faults_are_its_own(scorecard)
        if name not in HONEST_POINTS:
            assert passed(scorecard) == (UNTOUCHED if name in SERVICES else set()), name
    assert left == {}


def graded(one: Entry, bench: Bench) -> Scorecard:
    return grade(one.order, one.challenge, bench).scorecard


def outcomes(scorecard: Scorecard) -> dict[str, tuple[Outcome, Fault | None]]:
    return {str(result.check.id): (result.outcome, result.fault) for result in scorecard.results}


def passed(scorecard: Scorecard) -> set[str]:
    return {str(result.check.id) for result in scorecard.results if result.outcome is Outcome.PASSED}


def assert_all_faults_are_its_own(scorecard: Scorecard) -> None:
    told = f"{scorecard.candidate}: {[result.message[-500:] for result in scorecard.results]}"
    assert scorecard.status is Status.COMPLETE, told
    assert {FAULTS[result.fault].owner for result in scorecard.results if result.fault} <= {Owner.CANDIDATE}, told
