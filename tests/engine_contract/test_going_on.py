"""What every engine promises of a sandbox that is held back at first, or that goes on from what another one left."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.bench import Bench
from runner.engines.protocol import Mount

Start = Callable[..., Any]

GOES_ON = """
import os
os.chdir(os.environ["STATE"])
seen = {os.path.join(at, name): open(os.path.join(at, name)).read() for at, _, names in os.walk(".") for name in names}
print(sorted(seen.items()), flush=True)
open("count", "a").write("x")
os.makedirs("deep/er", exist_ok=True)
open("deep/er/new", "w").write("n")
os.replace("deep/er/new", "deep/er/file")
"""


def test_what_a_killed_sandbox_left_in_its_state_is_the_next_ones_to_change(start: Start) -> None:
    first = start(f"{GOES_ON}\nimport time; print('written', flush=True); time.sleep(3600)", state={}, env=STATE)
    while b"written" not in first.output()[0]:
        assert first.wait(0.01) is None
    first.kill()
    left = first.collect()
    assert dict(left.files) == {"count": b"x", "deep/er/file": b"n"}
    second = start(GOES_ON, state=left.files, env=STATE)
    ended = second.wait(20)
    assert ended is not None
    assert (ended.exit_code, ended.stderr.text) == (0, "")
    assert ended.stdout.text == "[('./count', 'x'), ('./deep/er/file', 'n')]\n"
    assert dict(second.collect().files) == {"count": b"xx", "deep/er/file": b"n"}


STATE = {"STATE": "/state"}


def test_without_a_state_there_is_no_such_place_to_write(start: Start) -> None:
    ended = start("open('/state/x', 'w')").wait(20)
    assert ended.exit_code == 1
    assert "Read-only file system" in ended.stderr.text


def test_a_held_sandbox_does_nothing_until_it_is_let_go(start: Start) -> None:
    sandbox = start("print('ran', flush=True)", held=True)
    assert sandbox.wait(0.2) is None
    assert sandbox.output() == (b"", b"")
    before = time.monotonic()
    sandbox.let_go()
    sandbox.let_go()
    ended = sandbox.wait(20)
    assert sandbox.started_at >= before
    assert (ended.exit_code, ended.stdout.text) == (0, "ran\n")
    sandbox.let_go()


def test_a_held_sandbox_can_be_killed(start: Start) -> None:
    sandbox = start("print('ran', flush=True)", held=True)
    ended = sandbox.kill()
    assert (ended.exit_code, ended.breach, ended.stdout.text) == (None, None, "")
    sandbox.let_go()


@pytest.fixture
def folder(bench: Bench, tmp_path: Path) -> Path:
    made = bench.run.folder / tmp_path.name
    made.mkdir(mode=0o755)
    (made / "x").write_text("given")
    (made / "x").chmod(0o444)
    return made


def test_inputs_are_seen_and_cannot_be_changed(start: Start, folder: Path) -> None:
    code = """
print(open("/inputs/data/x").read())
for path in "/inputs/y", "/inputs/data/y", "/inputs/data/x":
    try: open(path, "w")
    except OSError as error: print(error.errno in (13, 30))
"""
    ended = start(code, mounts=(Mount(folder, "/inputs/data"),)).wait(20)
    assert ended.stdout.text == "given\nTrue\nTrue\nTrue\n", ended.stderr.text
    assert (folder / "x").read_text() == "given"
