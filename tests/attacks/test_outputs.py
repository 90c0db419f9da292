"""Files made to do harm when they are collected: what is no honest file is refused by name, and nothing is followed."""

import os
import re
import textwrap
from collections.abc import Callable

import pytest

from assessments.observation import SandboxRun
from runner.engines.protocol import Sandbox

HOME = "os.chdir('/outputs')\n"
REFUSED = {
    "OUT a symbolic link to a file of the host": ("os.symlink('/etc/passwd', 'x')", "x: neither a file nor a folder"),
    "OUT a symbolic link to a folder of the host": ("os.symlink('/', 'x')", "x: neither a file nor a folder"),
    "OUT a symbolic link that leads to itself": ("os.symlink('x', 'x')", "x: neither a file nor a folder"),
    "OUT a symbolic link to a process of the collector": ("os.symlink('/proc/self/fd/0', 'x')",
        "x: neither a file nor a folder"),
    "OUT one file by two names": ("open('a', 'w'); os.link('a', 'b')", "[ab]: has more than one name"),
    "OUT a pipe that nobody writes to": ("os.mkfifo('x')", "x: neither a file nor a folder"),
    "OUT a socket": ("socket.socket(socket.AF_UNIX).bind('x')", "x: neither a file nor a folder"),
    "OUT a file with a hole": ("os.truncate(os.open('x', os.O_CREAT | os.O_WRONLY), 3 << 20)", "x: has holes in it"),
    "OUT files without number": ("for n in range(900): open(str(n), 'w')", "./: more than 500 entries in all"),
    "OUT folders in folders": ("for _ in range(99): os.mkdir('d'); os.chdir('d')", "(d/)+d: deeper than 8 levels"),
    "OUT a name with orders for a terminal": (r"open('\x1b]0;x\x07', 'w')", r".*\\x1b.*: no name for a file.*"),
    "OUT a name that reads backwards": (r"open('a\u202egnp', 'w')", r".*\\u202e.*: no name for a file.*"),
    "OUT a name of two lines": (r"open('a\nb', 'w')", r".*\\n.*: no name for a file.*"),
    "OUT a name that is no text": (r"open(b'\xff\xfe', 'w')", r".*: no name for a file.*"),
    "OUT a name of 250 letters": ("open('n' * 250, 'w')", r"'n+: no name for a file.*"),
}  # fmt: skip


@pytest.mark.parametrize(("code", "problem"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_honest_file_is_refused_by_name(
    start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun], code: str, problem: str
) -> None:
    sandbox = start(HOME + "open('honest', 'w').write('yes')\n" + code)
    assert ended(sandbox).exit_code == 0
    collected = sandbox.collect()
    assert any(re.fullmatch(problem, one) for one in collected.problems), collected.problems
    assert all(one.isprintable() for one in collected.problems)
    assert set(collected.files.values()) <= {b"yes", b""}


@pytest.mark.attack("OUT", "more bytes than anybody wants to read")
def test_the_bytes_of_all_files_are_bounded(
    start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun]
) -> None:
    fills = "for n in range(9): open(str(n), 'wb').write(os.urandom(1 << 12) * (3 << 8))"
    sandbox = start(HOME + fills, scratch_bytes=48 << 20, memory_bytes=128 << 20)
    assert ended(sandbox).exit_code == 0
    collected = sandbox.collect()
    assert sum(map(len, collected.files.values())) <= 16 << 20
    assert any("bytes that all files may have" in one for one in collected.problems)


IN_VAIN = {
    "OUT a device": "say(attempt(os.mknod, 'x', stat.S_IFCHR | 0o666, os.makedev(1, 5)))",
    "OUT a second name for a file of the host": "say(attempt(os.link, '/etc/passwd', 'x'))",
    "OUT a second name for a descriptor's file": "say(attempt(os.link, '/proc/self/fd/0', 'x'))",
    "OUT another folder in the place of the outputs": """
        os.mkdir("/tmp/other")
        say(attempt(os.rename, "/outputs", "/tmp/x"), attempt(os.rmdir, "/outputs"),
            attempt(os.symlink, "/", "/outputs"), attempt(os.rename, "/tmp/other", "/outputs"))""",
}  # fmt: skip


@pytest.mark.parametrize("code", IN_VAIN.values(), ids=IN_VAIN.keys())
def test_it_cannot_be_made(start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun], code: str) -> None:
    sandbox = start(HOME + textwrap.dedent(code))
    assert "done" not in ended(sandbox).stdout.text.split()
    assert sandbox.collect().files == {}


@pytest.mark.attack("OUT", "a file that a process left behind goes on changing")
def test_nothing_writes_any_more_when_files_are_read(
    start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun]
) -> None:
    goes_on = """
        if os.fork() == 0:
            os.setsid()
            file = os.open("/outputs/x", os.O_CREAT | os.O_RDWR)
            while True:
                for letter in (b"a", b"b"): os.pwrite(file, letter * 4096, 0)
        while not os.path.exists("/outputs/x") or os.stat("/outputs/x").st_size < 4096: pass"""
    sandbox = start(goes_on)
    assert ended(sandbox).exit_code == 0
    assert sandbox.collect().files["x"] in (b"a" * 4096, b"b" * 4096)


@pytest.mark.attack("OUT", "a file that nobody may read")
def test_a_file_that_nobody_may_read_holds_nothing_up(
    start: Callable[..., Sandbox], ended: Callable[[Sandbox], SandboxRun]
) -> None:
    sandbox = start(HOME + "open('x', 'w').write('x'); os.chmod('x', 0); os.mkdir('d'); os.chmod('d', 0)")
    assert ended(sandbox).exit_code == 0
    collected = sandbox.collect()
    if os.geteuid() == 0:
        assert (dict(collected.files), collected.problems) == ({"x": b"x"}, ())
    else:
        assert len(collected.problems) == 2
