"""Answers made to do harm when they are read: each costs its own check, and is nobody else's fault."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.outcome import FAULTS, Fault, Owner
from assessments.scorecard import Scorecard, Status

Graded = Callable[..., Scorecard]
Faults = Callable[[Scorecard], dict[str, Fault | None]]
CHUNKED = r"b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + "
HEAD = r"b'HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "OUT nothing": ("b''", Fault.NO_ANSWER),
    "OUT half of a status line": ("b'HTTP/1.1 20'", Fault.NO_ANSWER),
    "OUT less than it announced": (HEAD + r"Content-Length: 99\r\n\r\n{}'", Fault.NO_ANSWER),
    "OUT more than it announced": ("ok(body) + b'x'", Fault.MALFORMED_ANSWER),
    "OUT two answers": ("ok(body) * 2", Fault.MALFORMED_ANSWER),
    "OUT two lengths": (HEAD + r"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}'", Fault.MALFORMED_ANSWER),
    "OUT a negative length": (HEAD + r"Content-Length: -1\r\n\r\n{}'", Fault.MALFORMED_ANSWER),
    "OUT a length of many digits": (
        HEAD + "Content-Length: ' + b'9' * 5000 + b'\\r\\n\\r\\n{}'",
        Fault.MALFORMED_ANSWER,
    ),
    "OUT a chunk of a size beyond measure": (CHUNKED + r"b'f' * 40 + b'\r\n'", Fault.MALFORMED_ANSWER),
    "OUT chunks with controls behind them": (CHUNKED + r"b'0\r\nt: \x00\r\n\r\n'", Fault.MALFORMED_ANSWER),
    "OUT headers without end": (HEAD + "' + b'x: y\\r\\n' * 90000", Fault.MALFORMED_ANSWER),
    "OUT one header without end": (HEAD + "x: ' + b'y' * 900000", Fault.MALFORMED_ANSWER),
    "OUT headers that are no text": (HEAD + r"\x80\xff: \xed\xa0\x80\r\n\r\n{}'", Fault.MALFORMED_ANSWER),
    "OUT a flood of interim answers": (r"b'HTTP/1.1 100 Continue\r\n\r\n' * 9000", Fault.MALFORMED_ANSWER),
    "OUT another protocol": (r"b'HTTP/1.1 101 Yes\r\nUpgrade: x\r\n\r\n'", Fault.MALFORMED_ANSWER),
    "OUT no protocol": (r"b'\x16\x03\x01\x00' * 999", Fault.MALFORMED_ANSWER),
    "OUT the echo in a coding": (
        "b'HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\n\\r\\n' + __import__('gzip').compress(body)",
        Fault.MALFORMED_ANSWER,
    ),
    "OUT a body without end": (HEAD + r"\r\n' + b'[' * 5000000", Fault.MALFORMED_ANSWER),
    "OUT a number that is none": ("ok(body.replace(b'}', b', \"x\": NaN}'))", Fault.MALFORMED_ANSWER),
    "OUT a number of ten thousand digits": ("ok(b'9' * 10000)", Fault.MALFORMED_ANSWER),
    "OUT depth": ("ok(b'[' * 1000000)", Fault.MALFORMED_ANSWER),
    "OUT closed depth": ("ok(b'[' * 5000 + b']' * 5000)", Fault.MALFORMED_ANSWER),
    "OUT a key twice": ("ok(body.replace(b'}', b', \"text\": \"x\"}'))", Fault.MALFORMED_ANSWER),
    "OUT bytes that are no text": (r"ok(b'{\"text\": \"\xff\xed\xa0\x80\"}')", Fault.MALFORMED_ANSWER),
    "OUT true for a number": ('ok(b\'{"number": true, "text": "x"}\')', Fault.WRONG_ANSWER),
    "OUT another place to look": (
        r"b'HTTP/1.1 307 No\r\nLocation: http://127.0.0.1:8000/\r\nContent-Length: 0\r\n\r\n'",
        Fault.WRONG_ANSWER,
    ),
}


def answering(expression: str) -> str:
    return f"def hostile(connection, body): connection.sendall({expression})"


@pytest.mark.parametrize(("expression", "fault"), ANSWERS.values(), ids=ANSWERS.keys())
def test_one_hostile_answer_costs_one_check(
    service: Graded, faults: Faults, all_right: dict[str, None], expression: str, fault: Fault
) -> None:
    assert faults(service(answering(expression))) == all_right | {"echoes": fault}


MISCHIEF = {
    "OUT an answer byte by byte": ("""
        def hostile(connection, body):
            for byte in ok(body + b" " * 9999):
                connection.send(bytes([byte])); time.sleep(0.01)""", Fault.NO_ANSWER),
    "OUT a connection that stays open": ("def hostile(connection, body): time.sleep(9)", Fault.NO_ANSWER),
    "OUT a connection that is reset": (r"""
        def hostile(connection, body):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")""", Fault.NO_ANSWER),
    "OUT an answer that never comes to its end": (r"""
        def hostile(connection, body):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True: connection.sendall(b"1\r\nx\r\n")""", Fault.NO_ANSWER),
    "RES the output limit, for an answer": (
        "def hostile(connection, body): os.write(1, b'x' * 99999); time.sleep(9)", Fault.OUTPUT_FLOOD),
    "RES the end of the service, for an answer": ("def hostile(connection, body): os._exit(0)", Fault.DIED),
    "RES a crash, for an answer": ("def hostile(connection, body): os.abort()", Fault.DIED),
    "NET calling back the one who asks": ("""
        def hostile(connection, body):
            answer = "reached"
            try: socket.create_connection(connection.getpeername(), 1)
            except OSError as error: answer = error.strerror
            print(connection.getpeername()[0], answer, flush=True)
            connection.sendall(ok(body))""", None),
}  # fmt: skip


