"""Seconds for a trivial submission: one check, no service, engine by engine.

    python benchmarks/trivial_submission.py [--rounds N]

In each round, in turn:

bubblewrap: a bare Python process (without site-packages, as in a sandbox: this checkout's own would cost it 60 ms), the
same in a bare sandbox, the whole grading of the same program (intake, workspace, a grader process of its own, pytest,
outcomes, scorecard), the same with its files and reports written, and check50 --dev, which has no sandbox.

docker: a bare container, made with Docker's own SDK from the same image with the same hardening, as `docker run -i
--rm` makes one (create, attach, start, wait, remove); and the whole grading of the same program.

Taking turns spreads the machine's noise over all of them. Prints medians, and each one's ratio to the bare one, the
first of its engine. The seconds are wall time as seen by this process. Exits with 1 when a promise is broken. By
bubblewrap: less than 0.10 s over the bare process, no more than 0.15 s over the bare sandbox, faster than check50. By
Docker: at most 1.5 times the bare container. An engine that is not there is named and left out.
"""

import argparse
import contextlib
import dataclasses
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from docker.utils.socket import demux_adaptor, frames_iter

from assessments.challenge import Challenge
from assessments.errors import InfrastructureError
from assessments.manifest import read_challenge
from runner.bench import Bench, open_bench
from runner.engines.choose import EngineName, Wish
from runner.engines.docker.container import Placement, host_config
from runner.engines.docker.engine import DockerEngine
from runner.engines.protocol import Mount, SandboxSpec
from runner.engines.seccomp.profile import profile
from runner.grade import Order, grade
from runner.results import write_result
from runner.state_folder import default_state

REPOSITORY = Path(__file__).resolve().parents[1]
SUM = REPOSITORY / "tests/sample_challenges/add-numbers"
SUBMISSION = SUM / "solutions/accepted/reference"
PACK = Path(__file__).resolve().parent / "check50_pack"
STDIN, STDOUT = b"2 3\n", b"5\n"

PROCESS, SANDBOX, CHECK50 = "bare Python process", "bubblewrap, bare sandbox", "check50 --dev, no sandbox"
BUBBLEWRAP, CONTAINER, DOCKER = "bubblewrap, assay", "docker, bare hardened container", "docker, assay"
_OVER_PROCESS_S = 0.10
_OVER_SANDBOX_S = 0.15
_TIMES_CONTAINER = 1.5
_UID = 1_950_000_000

Contestants = dict[str, Callable[[], None]]
Medians = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    challenge = read_challenge(SUM)
    broken: list[str] = []
    for engine, contestants_of, promises in (
        (EngineName.BUBBLEWRAP, _bubblewrap, _broken_by_bubblewrap),
        (EngineName.DOCKER, _docker, _broken_by_docker),
    ):
        try:
            with open_bench(default_state(), _say, Wish(engine)) as bench, contestants_of(challenge, bench) as run:
                seconds = _measured(run, rounds)
        except InfrastructureError as error:
            _say(f"{engine}: left out: {error}")
            continue
        _print(seconds)
        broken += promises({name: statistics.median(values) for name, values in seconds.items()})
    for promise in broken:
        _say(promise)
    sys.exit(1 if broken else 0)


def _measured(contestants: Contestants, rounds: int) -> dict[str, list[float]]:
    """Seconds of each one's every turn."""
    for run in contestants.values():
        run()  # once for warmth
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return seconds


@contextlib.contextmanager
def _bubblewrap(challenge: Challenge, bench: Bench) -> Iterator[Contestants]:
    spec = _spec(challenge, bench)

    def bare_process() -> None:
        command = [sys.executable, "-I", "-S", str(SUBMISSION / "main.py")]
        done = subprocess.run(command, input=STDIN, capture_output=True, check=True)
        assert done.stdout == STDOUT

    def bare_sandbox() -> None:
        ended = bench.engine.start(spec).wait(10)
        assert ended is not None
        assert ended.stdout.text == STDOUT.decode()

    with tempfile.TemporaryDirectory() as scratch:
        yield {
            PROCESS: bare_process,
            SANDBOX: bare_sandbox,
            BUBBLEWRAP: _grading(challenge, bench),
            "bubblewrap, assay with files and reports": _grading(challenge, bench, Path(scratch) / "out"),
            CHECK50: _check50(Path(scratch)),
        }


@contextlib.contextmanager
def _docker(challenge: Challenge, bench: Bench) -> Iterator[Contestants]:
    assert isinstance(bench.engine, DockerEngine)
    yield {CONTAINER: _bare_container(challenge, bench, bench.engine), DOCKER: _grading(challenge, bench)}


