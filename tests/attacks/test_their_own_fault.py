"""Odd answers made to break the check that reads them: each costs its own check, and is nobody else's fault."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import InvalidSubmission
from assessments.manifest import read_challenge
from assessments.outcome import FAULTS, Owner
from assessments.scorecard import Scorecard, Status
from runner.bench import Bench
from runner.grade import Order, grade

Graded = Callable[..., Scorecard]
MARK = '@pytest.mark.check("{}", points=1, skill="correctness", visibility="hidden")\n'
SERVER = r"""
import os, signal, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self): self.reply(b"ok")
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.reply(BIG)
    def reply(self, body):
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
ThreadingHTTPServer.request_queue_size = 64
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
def go(): ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@pytest.fixture
def altered(tmp_path: Path, sum_challenge: Challenge) -> Callable[..., Challenge]:
    def make(test: str, of_the_check: str = "") -> Challenge:
        folder = Path(shutil.copytree(sum_challenge.folder, tmp_path / "challenges" / sum_challenge.id))
        (folder / "hidden_tests/test_sum.py").write_text("import pytest\n" + test)
        file = folder / "challenge.toml"
        file.write_text(file.read_text() + of_the_check)
        return read_challenge(folder)

    return make


def assert_its_own_fault(scorecard: Scorecard) -> None:
    assert scorecard.status is Status.COMPLETE, [result.message[-300:] for result in scorecard.results]
    assert {FAULTS[result.fault].owner for result in scorecard.results if result.fault} <= {Owner.CANDIDATE}


# What the submission prints, and an honest author's way of looking at it.
ODD_JSON = {
    "a lone surrogate": (
        r"""print('{"x": "\\ud800"}')""",
        'value = answer.pick("x", type=str)\n    assert value == "yes", f"x is {value}"',
    ),
    "a whole number no float can hold": (
        """print('{"x": 1' + '0' * 390 + '}')""",
        'assert abs(answer.pick("x", type=float) - 0.5) < 1e-6, "x is off"',
    ),
    "a list looked at item by item": (
        """print('{"x": [' + '[],' * 15000 + '[]]}')""",
        'for at in range(len(answer.pick("x"))):\n        answer.pick("x", at, type=list)\n    assert False, "no"',
    ),
}


@pytest.mark.parametrize(("code", "looks"), ODD_JSON.values(), ids=ODD_JSON.keys())
def test_odd_json_is_the_candidates(graded: Graded, altered: Callable[..., Challenge], code: str, looks: str) -> None:
    test = MARK.format("sum-is-right") + (
        "def test_a(run_job):\n    from graders.http.messages import Response\n"
        f"    answer = Response(200, {{}}, run_job().stdout, 0.0)\n    {looks}\n"
    )
    assert_its_own_fault(graded(altered(test, "time_limit_s = 3\n"), {"main.py": code}))


def test_huge_answers_are_the_candidates(graded: Graded, echo_challenge: Challenge) -> None:
    big = 'BIG = b"[" + b"[]," * 1300000 + b"[]]"\ngo()\n'
    assert_its_own_fault(graded(echo_challenge, {"main.py": SERVER + big}))


def test_dying_between_ready_and_the_check_is_the_candidates(graded: Graded, echo_challenge: Challenge) -> None:
    code = r"""
import os, socket
s = socket.create_server(("", int(os.environ["PORT"])))
c, _ = s.accept(); c.recv(999); c.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"); c.close(); os._exit(0)
"""
    scorecard = graded(echo_challenge, {"main.py": code})
    assert_its_own_fault(scorecard)
    assert scorecard.points.earned <= 1  # "ends when told" can happen to look right


@pytest.mark.usefixtures("needs_cgroups")
def test_socket_buffers_are_memory_too(graded: Graded, sum_challenge: Challenge) -> None:
    code = """
import socket
listener = socket.create_server(("127.0.0.1", 0), backlog=200)
kept, total = [], 0
for _ in range(100):
    sender = socket.create_connection(listener.getsockname())
    receiver, _ = listener.accept()
    sender.setblocking(False)
    kept += [sender, receiver]
    try:
        while total < 300 << 20:
            total += sender.send(b"x" * (1 << 20))
    except OSError:
        pass
print(total >> 20, flush=True)
"""
    run = graded(sum_challenge, {"main.py": code}).runs[0]
    assert int(run.stdout.text or 0) <= 2 * 64, "a box of 64 MB held more than that in its sockets"


def test_a_folders_name_cannot_talk_to_the_operators_terminal(
    bench: Bench, sum_challenge: Challenge, tmp_path: Path
) -> None:
    folder = tmp_path / "\x1b]0;pwn\x07"
    folder.mkdir()
    (folder / "other.py").write_text("x")
    with pytest.raises(InvalidSubmission) as caught:
        grade(Order(folder, "x", unenforced_allowed=True), sum_challenge, bench)
    assert "\x1b" not in str(caught.value)
