"""Whoever is not root caps the files of a box in its namespaces. Root may go that way too, and so it is tried here."""

import pytest

from assessments.challenge import Limits
from runner.bench import Bench
from runner.engines.bubblewrap.engine import BubblewrapEngine
from runner.engines.bubblewrap.inodes import cap_from_inside
from runner.engines.bubblewrap.sandbox import BubblewrapSandbox
from runner.engines.protocol import SandboxSpec

MB = 1024 * 1024
PATIENCE_S = 20.0
FILES = 20
FILLS = """
import errno, os
for folder in ("/tmp", "/dev/shm"):
    made = 0
    try:
        while made < 1000:
            os.close(os.open(f"{folder}/{made}", os.O_CREAT))
            made += 1
    except OSError as error:
        print(folder, made, errno.errorcode[error.errno])
"""


@pytest.fixture
def held(bench: Bench) -> BubblewrapSandbox:
    """A box whose command waits, with room for hundreds of files."""
    assert isinstance(bench.engine, BubblewrapEngine)
    limits = Limits(
        memory_bytes=64 * MB,
        processes=32,
        cpus=1.0,
        scratch_bytes=4 * MB,
        output_bytes=MB,
        open_files=64,
        job_s=60.0,
    )
    command = ("/opt/python/bin/python", "-c", FILLS)
    return bench.engine.start(SandboxSpec("test", command, "/tmp", (), limits, env={}, stdin=b"", held=True))


def test_a_cap_from_inside_holds_from_the_first_command_on(held: BubblewrapSandbox) -> None:
    cap_from_inside(held._parts.init_pid, ["/tmp", "/dev/shm"], FILES)
    held.let_go()
    ended = held.wait(PATIENCE_S)
    assert ended is not None
    told = [line.split() for line in ended.stdout.text.splitlines()]
    assert [(folder, how) for folder, _, how in told] == [("/tmp", "ENOSPC"), ("/dev/shm", "ENOSPC")]
    assert all(0 < int(made) <= FILES for _, made, _ in told)


def test_what_is_no_scratch_place_cannot_be_capped_and_says_so(held: BubblewrapSandbox) -> None:
    with pytest.raises(OSError, match=r"could not be capped: FileNotFoundError"):
        cap_from_inside(held._parts.init_pid, ["/nowhere"], FILES)
    held.kill()
