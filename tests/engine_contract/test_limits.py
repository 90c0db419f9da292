"""What every engine promises of each limit: where it lies, what breaking it looks like, and whose breach it is."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from assessments.challenge import Limits
from assessments.observation import Breach, SandboxRun

Run = Callable[..., SandboxRun]
Start = Callable[..., Any]
MB = 1024 * 1024


def test_files_without_content_end_at_their_number(run: Run, limits: Limits) -> None:
    for folder in ("/tmp", "/dev/shm"):
        ended = run(
            "import errno, os\nmade = 0\n"
            "try:\n"
            f"  while made < 100_000: os.close(os.open(f'{folder}/{{made}}', os.O_CREAT)); made += 1\n"
            "except OSError as error: print(made, errno.errorcode[error.errno])"
        )
        made, how = ended.stdout.text.split()
        assert how == "ENOSPC"
        assert int(made) <= limits.scratch_files
        assert ended.breach is None, "the code was told; it broke nothing"


@pytest.mark.usefixtures("needs_cgroups")
def test_one_cpu_is_one_cpu_and_what_is_held_back_is_told(run: Run) -> None:
    spin = "import os, time\nfor _ in range(3):\n  if os.fork() == 0: break\nwhile time.process_time() < 0.1: pass"
    ended = run(spin, cpus=0.1)
    assert ended.usage.cpu_s is not None
    assert ended.usage.cpu_s < 0.1 * ended.wall_s + 0.2
    assert ended.usage.throttled_s
    assert run("pass", cpus=2.0).usage.throttled_s == 0


@pytest.mark.usefixtures("needs_cores")
def test_cores_of_its_own_are_the_only_ones_it_has_and_no_quota_interrupts_it(run: Run) -> None:
    core = max(os.sched_getaffinity(0))
    ended = run(
        "import os, time\n"
        "try: os.sched_setaffinity(0, range(os.cpu_count()))\n"
        "except OSError: pass\n"
        "end = time.monotonic() + 0.3\nwhile time.monotonic() < end: pass\n"
        "print(*os.sched_getaffinity(0))",
        cores=(core,),
        cpus=0.1,
    )
    assert ended.stdout.text.split() == [str(core)]
    assert ended.usage.throttled_s == 0


@pytest.mark.usefixtures("needs_cgroups")
@pytest.mark.parametrize("holder", ["x = bytearray(200 << 20)", "open('/tmp/f', 'wb').write(bytes(60 << 20))"])
def test_memory_beyond_the_limit_is_a_breach_of_memory_and_the_peak_is_the_limit(
    run: Run, limits: Limits, holder: str
) -> None:
    ended = run(f"import time\n{holder}\ny = bytearray(30 << 20)\ntime.sleep(9)", scratch_bytes=100 * MB)
    assert ended.breach is Breach.MEMORY
    assert ended.usage.peak_memory_bytes is not None
    assert ended.usage.peak_memory_bytes <= limits.memory_bytes


def test_a_small_program_is_charged_for_no_more_than_itself(run: Run) -> None:
    ended = run("pass")
    assert ended.usage.peak_memory_bytes is None or ended.usage.peak_memory_bytes < 24 * MB
    assert ended.usage.cpu_s is None or ended.usage.cpu_s < 1


def test_a_time_limit_is_the_callers_to_set_and_the_engines_to_keep(start: Start) -> None:
    sandbox = start("import time\nwhile True: time.sleep(1)")
    assert sandbox.wait(0.1) is None
    ended = sandbox.kill(Breach.TIME)
    assert (ended.breach, ended.exit_code) == (Breach.TIME, None)
    assert ended.wall_s < 5


def test_a_breach_is_not_forgotten_when_the_command_ends_by_itself_meanwhile(run: Run, limits: Limits) -> None:
    ended = run("import os; os.write(1, b'x' * 300_000); os._exit(0)")
    assert (ended.breach, ended.exit_code) == (Breach.OUTPUT, None)
    assert ended.stdout.total_bytes > limits.output_bytes


def test_many_small_writes_are_counted_as_what_they_hold(run: Run) -> None:
    ended = run("import os\nfor _ in range(20_000): os.write(1, b'x')")
    assert (ended.breach, ended.exit_code, ended.stdout.total_bytes) == (None, 0, 20_000)


@pytest.mark.usefixtures("needs_cgroups")
def test_what_sockets_buffer_is_part_of_the_peak_and_bounded(run: Run, limits: Limits) -> None:
    ended = run(
        "import socket\n"
        "listener = socket.create_server(('127.0.0.1', 0), backlog=200)\nkept, total = [], 0\n"
        "for _ in range(20):\n"
        "  sender = socket.create_connection(listener.getsockname()); receiver, _ = listener.accept()\n"
        "  sender.setblocking(False); kept += [sender, receiver]\n"
        "  try:\n    while total < 200 << 20: total += sender.send(bytes(1 << 20))\n"
        "  except OSError: pass\n"
        "print(total)",
        open_files=100,
    )
    held = int(ended.stdout.text or 0)
    assert held <= limits.memory_bytes
    assert ended.usage.peak_memory_bytes is not None
    assert ended.usage.peak_memory_bytes >= held * 0.9


def test_the_limits_of_another_process_cannot_be_set(run: Run) -> None:
    ended = run(
        "import os, resource\n"
        "def tried(pid, number):\n"
        "  try: resource.prlimit(pid, number, (0, 0))\n"
        "  except OSError as error: return type(error).__name__\n"
        "  return 'done'\n"
        "print(tried(1, resource.RLIMIT_CPU), tried(os.getppid(), resource.RLIMIT_AS))\n"
        "resource.setrlimit(resource.RLIMIT_CPU, (99, 99)); raise SystemExit(7)"
    )
    assert ended.stdout.text.split() == ["PermissionError", "PermissionError"]
    assert ended.exit_code == 7


SLOW_TO_DIE = """
import mmap, os, time
file = os.memfd_create("pages")
os.ftruncate(file, 8 << 20)
first = mmap.mmap(file, 8 << 20)
first[:] = bytes(8 << 20)
for _ in range(10):
    if os.fork() == 0: break
maps = [mmap.mmap(file, 8 << 20, mmap.MAP_SHARED | mmap.MAP_POPULATE, mmap.PROT_READ) for _ in range(100)]
time.sleep(99)
"""


@pytest.mark.usefixtures("needs_cgroups")
def test_dying_slowly_is_no_way_out_of_a_limit(start: Start) -> None:
    sandbox = start(SLOW_TO_DIE, memory_bytes=256 * MB, scratch_bytes=64 * MB, cpus=0.2, open_files=400, outputs=True)
    assert sandbox.wait(3) is None
    ended = sandbox.kill(Breach.TIME)
    assert (ended.breach, ended.exit_code) == (Breach.TIME, None)
    assert sandbox.collect().problems == ()
