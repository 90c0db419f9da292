"""Hostile submissions, graded for real: each row tries one thing and says what must come of it.

The jobs print one line, which the engine witnessed and which must be the expected one. The services are honest but
for one answer, and that answer must cost one check: neither more, nor less, nor turned into a fault of ours.
"""

import os
import re
import shutil
import socket
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.manifest import read_challenge
from assessments.observation import Breach
from assessments.outcome import FAULTS, Fault, Outcome, Owner
from assessments.scorecard import Scorecard, Status
from runner.bench import Bench
from runner.engines.box_users import FIRST_UID
from runner.reports import document
from runner.reports.html import Audience, Sources, render

Graded = Callable[..., Scorecard]
CANARY = "CANARY-"
"""Stands in the hidden tests of the one sample challenge, and in the hidden asset of the other."""

TOOLS = """
import ctypes, errno, os, signal, socket, stat, sys, time
libc = ctypes.CDLL(None, use_errno=True)

def name(number):
    return errno.errorcode.get(number, str(number))

def call(function, *arguments):
    ctypes.set_errno(0)
    return "done" if getattr(libc, function)(*arguments) >= 0 else name(ctypes.get_errno())

def attempt(function, *arguments, **named):
    try:
        function(*arguments, **named)
    except OSError as error:
        return name(error.errno)
    return "done"

def say(*words):
    print(*words, flush=True)
"""


def job(code: str) -> dict[str, str]:
    return {"main.py": TOOLS + textwrap.dedent(code)}


def everything_printed(scorecard: Scorecard) -> str:
    return "".join(run.stdout.text + run.stderr.text for run in scorecard.runs)


def pages(scorecard: Scorecard) -> dict[Audience, str]:
    return {audience: render(scorecard, Sources({}, {}), audience) for audience in Audience}


# What a submission may not do: each tries it, and prints what the kernel said

