"""Looking faster than one is: only the grader's clock counts, and nothing is carried into a measured run."""

import os
from collections.abc import Callable

import pytest

from assessments.observation import SandboxRun
from assessments.outcome import Fault
from assessments.scorecard import Scorecard
from runner.engines.protocol import Sandbox

Graded = Callable[..., Scorecard]
Faults = Callable[[Scorecard], dict[str, Fault | None]]

TABLE = {
    "LAT setting the clock": ("""
        say(call("clock_settime", 0, bytes(16)), call("settimeofday", bytes(16), None),
            call("adjtimex", b"\\1" + bytes(300)), call("clock_adjtime", 0, b"\\1" + bytes(300)))""", "EPERM"),
    "LAT a clock of its own (a time namespace)": ("say(call('unshare', 0x80))", "EPERM"),
    "LAT going before others": ("""
        say(attempt(os.setpriority, os.PRIO_PROCESS, 0, -1) in ("EACCES", "EPERM"),
            attempt(os.setpriority, os.PRIO_USER, 0, -20) in ("EACCES", "EPERM"))""", "True"),
    "LAT a deadline or real time from the scheduler": ("""
        say(raw("sched_setattr", 0, bytes(48), 0),
            *(attempt(os.sched_setscheduler, 0, kind, os.sched_param(1)) for kind in (os.SCHED_FIFO, os.SCHED_RR)))""",
        "EPERM"),
    "LAT going before others at the disk": ("say(raw('ioprio_set', 1, 0, 1 << 13))", "EPERM"),
    "LAT memory that is never taken away": ("say(call('mlockall', 3), call('mlock2', bytes(9), 9, 0))", "EPERM"),
    "LAT compiled code left for the next run": (
        "say(attempt(os.mkdir, '/submission/__pycache__'), attempt(os.mkdir, '/opt/python/x'))", "EROFS"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), TABLE.values(), ids=TABLE.keys())
def test_it_gets_no_further_than(attempted: Callable[[str], str], code: str, said: str) -> None:
    assert attempted(code) == said


SLOW = {
    "LAT an answer after the time for it": """
        def hostile(connection, body): time.sleep(1.1); connection.sendall(ok(body))""",
    "LAT an early beginning and a late end": """
        def hostile(connection, body):
            connection.sendall(ok(body)[:-1]); time.sleep(1.1); connection.sendall(ok(body)[-1:])""",
    "LAT an interim answer to win time": r"""
        def hostile(connection, body):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"); time.sleep(1.1); connection.sendall(ok(body))""",
    "LAT clocks of its own that stand still": """
        sleep, time.time, time.monotonic, time.perf_counter = time.sleep, *[lambda: 0.0] * 3
        def hostile(connection, body): sleep(1.1); connection.sendall(ok(body))""",
    "LAT a header that says how fast it was": r"""
        def ok(body):
            fast = b"Server-Timing: total;dur=0\r\nX-Response-Time: 0\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nAge: 0"
            return b"HTTP/1.1 200 OK\r\n%s\r\nContent-Length: %d\r\n\r\n%s" % (fast, len(body), body)
        def hostile(connection, body): time.sleep(1.1); connection.sendall(ok(body))""",
    "LAT standing still while it is asked": """
        def hostile(connection, body):
            if os.fork() == 0:
                time.sleep(1.1); os.kill(os.getppid(), signal.SIGCONT); os._exit(0)
            os.kill(os.getpid(), signal.SIGSTOP)""",
}  # fmt: skip


@pytest.mark.parametrize("code", SLOW.values(), ids=SLOW.keys())
def test_the_graders_clock_decides_and_the_check_is_lost(
    service: Graded, faults: Faults, all_right: dict[str, None], code: str
) -> None:
    assert faults(service(code)) == all_right | {"echoes": Fault.NO_ANSWER}


@pytest.mark.attack("LAT", "an answer just in time, said to have been quick")
def test_what_an_answer_took_is_what_the_grader_measured(
    service: Graded, faults: Faults, all_right: dict[str, None]
) -> None:
    scorecard = service("def hostile(connection, body): time.sleep(0.4); connection.sendall(ok(body))")
    assert faults(scorecard) == all_right
    (echoes,) = (result for result in scorecard.results if result.check.id == "echoes")
    assert max(exchange.elapsed_s for exchange in echoes.evidence) >= 0.4


@pytest.mark.attack("LAT", "what one instance of a service leaves for the next")
def test_no_instance_finds_what_another_left(service: Graded, faults: Faults, all_right: dict[str, None]) -> None:
    leaves = """
        for folder in ("/tmp", "/dev/shm"):
            print(os.listdir(folder), flush=True)
            open(folder + "/left", "w").write("for the next")
        def hostile(connection, body): connection.sendall(ok(body))"""
    scorecard = service(leaves)
    assert faults(scorecard) == all_right
    assert {run.stdout.text for run in scorecard.runs} == {"[]\n[]\n"}


@pytest.mark.attack("LAT", "other cores than its own")
@pytest.mark.usefixtures("needs_cores")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is no other core here")
def test_it_stays_on_the_cores_it_was_given(
    start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun]
) -> None:
    first, second, *_ = sorted(os.sched_getaffinity(0))
    moves = f"say(attempt(os.sched_setaffinity, 0, {{{second}}}), *os.sched_getaffinity(0))"
    assert ended(start(moves, cores=(first,))).stdout.text == f"EINVAL {first}\n"
