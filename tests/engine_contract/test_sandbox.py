"""What every engine promises of a sandbox's life, its output, its processes and its end."""

import json
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assessments.challenge import Limits
from assessments.errors import InfrastructureError
from assessments.observation import Breach, SandboxRun
from runner.bench import Bench, open_bench
from runner.engines.box_users import FIRST_UID
from runner.engines.protocol import Mount, Sandbox, SandboxSpec

MB = 1024 * 1024
PATIENCE_S = 20.0
Start = Callable[..., Sandbox]
Run = Callable[..., SandboxRun]


@pytest.mark.parametrize(("code", "expected"), [("raise SystemExit(0)", 0), ("raise SystemExit(7)", 7)])
def test_the_exit_code_is_the_commands(run: Run, code: str, expected: int) -> None:
    assert run(code).exit_code == expected


def test_death_by_a_signal_is_told_as_a_shell_tells_it(run: Run) -> None:
    assert run("import os; os.kill(os.getpid(), 9)").exit_code == 128 + signal.SIGKILL


def test_stdin_and_environment_are_those_of_the_spec_and_nothing_more(run: Run) -> None:
    ended = run("import os, sys; print(sys.stdin.read(), sorted(os.environ))", stdin=b"given", env={"NAME": "value"})
    # The shell that sets the limits adds its working directory, Python its locale.
    assert ended.stdout.text.strip() == "given ['LC_CTYPE', 'NAME', 'PWD']"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGKILL])
def test_a_signal_to_process_1_changes_neither_the_exit_code_nor_the_accounts(run: Run, number: int) -> None:
    ended = run(f"import os\nfor _ in range(50): os.kill(1, {int(number)})\nraise SystemExit(7)")
    assert (ended.exit_code, ended.breach) == (7, None)
    interrupted = run(f"import os, signal\nos.kill(os.getpid(), {int(number)})\nraise SystemExit(7)")
    ends = {signal.SIGCHLD: 7, signal.SIGINT: 128 + signal.SIGINT}
    assert interrupted.exit_code == ends.get(signal.Signals(number), 128 + number), "its own signals are its own affair"


def test_both_streams_are_kept_apart(run: Run) -> None:
    ended = run("import sys; print('out'); print('err', file=sys.stderr)")
    assert (ended.stdout.text, ended.stderr.text) == ("out\n", "err\n")


def test_what_a_daemon_leaves_running_dies_with_the_command(run: Run, bench: Bench) -> None:
    started = time.monotonic()
    ended = run("import os, time\nif os.fork() == 0:\n os.setsid(); time.sleep(3600)\nprint('done')")
    assert ended.stdout.text == "done\n"
    assert ended.exit_code == 0
    assert time.monotonic() - started < PATIENCE_S, "the daemon held the sandbox up"
    assert not _processes_of(bench.run.id), "a process of the sandbox survived it"


def test_a_flood_of_output_is_counted_cut_and_ended(run: Run, limits: Limits) -> None:
    ended = run("while True: print('x' * 1000)")
    assert ended.breach is Breach.OUTPUT
    assert ended.exit_code is None
    assert ended.stdout.total_bytes > limits.output_bytes
    assert len(ended.stdout.text) < 70_000


def test_a_flood_does_not_hold_up_the_kill(start: Start) -> None:
    sandbox = start("import os\nwhile True: os.write(2, b'y' * 65536)", output_bytes=1 << 50)
    assert sandbox.wait(0.3) is None
    started = time.monotonic()
    sandbox.kill()
    assert time.monotonic() - started < 1, "killing a sandbox that floods its output took longer than a second"


def test_the_start_and_the_end_of_a_long_output_are_kept(run: Run) -> None:
    ended = run("print('first'); print('x' * 200_000); print('last')", output_bytes=10 * MB)
    assert ended.stdout.text.startswith("first\n")
    assert ended.stdout.text.endswith("last\n")
    assert "bytes not kept" in ended.stdout.text
    assert ended.stdout.total_bytes == 200_012


@pytest.mark.usefixtures("needs_cgroups")
def test_too_much_memory_is_told_even_when_only_a_child_died_of_it(run: Run, limits: Limits) -> None:
    ended = run(
        "import os\n"
        "if os.fork() == 0:\n b = bytearray(200 * 1024 * 1024); b[::4096] = b'x' * len(b[::4096])\n"
        "os.wait(); print('parent lives')"
    )
    assert ended.breach is Breach.MEMORY
    assert ended.usage.oom_kills
    assert ended.usage.peak_memory_bytes is not None
    assert ended.usage.peak_memory_bytes <= limits.memory_bytes


@pytest.mark.usefixtures("needs_cgroups")
def test_scratch_space_counts_as_memory_and_cpu_time_is_accounted(run: Run) -> None:
    ended = run("open('/tmp/f', 'wb').write(bytes(3 * 1024 * 1024)); sum(range(3_000_000))")
    assert ended.exit_code == 0
    assert ended.usage.cpu_s is not None
    assert ended.usage.cpu_s > 0.01
    assert ended.usage.peak_memory_bytes is not None
    assert ended.usage.peak_memory_bytes > 3 * MB


def test_a_fork_bomb_stops_at_the_limit_and_leaves_nothing(run: Run, bench: Bench, limits: Limits) -> None:
    ended = run(
        "import os, time\nmade = 0\n"
        "try:\n"
        "  while made < 500:\n"
        "    if os.fork() == 0: time.sleep(3600)\n"
        "    made += 1\n"
        "except OSError: pass\n"
        "print(made)"
    )
    assert 1 <= int(ended.stdout.text) < limits.processes
    assert not _processes_of(bench.run.id)


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm"])
def test_scratch_space_ends_at_its_size(run: Run, folder: str) -> None:
    ended = run(f"open('{folder}/full', 'wb').write(bytes(8 * 1024 * 1024))")
    assert ended.exit_code != 0
    assert "No space left" in ended.stderr.text or "File too large" in ended.stderr.text