ESCAPES = {
    "ESC a user namespace of its own": ("say(call('unshare', 0x10000000))", "EPERM"),
    "ESC a network namespace of its own": ("say(call('unshare', 0x40000000))", "EPERM"),
    "ESC another's namespace": ("say(call('setns', os.open('/proc/self/ns/mnt', os.O_RDONLY), 0))", "EPERM"),
    "ESC a mount": ("say(call('mount', b'none', b'/tmp', b'tmpfs', 0, None))", "EPERM"),
    "ESC taking a mount away": ("say(call('umount2', b'/submission', 2))", "EPERM"),
    "ESC another root": ("say(call('chroot', b'/tmp'), call('pivot_root', b'/tmp', b'/tmp'))", "EPERM"),
    "ESC tracing process 1": ("say(call('ptrace', 16, 1, None, None))", "EPERM"),
    "ESC reading process 1's memory by call": ("say(call('process_vm_readv', 1, None, 0, None, 0, 0))", "EPERM"),
    "ESC writing process 1's memory": ("say(attempt(open, '/proc/1/mem', 'r+b') in ('EROFS', 'EACCES'))", "True"),
    "ESC a file by its handle": ("say(call('open_by_handle_at', -100, b'x' * 16, 0))", "EPERM"),
    "ESC a device of its own": ("say(attempt(os.mknod, '/tmp/disk', stat.S_IFBLK | 0o666, os.makedev(8, 0)))", "EPERM"),
    "ESC being root": ("""
        tried = {attempt(os.setuid, 0), attempt(os.setgid, 0), attempt(os.chown, "/tmp", 0, 0)}
        say(tried <= {"EINVAL", "EPERM"})""", "True"),
    "ESC rings of calls": ("say(call('syscall', 425, 4, b'x' * 256))", "EPERM"),
    "ESC a descriptor of process 1": ("say(call('syscall', 438, os.pidfd_open(1), 0, 0))", "EPERM"),
    "ESC the end of process 1": ("""
        for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM): os.kill(1, number)
        time.sleep(0.02)
        say("alive")""", "alive"),
    "ESC what the init of the box holds open": ("""
        try: held = [number for number in os.listdir("/proc/1/fd") if int(number) > 2]
        except PermissionError: held = [0]
        say(*{attempt(os.open, f"/proc/1/fd/{number}", os.O_WRONLY) in ("EACCES", "ENXIO") for number in held})""",
        "True"),
    "ESC descriptors left open by whoever started it": ("""
        held = {int(number) for number in os.listdir("/proc/self/fd")}
        say(*{number for number in held if number > 2 and attempt(os.fstat, number) == "done"})""", ""),
    "ESC sysctls": ("""
        found = [os.path.join(at, one) for at, _, names in os.walk("/proc/sys") for one in names]
        say(len(found) > 100, sum(attempt(os.open, path, os.O_WRONLY) == "done" for path in found))""", "True 0"),
    "ESC files that change who one is": ("""
        special = stat.S_ISUID | stat.S_ISGID
        paths = [os.path.join(at, one) for at, _, names in os.walk("/") if not at.startswith("/proc") for one in names]
        say(len(paths) > 1000, *[path for path in paths if os.lstat(path).st_mode & special])""", "True"),
    "ESC folders it may write to": ("""
        places = [at for at, _, _ in os.walk("/") if not at.startswith("/proc")]
        probe = os.O_CREAT | os.O_WRONLY
        say(*sorted(at for at in places if attempt(os.open, at + "/probe", probe) == "done"))""",
        "/dev/shm /outputs /tmp"),
    "ESC changing what was handed in": ("""
        say(attempt(os.unlink, "main.py"), attempt(os.chmod, "main.py", 0o777), attempt(os.rename, "main.py", "x"))""",
        "EROFS"),
    "ESC devices": ("""
        harmless = "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero"
        say(*sorted(set(os.listdir("/dev")) - set(harmless.split())), *os.listdir("/dev/pts"),
            attempt(open, "/dev/mqueue/x", "w") in ("EROFS", "ENOENT", "EACCES"))""", "ptmx True"),
    "ESC the terminal of the operator": ("say(attempt(open, '/dev/tty'))", "ENXIO"),
    "ESC control groups": ("say(os.path.exists('/sys/fs/cgroup'), os.path.exists('/sys/kernel'))", "False"),
    "ESC precedence": ("""
        say(attempt(os.nice, -5) in ("EPERM", "EACCES"), attempt(os.sched_setscheduler, 0, os.SCHED_FIFO,
            os.sched_param(1)) == "EPERM", call("mlockall", 3) == "EPERM", call("personality", 0x40000) == "EPERM")""",
        "True"),
    "ESC rights by a new program": ("""
        line = next(line for line in open("/proc/self/status") if line.startswith("NoNewPrivs"))
        rights = {line.split()[1].strip("0") for line in open("/proc/self/status") if line.startswith("Cap")}
        say(line.split()[1], *rights)""", "1"),
    "RES processes": ("""
        count = 0
        try:
            while count < 500:
                if os.fork() == 0: time.sleep(9)
                count += 1
        except OSError as error: say(name(error.errno), 4 < count < 16)""", "EAGAIN True"),
    "RES descriptors": ("""
        say(attempt(lambda: [os.dup(0) for _ in range(10**5)]))""", "EMFILE"),
    "RES the scratch folder": ("""
        say(attempt(lambda: [open(f"/tmp/{n}", "wb").write(b"x" * 2**20) for n in range(9)]))""", "ENOSPC"),
    "RES shared memory": ("""
        say(attempt(lambda: [open(f"/dev/shm/{n}", "wb").write(b"x" * 2**20) for n in range(9)]))""", "ENOSPC"),
    "RES files without content": ("""
        say(attempt(lambda: [os.close(os.open(f"/tmp/{n}", os.O_CREAT)) for n in range(10**6)]))""", "ENOSPC"),
    "RES a file with a hole": ("say(attempt(os.truncate, os.open('/tmp/h', os.O_CREAT | os.O_RDWR), 60 << 30))",
        "EFBIG"),
    "RES a core": ("import resource; say(resource.getrlimit(resource.RLIMIT_CORE))", "(0, 0)"),
    "HID the environment of its launcher": ("""
        try: say(len(open("/proc/1/environ", "rb").read()))
        except PermissionError: say(0)""", "0"),
    "HID variables": ("say(*sorted(os.environ))",
        "HOME LANG OMP_NUM_THREADS PATH PWD PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED"),
    "HID processes of others": ("""
        say({int(name) for name in os.listdir("/proc") if name.isdigit()} == {1, os.getpid()})""", "True"),
    "HID ways out through a process's folders": ("""
        say(*{os.readlink(f"/proc/{pid}/{door}") for pid in ("self", os.getpid()) for door in ("root", "cwd")}
            - {"/submission"}, attempt(os.readlink, "/proc/1/cwd") in ("done", "EACCES"))""", "/ True"),
    "HID the assets of nobody": ("say(*os.listdir('/assets'), *os.listdir('/state'), *os.listdir('/inputs'))", ""),
    "HID folders around its own": ("say(*sorted(os.listdir('/submission')), attempt(os.listdir, '/submission/../..'))",
        "main.py done"),
    "NET interfaces": ("say(*[line.split(':')[0].strip() for line in list(open('/proc/net/dev'))[2:]])", "lo"),
    "NET routes out": ("""
        far = [("10.0.0.1", 80), ("169.254.169.254", 80), ("1.1.1.1", 53), ("172.17.0.1", 2375)]
        tcp = {attempt(socket.socket().connect, place) for place in far}
        udp = {attempt(socket.socket(type=socket.SOCK_DGRAM).sendto, b"x", place) for place in far}
        say(*tcp | udp)""", "ENETUNREACH"),
    "NET routes out of version 6": ("""
        say(attempt(socket.socket(socket.AF_INET6).connect, ("2606:4700::1111", 53)) in
            ("ENETUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"))""", "True"),
    "NET names": ("""
        try: say(socket.getaddrinfo("example.org", 80))
        except socket.gaierror: say("no name")""", "no name"),
    "NET families that know no namespace": ("""
        families = (socket.AF_VSOCK, socket.AF_ALG, socket.AF_NETLINK, socket.AF_PACKET, 31, 44)
        say(*{attempt(socket.socket, family, socket.SOCK_RAW) for family in families})""", "EPERM"),
    "NET raw packets": ("say(attempt(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1))", "EPERM"),
    "NET sockets of others by name": ("say(len(list(open('/proc/net/unix'))) - 1)", "0"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "said"), ESCAPES.values(), ids=ESCAPES.keys())
