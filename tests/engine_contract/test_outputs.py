"""What every engine promises of the files that a sandbox leaves: they are data, and hostile ones are refused."""

from collections.abc import Callable
from typing import Any

import pytest

from runner.bench import Bench

Start = Callable[..., Any]


def left_by(start: Start, code: str, **limits: float) -> Any:
    sandbox = start(f"import os, socket, sys\nos.chdir('/outputs')\n{code}", outputs=True, **limits)
    ended = sandbox.wait(20)
    assert ended is not None
    assert ended.exit_code == 0, ended.stderr.text
    return sandbox.collect()


def test_files_come_out_as_they_were_written_whatever_their_mode(start: Start) -> None:
    collected = left_by(
        start,
        "os.makedirs('a/b'); open('a/b/answer.csv', 'w').write('1,2\\n'); open('empty', 'w').close()\n"
        "open('closed', 'w').write('x'); os.chmod('closed', 0o400)",
    )
    assert dict(collected.files) == {"a/b/answer.csv": b"1,2\n", "closed": b"x", "empty": b""}
    assert collected.problems == ()


HOSTILE = {
    "a link to a file": "os.symlink('/etc/passwd', 'x')",
    "a link to the host": "os.symlink('/proc/1/root/etc/shadow', 'x')",
    "a link to a folder": "os.symlink('/', 'x')",
    "a second name": "open('/outputs/.kept', 'w').write('x'); os.link('.kept', 'x')",
    "a pipe": "os.mkfifo('x')",
    "a socket": "socket.socket(socket.AF_UNIX).bind('x')",
    "holes": "os.truncate(os.open('x', os.O_CREAT | os.O_WRONLY), 3 << 20)",
    "a name with a line break": "open('x\\n', 'w').write('y')",
    "a name that turns the line": "open('x\\u202e', 'w').write('y')",
    "a name that is no text": "open(b'x\\xff', 'w').write('y')",
    "a very long name": "open('x' * 250, 'w').write('y')",
}


@pytest.mark.parametrize("code", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_honest_file_is_refused_by_name_and_the_others_are_kept(start: Start, code: str) -> None:
    collected = left_by(start, f"open('good', 'w').write('y')\n{code}")
    assert dict(collected.files) == {"good": b"y"}
    assert collected.problems


def test_no_number_of_files_is_too_much_for_the_reader(start: Start) -> None:
    collected = left_by(start, "for n in range(900): open(str(n), 'w').close()")
    assert len(collected.files) <= 500
    assert any("500" in problem for problem in collected.problems)


def test_no_depth_is_too_much_for_the_reader(start: Start) -> None:
    collected = left_by(start, "for _ in range(100): os.mkdir('d'); os.chdir('d'); open('f', 'w').close()")
    assert len(collected.files) == 7
    assert any("deeper" in problem for problem in collected.problems)


def test_no_amount_is_too_much_for_the_reader(start: Start) -> None:
    write = "for n in range(5): open(str(n), 'wb').write(bytes(2 << 20))"
    collected = left_by(start, write, scratch_bytes=12 << 20)
    assert sorted(collected.files) == ["0", "1", "2", "3"]
    assert collected.problems == ("4: over the 8388608 bytes that all files may have",)


def test_files_are_read_after_the_end_of_everything_that_could_still_write(start: Start) -> None:
    sandbox = start(
        "import os\nif os.fork() == 0:\n  os.setsid()\n  while True: open('/outputs/f', 'w').write('late')\n"
        "open('/outputs/f', 'w').write('early')",
        outputs=True,
    )
    with pytest.raises(ValueError, match="after its end"):
        sandbox.collect()
    assert sandbox.wait(20) is not None
    assert sandbox.collect().files.get("f") in (b"early", b"late", b"")
    assert sandbox.collect() == sandbox.collect()


def test_a_killed_sandbox_hands_over_what_it_had_written(start: Start) -> None:
    sandbox = start("open('/outputs/f', 'w').write('x'); print(1, flush=True)\nwhile True: pass", outputs=True)
    while sandbox.output()[0] != b"1\n":
        assert sandbox.wait(0.01) is None
    sandbox.kill()
    assert dict(sandbox.collect().files) == {"f": b"x"}


def test_without_outputs_there_is_nothing_to_write_to_or_to_collect(start: Start, bench: Bench) -> None:
    sandbox = start("open('/outputs/x', 'w')")
    ended = sandbox.wait(20)
    assert ended is not None
    assert ended.exit_code == 1
    with pytest.raises(ValueError, match="outputs"):
        sandbox.collect()