def _spec(challenge: Challenge, bench: Bench) -> SandboxSpec:
    """The sandbox that a grading starts, without its grader."""
    workspace = bench.run.folder / "bare"
    shutil.copytree(SUBMISSION, workspace)
    workspace.chmod(0o755)
    return SandboxSpec(
        purpose="bare",
        command=("/opt/python/bin/python", "main.py"),
        folder="/submission",
        mounts=(Mount(workspace, "/submission"),),
        limits=dataclasses.replace(challenge.limits, job_s=10),
        stdin=STDIN,
        environment=bench.environment(challenge),
        outputs=True,
    )


def _grading(challenge: Challenge, bench: Bench, out: Path | None = None) -> Callable[[], None]:
    def run() -> None:
        graded = grade(Order(SUBMISSION, "reference", unenforced_allowed=True), challenge, bench)
        assert graded.scorecard.points.earned == 1
        if out:
            write_result(out, graded, challenge.folder / "starter", bench.signer)

    return run


def _check50(scratch: Path) -> Callable[[], None]:
    submission = Path(shutil.copytree(SUBMISSION, scratch / "submission"))
    check50 = Path(sys.executable).with_name("check50")

    def run() -> None:
        # check50 asks git and its colours of the environment; it gets a plain one.
        done = subprocess.run(
            [check50, "--dev", "--output", "json", "--", PACK],
            cwd=submission,
            env={**os.environ, "TERM": "dumb", "PATH": f"{check50.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
        )
        assert '"passed": true' in done.stdout, done.stdout

    return run


def _bare_container(challenge: Challenge, bench: Bench, engine: DockerEngine) -> Callable[[], None]:
    """What a caller of the SDK does who wants the same isolation, and knows nothing of graders."""
    spec, api = _spec(challenge, bench), engine.daemon.api
    assert spec.environment is not None
    image = engine.images.environment(spec.environment)
    passwd = bench.run.folder / "passwd"
    passwd.write_text("root:x:0:0:root:/:/bin/sh\n")
    told = engine.daemon.told
    placement = Placement(
        image=image,
        uid=_UID,
        passwd=passwd,
        stdin=None,
        seccomp_profile=profile(),
        runtime=engine.runtime,
        cgroup_version=int(told["CgroupVersion"]),
        counts_swap=bool(told["SwapLimit"]),
        holds=False,
    )
    request = {
        "Image": image,
        "Cmd": list(spec.command),
        "WorkingDir": spec.folder,
        "User": f"{_UID}:{_UID}",
        "NetworkDisabled": True,
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "HostConfig": host_config(spec, placement),
    }

    def run() -> None:
        container = api.create_container_from_config(request)["Id"]
        try:
            attached = api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            with attached, attached._sock as stream:
                api.start(container)
                stream.sendall(STDIN)
                stream.shutdown(socket.SHUT_WR)
                frames = [demux_adaptor(*frame) for frame in frames_iter(stream, tty=False)]
            assert api.wait(container)["StatusCode"] == 0
        finally:
            api.remove_container(container, v=True, force=True)
        assert b"".join(stdout or b"" for stdout, _ in frames) == STDOUT

    return run


def _print(seconds: dict[str, list[float]]) -> None:
    """The first one is the bare one that all are compared with."""
    bare = statistics.median(next(iter(seconds.values())))
    print(f"{'':42} {'median s':>9} {'p90 s':>7} {'ratio':>7} {'over bare s':>12}")
    for name, values in seconds.items():
        median = statistics.median(values)
        p90 = statistics.quantiles(values, n=10)[-1]
        print(f"{name:42} {median:9.4f} {p90:7.4f} {median / bare:7.2f} {median - bare:12.4f}")
    print(flush=True)


def _broken_by_bubblewrap(medians: Medians) -> Iterator[str]:
    assay = medians[BUBBLEWRAP]
    for bare, promised_s in ((PROCESS, _OVER_PROCESS_S), (SANDBOX, _OVER_SANDBOX_S)):
        over_s = assay - medians[bare]
        if over_s > promised_s:
            yield f"a grading takes {over_s:.3f} s more than a {bare}; {promised_s} s was promised"
    if assay > medians[CHECK50]:
        yield "a grading takes longer than check50 without a sandbox"


def _broken_by_docker(medians: Medians) -> Iterator[str]:
    times = medians[DOCKER] / medians[CONTAINER]
    if times > _TIMES_CONTAINER:
        yield f"a grading by Docker takes {times:.2f} times a bare container; {_TIMES_CONTAINER} was promised"


def _say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