def test_it_gets_no_further_than(graded: Graded, sum_challenge: Challenge, code: str, said: str) -> None:
    printed = graded(sum_challenge, job(code)).runs[0]
    assert (_once_each(printed.stdout.text) if said else printed.stdout.text.strip()) == said, printed.stderr.text


def _once_each(line: str) -> str:
    """The words of a line, without those that only repeat the word before."""
    words = line.split()
    return " ".join(word for at, word in enumerate(words) if at == 0 or word != words[at - 1])


def test_it_does_not_reach_a_port_of_the_host(graded: Graded, sum_challenge: Challenge) -> None:
    with socket.create_server(("0.0.0.0", 0)) as host:
        port = host.getsockname()[1]
        scorecard = graded(sum_challenge, job(f"say(attempt(socket.socket().connect, ('127.0.0.1', {port})))"))
    assert scorecard.runs[0].stdout.text == "ECONNREFUSED\n"


# Limits: whoever breaks one has broken it, and nobody else

LIMITS = {
    "RES memory": ("x = bytearray(200 << 20)", Breach.MEMORY),
    "RES memory of a child, the parent ends well": ("""
        if os.fork() == 0:
            x = bytearray(200 << 20)
        os.wait()
        say("fine")""", Breach.MEMORY),
    "RES memory in files without a name": ("""
        files = [os.memfd_create(str(number)) for number in range(40)]
        for file in files * 3: os.write(file, b"x" * (1 << 20))""", Breach.MEMORY),
    "RES memory of all processes, the init of the box too": ("""
        while True:
            try: os.fork()
            except OSError: x = bytearray(30 << 20)""", Breach.MEMORY),
    "RES output on the other stream": ("while True: os.write(2, b'x' * 65536)", Breach.OUTPUT),
    "RES output by many": ("""
        while True:
            try: os.fork()
            except OSError: pass
            os.write(1, b"x" * 4096)""", Breach.OUTPUT),
    "RES time, stopped": ("os.kill(os.getpid(), signal.SIGSTOP)", Breach.TIME),
    "RES time, deaf to signals": ("""
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(1)""", Breach.TIME),
    "RES time, reading what never comes": ("os.read(os.pipe()[0], 1)", Breach.TIME),
}  # fmt: skip


