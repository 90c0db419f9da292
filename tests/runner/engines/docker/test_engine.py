"""What is the Docker engine's own: engines that hang or die, containers that are tampered with, what is left."""

import dataclasses
import os
import select
import time
from collections.abc import Callable
from pathlib import Path

import docker
import pytest

from assessments.challenge import Challenge, Limits
from assessments.errors import InfrastructureError
from assessments.observation import Breach
from assessments.outcome import Fault, Outcome
from assessments.scorecard import Scorecard
from runner.bench import Bench
from runner.engines.docker.container import RUN_LABEL
from runner.engines.docker.engine import DockerEngine
from runner.engines.protocol import Mount, SandboxSpec

LIMITS = Limits(64 << 20, 16, 1.0, 4 << 20, 1 << 20, 64, 5.0)


def spec(code: str) -> SandboxSpec:
    return SandboxSpec("test", ("/opt/python/bin/python", "-c", code), "/tmp", (), LIMITS)


def containers_of(engine: DockerEngine) -> list[str]:
    return [container for container, _ in engine.daemon.containers([f"{RUN_LABEL}={engine.run.id}"])]


@pytest.fixture
def deaf(engine: DockerEngine, silent_socket: Path) -> DockerEngine:
    """The engine as it would be if it stopped answering, with short time-outs; nobody else's engine is touched."""
    clients = [docker.APIClient(f"unix://{silent_socket}", timeout=1, version="1.41") for _ in range(3)]
    daemon = dataclasses.replace(engine.daemon, api=clients[0], ending=clients[1], building=clients[2])
    return DockerEngine(daemon, engine.images, engine.rootfs, engine.state, engine.run)


def test_an_engine_that_hangs_is_an_infrastructure_failure_and_no_hang(deaf: DockerEngine) -> None:
    started = time.monotonic()
    with pytest.raises(InfrastructureError, match="did not create a container"):
        deaf.start(spec("pass"))
    assert time.monotonic() - started < 10


def test_an_engine_that_hangs_later_keeps_no_sandbox_alive(engine: DockerEngine, deaf: DockerEngine) -> None:
    engine.prepare(None)
    sandbox = engine.start(spec("import time; time.sleep(3600)"))
    pidfd = os.dup(sandbox._parts.seen.init_pidfd)  # type: ignore[union-attr]
    sandbox._parts = dataclasses.replace(sandbox._parts, daemon=deaf.daemon)
    try:
        assert sandbox.kill(Breach.TIME).breach is Breach.TIME, "what came of the run does not hang on the engine"
        poller = select.poll()
        poller.register(pidfd, select.POLLIN)
        assert poller.poll(5000), "the sandbox outlived its kill"
    finally:
        os.close(pidfd)
        for container in containers_of(engine):
            engine.daemon.remove(container)


def test_a_hung_engine_costs_the_candidate_nothing(
    bench: Bench, deaf: DockerEngine, sum_challenge: Challenge, tmp_path: Path
) -> None:
    from runner.grade import Order, grade

    bench.environment(sum_challenge)
    deaf._image_ids.update(bench.engine._image_ids)  # type: ignore[attr-defined]
    (tmp_path / "handed-in").mkdir()
    (tmp_path / "handed-in/main.py").write_text("print(5)\n")
    order = Order(tmp_path / "handed-in", "someone", seed=1)
    scorecard: Scorecard = grade(order, sum_challenge, dataclasses.replace(bench, engine=deaf)).scorecard
    assert {(result.outcome, result.fault) for result in scorecard.results} == {(Outcome.ERRORED, Fault.ENGINE_FAILED)}


def test_a_container_that_somebody_else_ends_is_no_fault_of_the_candidates(engine: DockerEngine) -> None:
    sandbox = engine.start(spec("print('up', flush=True)\nimport time; time.sleep(3600)"))
    while b"up" not in sandbox.output()[0]:
        assert sandbox.wait(0.01) is None
    for container in containers_of(engine):
        engine.daemon.api.kill(container)
    with pytest.raises(InfrastructureError, match="ended from outside"):
        sandbox.wait(10)
    assert containers_of(engine) == []


def test_a_mount_that_is_not_there_is_our_failure_and_leaves_no_container(engine: DockerEngine) -> None:
    with pytest.raises(InfrastructureError, match="not/there"):
        engine.start(dataclasses.replace(spec("pass"), mounts=(Mount(Path("/not/there"), "/submission"),)))
    assert containers_of(engine) == []


def test_what_cannot_be_proven_under_a_runtime_of_its_own_counts_as_not_enforced(engine: DockerEngine) -> None:
    other = dataclasses.replace(engine, runtime="another")
    unproven = {control.name for control in other.describe(unenforced_allowed=True).unenforced}
    assert unproven == {"privileges", "system-calls", "memory", "cpu", "processes"}
    assert engine.describe(unenforced_allowed=True).unenforced == ()


def test_what_a_run_makes_says_whose_it_is(engine: DockerEngine) -> None:
    sandbox = engine.start(spec("import time; time.sleep(3600)"))
    (container,) = containers_of(engine)
    labels = engine.daemon.api.inspect_container(container)["Config"]["Labels"]
    sandbox.kill()
    assert labels["assay.run"] == engine.run.id
    assert {"assay.state", "assay.owner"} <= set(labels)


def test_files_of_the_run_that_were_mounted_are_gone_with_the_sandbox(engine: DockerEngine) -> None:
    before = set(engine.run.folder.iterdir())
    sandbox = engine.start(dataclasses.replace(spec("print(input())"), stdin=b"given\n"))
    assert set(engine.run.folder.iterdir()) > before
    ended = sandbox.wait(10)
    assert ended is not None
    assert ended.stdout.text == "given\n"
    assert set(engine.run.folder.iterdir()) == before


def test_no_container_could_be_had_that_is_in_a_network(engine: DockerEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The check before a command is let go is no formality: an engine that does something else is caught."""
    create: Callable[..., str] = type(engine.daemon).create

    def careless(self: object, request: dict[str, object], name: str) -> str:
        host: dict[str, object] = {**request["HostConfig"], "ReadonlyRootfs": False}  # type: ignore[dict-item]
        return create(self, {**request, "HostConfig": host}, name)

    monkeypatch.setattr(type(engine.daemon), "create", careless)
    with pytest.raises(InfrastructureError, match="did not make the sandbox as asked: ReadonlyRootfs is False"):
        engine.start(spec("pass"))
    assert containers_of(engine) == []