@pytest.mark.parametrize(("code", "fault"), MISCHIEF.values(), ids=MISCHIEF.keys())
def test_mischief_in_one_check_costs_one_check(
    service: Graded,
    faults: Faults,
    all_right: dict[str, None],
    everything_printed: Callable[[Scorecard], str],
    code: str,
    fault: Fault | None,
) -> None:
    scorecard = service(code)
    assert faults(scorecard) == all_right | {"echoes": fault}
    assert "reached" not in everything_printed(scorecard)


# Odd answers made to break the check that reads them

MARK = '@pytest.mark.check("{}", points=1, skill="correctness", visibility="hidden")\n'


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


ODD_JSON = {
    "OUT a lone surrogate, for a message": (
        r"""print('{"x": "\\ud800"}')""",
        'value = answer.pick("x", type=str)\n    assert value == "yes", f"x is {value}"',
    ),
    "OUT a whole number that no float can hold": (
        """print('{"x": 1' + '0' * 390 + '}')""",
        'assert abs(answer.pick("x", type=float) - 0.5) < 1e-6, "x is off"',
    ),
    "OUT a long list, looked at item by item": (
        """print('{"x": [' + '[],' * 15000 + '[]]}')""",
        'for at in range(len(answer.pick("x"))):\n        answer.pick("x", at, type=list)\n    assert False, "no"',
    ),
}
"""What the submission prints, and an honest author's way of looking at it."""


@pytest.mark.parametrize(("code", "looks"), ODD_JSON.values(), ids=ODD_JSON.keys())
def test_odd_json_is_the_candidates(graded: Graded, altered: Callable[..., Challenge], code: str, looks: str) -> None:
    test = MARK.format("sum-is-right") + (
        "def test_a(run_job):\n    from graders.http.messages import Response\n"
        f"    answer = Response(200, {{}}, run_job().stdout, 0.0)\n    {looks}\n"
    )
    assert_its_own_fault(graded(altered(test, "time_limit_s = 3\n"), {"main.py": code}))


@pytest.mark.attack("OUT", "millions of values in answers to all that ask at once")
def test_huge_answers_are_the_candidates(service: Graded) -> None:
    huge = """
        big = b"[" + b"[]," * 1300000 + b"[]]"
        def ok(body):
            body = body if body == b"ready" else big
            return b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)
        def hostile(connection, body): connection.sendall(ok(body))"""
    assert_its_own_fault(service(huge))


@pytest.mark.attack("OUT", "an end between being ready and the first check")
def test_dying_between_ready_and_the_check_is_the_candidates(service: Graded) -> None:
    ready_once = r"""
        s = socket.create_server(("", int(os.environ["PORT"])))
        c, _ = s.accept(); c.recv(999); c.sendall(ok(b"")); c.close(); os._exit(0)"""
    scorecard = service(ready_once)
    assert_its_own_fault(scorecard)
    assert scorecard.points.earned <= 1  # "ends when told" can happen to look right