@pytest.mark.parametrize(("code", "breach"), LIMITS.values(), ids=LIMITS.keys())
def test_a_limit_that_is_broken_costs_the_check(
    request: pytest.FixtureRequest, graded: Graded, sum_challenge: Challenge, code: str, breach: Breach
) -> None:
    if breach is Breach.MEMORY:
        request.getfixturevalue("needs_cgroups")
    scorecard = graded(sum_challenge, job(code))
    expected = {Breach.MEMORY: Fault.OUT_OF_MEMORY, Breach.OUTPUT: Fault.OUTPUT_FLOOD, Breach.TIME: Fault.TIME_LIMIT}
    assert (scorecard.runs[0].breach, scorecard.results[0].fault) == (breach, expected[breach])


def test_forking_for_ever_ends_at_one_limit_or_another(graded: Graded, sum_challenge: Challenge) -> None:
    forks = """
        while True:
            try:
                if os.fork() == 0: os._exit(0)
            except OSError: pass"""
    result = graded(sum_challenge, job(forks)).results[0]
    assert result.fault in (Fault.TIME_LIMIT, Fault.OUT_OF_MEMORY)  # which one comes first is the kernel's affair


# Forging: the check is failed, by the submission's own fault, however it ended

FORGERIES = {
    "FRG a report through every descriptor of the box": """
        for pid in (1, os.getpid()):
            for number in os.listdir(f"/proc/{pid}/fd"):
                try: os.write(os.open(f"/proc/{pid}/fd/{number}", os.O_WRONLY), b'{"exit-code": 0}\\n')
                except OSError: pass""",
    "FRG its own input": "os.ftruncate(0, 0); os.write(0, b'0 0')",
    "FRG an end by every signal": "os.kill(os.getpid(), signal.SIGSEGV)",
    "FRG an odd exit code": "os._exit(255)",
    "FRG the end of everybody": "os.kill(-1, signal.SIGKILL); os.abort()",
    "FRG a child that goes on when the parent has ended": """
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                time.sleep(0.05); say("12")
        os._exit(0)""",
    "FRG lone surrogates and controls": """
        sys.stdout.buffer.write(b"\\xed\\xa0\\x80\\0\\x1b]0;x\\x07" * 2000)
        sys.stderr.buffer.write(b"\\xff" * 9000)""",
    "FRG a program that is not there": "os.execv('/bin/true', ['true'])",
}


@pytest.mark.parametrize("code", FORGERIES.values(), ids=FORGERIES.keys())
def test_it_earns_nothing_and_blames_nobody_else(graded: Graded, sum_challenge: Challenge, code: str) -> None:
    result = graded(sum_challenge, job(code)).results[0]
    assert (result.outcome, result.fault and FAULTS[result.fault].owner) == (Outcome.FAILED, Owner.CANDIDATE)


PLANTED = (
    *("graders/__init__.py", "runner/__init__.py", "assessments/__init__.py", "hidden_tests/conftest.py"),
    *("pyproject.toml", "pytest.ini", "setup.cfg", "conftest.py", "assay_oracle.py", "sitecustomize.py", "-rf"),
)


def test_planted_modules_are_loaded_by_nobody(graded: Graded, sum_challenge: Challenge) -> None:
    scorecard = graded(sum_challenge, {**dict.fromkeys(PLANTED, "raise SystemExit(0)\n"), "main.py": "print(0)\n"})
    assert scorecard.results[0].fault is Fault.WRONG_ANSWER


# Theft: nothing hidden is ever seen by a sandbox, or by the candidate afterwards

SEARCH = """
    def search(path):
        try:
            if b"CANARY" + b"-" in open(path, "rb").read(1 << 20): say("found in", path)
        except OSError: pass
    for at, _, names in os.walk("/"):
        if at.split("/")[1:2] != ["proc"]:
            for one in names:
                if stat.S_ISREG(os.lstat(os.path.join(at, one)).st_mode): search(os.path.join(at, one))
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for one in ("environ", "cmdline", "maps", "mountinfo", "status", "stat"): search(f"/proc/{pid}/{one}")
    try:
        for row in open("/proc/1/maps"):
            first, last = (int(end, 16) for end in row.split()[0].split("-"))
            memory = open("/proc/1/mem", "rb", 0)
            try:
                memory.seek(first)
                if b"CANARY" + b"-" in memory.read(last - first): say("found in memory")
            except (OSError, OverflowError): pass
    except OSError: pass
    say("searched")
"""