def test_a_sparse_file_cannot_pretend_to_be_large(run: Run) -> None:
    ended = run("import os; os.truncate(os.open('/tmp/s', os.O_CREAT | os.O_WRONLY), 60 << 30)")
    assert ended.exit_code != 0


@pytest.mark.parametrize("path", ["/", "/etc", "/opt/python", "/dev", "/assets", "/proc/sys/kernel"])
def test_nothing_outside_the_scratch_folders_can_be_written(run: Run, path: str) -> None:
    ended = run(f"open('{path}/planted', 'w')")
    assert ended.exit_code == 1
    assert "OSError" in ended.stderr.text or "Error" in ended.stderr.text


def test_the_number_of_open_files_is_bounded(run: Run, limits: Limits) -> None:
    ended = run(f"files = [open('/dev/null') for _ in range({limits.open_files * 2})]")
    assert "Too many open files" in ended.stderr.text


def test_a_signal_reaches_the_command_and_no_other_process(start: Start) -> None:
    sandbox = start(
        "import os, signal, sys, time\n"
        "child = os.fork()\n"
        "def told(*_):\n"
        "  os.write(1, b'parent' if child else b'child'); sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, told)\n"
        "if child: os.write(1, b'ready ')\n"
        "time.sleep(3600)"
    )
    _await(lambda: sandbox.output()[0] == b"ready ")
    sandbox.signal(signal.SIGTERM)
    ended = sandbox.wait(PATIENCE_S)
    assert ended is not None
    assert ended.exit_code == 3
    assert ended.stdout.text == "ready parent"


def test_a_command_that_ignores_every_polite_signal_is_killed_all_the_same(start: Start, bench: Bench) -> None:
    sandbox = start("import signal, time\nsignal.signal(15, signal.SIG_IGN)\nprint(1, flush=True)\ntime.sleep(3600)")
    _await(lambda: sandbox.output()[0] == b"1\n")
    sandbox.signal(signal.SIGTERM)
    assert sandbox.wait(0.05) is None
    ended = sandbox.kill(Breach.TIME)
    assert (ended.exit_code, ended.breach) == (None, Breach.TIME)
    assert sandbox.kill() == ended, "a second kill gives the same run"
    assert not _processes_of(bench.run.id)


def test_the_box_sees_no_host_path_user_or_environment(run: Run) -> None:
    ended = run(
        "import json, os\n"
        "def read(path):\n"
        "  try: return open(path).read()\n"
        "  except PermissionError: return ''\n"
        "print(json.dumps({'uid': os.getuid(), 'names': os.uname().nodename,"
        " 'environ': read('/proc/1/environ'), 'cmdline': read('/proc/1/cmdline'),"
        " 'processes': [p for p in os.listdir('/proc') if p.isdigit()]}))"
    )
    seen = json.loads(ended.stdout.text)
    assert seen["uid"] == 65534 or seen["uid"] in range(FIRST_UID, FIRST_UID + 4096)
    assert seen["names"] == "sandbox"
    assert seen["environ"] == ""
    assert len(seen["processes"]) == 2
    assert str(Path.home()) + "/" not in seen["cmdline"]


def test_an_engine_that_was_shut_starts_nothing_and_leaves_nothing(built_state: Path, limits: Limits) -> None:
    with open_bench(built_state, print) as bench:
        spec = SandboxSpec("test", ("/opt/python/bin/python", "-c", "import time; time.sleep(3600)"), "/", (), limits)
        sandbox = bench.engine.start(spec)
        bench.engine.shut()
        assert sandbox.wait(PATIENCE_S) is not None
        with pytest.raises(InfrastructureError, match="shut"):
            bench.engine.start(spec)
        assert not _processes_of(bench.run.id)


def test_a_sandbox_that_cannot_be_set_up_is_our_failure_with_its_reason(bench: Bench, limits: Limits) -> None:
    spec = SandboxSpec("test", ("/bin/sh",), "/nowhere", (), limits)
    with pytest.raises(InfrastructureError, match="/nowhere"):
        bench.engine.start(spec).wait(PATIENCE_S)


def test_a_mount_that_is_not_there_is_our_failure_every_time(bench: Bench, limits: Limits) -> None:
    spec = SandboxSpec("test", ("/bin/sh",), "/", (Mount(Path("/not/there"), "/submission"),), limits)
    for _ in range(10):
        with pytest.raises(InfrastructureError, match="not/there"):
            bench.engine.start(spec).wait(PATIENCE_S)
    assert not _processes_of(bench.run.id)


def test_a_word_with_a_zero_byte_cannot_become_an_option(bench: Bench, limits: Limits) -> None:
    spec = SandboxSpec("test", ("/bin/sh",), "/", (), limits, env={"A": "x\0--share-net"})
    with pytest.raises(InfrastructureError, match="zero byte"):
        bench.engine.start(spec)


def test_a_sandbox_killed_from_several_threads_at_once_ends_once(start: Start) -> None:
    for _ in range(5):
        sandbox = start("import time; time.sleep(3600)")
        with ThreadPoolExecutor(4) as pool:
            ends = [killing.result() for killing in [pool.submit(sandbox.kill) for _ in range(8)]]
        assert len(set(map(id, ends))) == 1


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)


def _processes_of(run_id: str) -> list[str]:
    """Living processes that carry the run's marker on their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            cmdline = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if f"assay:{run_id}:".encode() in cmdline:
            found.append(cmdline.decode("utf-8", "replace"))
    return found