def test_hidden_tests_are_nowhere_in_a_sandbox(graded: Graded, sum_challenge: Challenge) -> None:
    scorecard = graded(sum_challenge, job(SEARCH))
    assert everything_printed(scorecard) == "searched\n"


def test_other_submissions_and_the_state_folder_are_nowhere_in_a_sandbox(
    graded: Graded, bench: Bench, sum_challenge: Challenge
) -> None:
    places = [bench.state, bench.run.folder, bench.rootfs.path, sum_challenge.folder, Path.home(), Path("/work")]
    scorecard = graded(sum_challenge, job(f"say(*[path for path in {list(map(str, places))} if os.path.exists(path)])"))
    assert everything_printed(scorecard) == "\n"


# Services: honest, but for the answer to the one check that sends a text

SERVICE = """
import os, signal, socket, sys, threading, time
asset = open("/assets/words/word.txt", "rb").read()

def ok(body):
    return b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(body), body)

def hostile(connection, body):
    raise NotImplementedError

def serve(connection):
    head, _, body = connection.recv(65536).partition(b"\\r\\n\\r\\n")
    while b"POST" in head and not body: body = connection.recv(65536)
    try:
        if b"text" in body: hostile(connection, body)
        elif b"GET /word" in head: connection.sendall(ok(asset))
        else: connection.sendall(ok(body or b"ready"))
    except OSError: pass
    connection.close()

def accept(listener):
    while True: threading.Thread(target=serve, args=(listener.accept()[0],)).start()

def listen():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    listener = socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=64)
    threading.Thread(target=accept, args=(listener,), daemon=True).start()
    signal.sigwait([signal.SIGTERM])
    os._exit(0)
"""


def service(code: str) -> dict[str, str]:
    return {"main.py": SERVICE + textwrap.dedent(code) + "\nlisten()\n"}


def answering(expression: str) -> dict[str, str]:
    return service(f"def hostile(connection, body): connection.sendall({expression})")


def faults(scorecard: Scorecard) -> dict[str, Fault | None]:
    assert scorecard.status is Status.COMPLETE, [result.message for result in scorecard.results]
    return {str(result.check.id): result.fault for result in scorecard.results}


ALL_RIGHT = dict.fromkeys(("echoes", "says-the-word", "says-the-other-word", "ends-when-told", "answers-many"))
CHUNKED = r"b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + "
HEAD = r"b'HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "nothing": ("b''", Fault.NO_ANSWER),
    "half of a status line": ("b'HTTP/1.1 20'", Fault.NO_ANSWER),
    "less than it announced": (HEAD + r"Content-Length: 99\r\n\r\n{}'", Fault.NO_ANSWER),
    "more than it announced": ("ok(body) + b'x'", Fault.MALFORMED_ANSWER),
    "two answers": ("ok(body) * 2", Fault.MALFORMED_ANSWER),
    "two lengths": (HEAD + r"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}'", Fault.MALFORMED_ANSWER),
    "a negative length": (HEAD + r"Content-Length: -1\r\n\r\n{}'", Fault.MALFORMED_ANSWER),
    "a length of many digits": (HEAD + "Content-Length: ' + b'9' * 5000 + b'\\r\\n\\r\\n{}'", Fault.MALFORMED_ANSWER),
    "a chunk of a size beyond measure": (CHUNKED + r"b'f' * 40 + b'\r\n'", Fault.MALFORMED_ANSWER),
    "chunks with controls behind them": (CHUNKED + r"b'0\r\nt: \x00\r\n\r\n'", Fault.MALFORMED_ANSWER),
    "headers without end": (HEAD + "' + b'x: y\\r\\n' * 90000", Fault.MALFORMED_ANSWER),
    "one header without end": (HEAD + "x: ' + b'y' * 900000", Fault.MALFORMED_ANSWER),
    "headers that are no text": (HEAD + r"\x80\xff: \xed\xa0\x80\r\n\r\n{}'", Fault.MALFORMED_ANSWER),
    "a flood of interim answers": (r"b'HTTP/1.1 100 Continue\r\n\r\n' * 9000", Fault.MALFORMED_ANSWER),
    "another protocol": (r"b'HTTP/1.1 101 Yes\r\nUpgrade: x\r\n\r\n'", Fault.MALFORMED_ANSWER),
    "no protocol": (r"b'\x16\x03\x01\x00' * 999", Fault.MALFORMED_ANSWER),
    "the echo in a coding": (
        "b'HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\n\\r\\n' + __import__('gzip').compress(body)",
        Fault.MALFORMED_ANSWER,
    ),
    "a body without end": (HEAD + r"\r\n' + b'[' * 5000000", Fault.MALFORMED_ANSWER),
    "a number that is none": ("ok(body.replace(b'}', b', \"x\": NaN}'))", Fault.MALFORMED_ANSWER),
    "a number of ten thousand digits": ("ok(b'9' * 10000)", Fault.MALFORMED_ANSWER),
    "depth": ("ok(b'[' * 1000000)", Fault.MALFORMED_ANSWER),
    "closed depth": ("ok(b'[' * 5000 + b']' * 5000)", Fault.MALFORMED_ANSWER),
    "a key twice": ("ok(body.replace(b'}', b', \"text\": \"x\"}'))", Fault.MALFORMED_ANSWER),
    "bytes that are no text": (r"ok(b'{\"text\": \"\xff\xed\xa0\x80\"}')", Fault.MALFORMED_ANSWER),
    "true for a number": ('ok(b\'{"number": true, "text": "x"}\')', Fault.WRONG_ANSWER),
    "another place to look": (
        r"b'HTTP/1.1 307 No\r\nLocation: http://127.0.0.1:8000/\r\nContent-Length: 0\r\n\r\n'",
        Fault.WRONG_ANSWER,
    ),
}


@pytest.mark.parametrize(("expression", "fault"), ANSWERS.values(), ids=[f"OUT {name}" for name in ANSWERS])
def test_one_hostile_answer_costs_one_check(
    graded: Graded, echo_challenge: Challenge, expression: str, fault: Fault
) -> None:
    assert faults(graded(echo_challenge, answering(expression))) == ALL_RIGHT | {"echoes": fault}


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
    "CON calling back the one who asks": ("""
        def hostile(connection, body):
            answer = "reached"
            try: socket.create_connection(connection.getpeername(), 1)
            except OSError as error: answer = error.strerror
            print(connection.getpeername()[0], answer, flush=True)
            connection.sendall(ok(body))""", None),
}  # fmt: skip


@pytest.mark.parametrize(("code", "fault"), MISCHIEF.values(), ids=MISCHIEF.keys())
def test_mischief_in_one_check_costs_one_check(
    graded: Graded, echo_challenge: Challenge, code: str, fault: Fault | None
) -> None:
    scorecard = graded(echo_challenge, service(code))
    assert faults(scorecard) == ALL_RIGHT | {"echoes": fault}
    assert "reached" not in everything_printed(scorecard)


@pytest.fixture(scope="session")
def impatient(tmp_path_factory: pytest.TempPathFactory, echo_challenge: Challenge) -> Challenge:
    """The service challenge, with a moment to start."""
    copy = tmp_path_factory.mktemp("challenges") / echo_challenge.id
    manifest = Path(shutil.copytree(echo_challenge.folder, copy)) / "challenge.toml"
    manifest.write_text(manifest.read_text().replace("start_timeout_s = 5", "start_timeout_s = 0.3"))
    return read_challenge(copy)


NOT_READY = {
    "CON it never listens": "time.sleep(99)",
    "CON it listens and never answers": "s = socket.create_server(('', int(os.environ['PORT']))); time.sleep(99)",
    "CON it closes its door": "s = socket.create_server(('', int(os.environ['PORT']))); s.close(); time.sleep(99)",
    "CON it is never ready": "def ok(body): return b'HTTP/1.1 503 No\\r\\nContent-Length: 0\\r\\n\\r\\n'",
    "CON it is stopped": "os.kill(os.getpid(), signal.SIGSTOP)",
    "CON it has ended": "os._exit(0)",
    "RES it writes for ever": "while True: os.write(1, b'x' * 65536)",
    "RES it forks for ever": "while True:\n    try: os.fork()\n    except OSError: pass",
}


@pytest.mark.parametrize("code", NOT_READY.values(), ids=NOT_READY.keys())
def test_a_service_that_is_not_ready_fails_every_check_by_its_own_fault(
    graded: Graded, impatient: Challenge, code: str
) -> None:
    scorecard = graded(impatient, service(code))
    assert faults(scorecard) == dict.fromkeys(ALL_RIGHT, Fault.DID_NOT_START)


def test_what_only_hidden_checks_show_a_service_never_reaches_the_candidate(
    graded: Graded, echo_challenge: Challenge
) -> None:
    tells = """
        print(asset, flush=True); print(asset, file=sys.stderr, flush=True)
        def hostile(connection, body): connection.sendall(ok(asset))
        def ok(body): return b"HTTP/1.1 200 OK\\r\\nX: %s\\r\\n\\r\\n%s" % (asset.strip(), asset + body)"""
    scorecard = graded(echo_challenge, service(tells))
    seen_by_itself = [run.purpose for run in scorecard.runs if CANARY in run.stdout.text]
    assert len(seen_by_itself) == 1, "only the instance that got the hidden asset may know it"
    assert CANARY not in pages(scorecard)[Audience.CANDIDATE]


def test_no_instance_finds_what_another_left(graded: Graded, echo_challenge: Challenge) -> None:
    leaves = """
        for folder in ("/tmp", "/dev/shm"):
            print(os.listdir(folder), flush=True)
            open(folder + "/left", "w").write("for the next")
        def hostile(connection, body): connection.sendall(ok(body))"""
    scorecard = graded(echo_challenge, service(leaves))
    assert faults(scorecard) == ALL_RIGHT
    assert {run.stdout.text for run in scorecard.runs} == {"[]\n[]\n"}


def test_a_farm_of_orphans_leaves_nothing_on_the_host(graded: Graded, bench: Bench, sum_challenge: Challenge) -> None:
    farm = """
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork(): os._exit(0)
                signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(99)
        say("sown")"""
    assert everything_printed(graded(sum_challenge, job(farm))) == "sown\n"
    groups = list(Path("/sys/fs/cgroup").glob(f"**/assay-{bench.run.id}-*"))
    assert (_processes_of(bench), groups, list(bench.run.folder.glob("tmp*"))) == ([], [], [])


def _processes_of(bench: Bench) -> list[bytes]:
    """The command lines of processes that carry the run's mark."""
    marked = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"assay:{bench.run.id}:".encode() in words and entry.name != str(os.getpid()):
            marked.append(words)
    return marked


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives each box a user of its own")
def test_a_box_is_no_user_of_the_host(graded: Graded, sum_challenge: Challenge) -> None:
    printed = everything_printed(graded(sum_challenge, job("say(os.getuid(), open('/proc/self/mountinfo').read())")))
    inside = int(printed.split()[0])
    # Bubblewrap's boxes see a user of their own namespace; whose it is shows in what they have mounted.
    users = {inside} if inside != 65534 else {int(user) for user in re.findall(r"tmpfs rw,.*uid=([0-9]+)", printed)}
    assert users
    assert all(FIRST_UID <= user < FIRST_UID + 4096 for user in users)


PAINT = "\\x1b]0;x\\x07\\x1b[2J\\u202e<script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}{% include 'x' %}\\0"


def test_what_it_prints_answers_and_is_called_stays_text(graded: Graded, echo_challenge: Challenge) -> None:
    paints = f"""
        paint = "{PAINT}"
        print(paint, flush=True); print(paint, file=sys.stderr, flush=True)
        def hostile(connection, body): connection.sendall(ok(paint.encode()))"""
    scorecard = graded(echo_challenge, {**service(paints), "<img src=x onerror=alert(1)>.py": "x"})
    shown = "".join(pages(scorecard).values())
    assert not [bad for bad in ("<img src=x", "<script>alert", "\x1b", "\u202e", "\0") if bad in shown]
    assert "{{7*7}}" in shown
    assert document.load(document.dump(scorecard), "x") == scorecard
