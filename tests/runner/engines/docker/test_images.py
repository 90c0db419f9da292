"""Images: made once, found again, taken from a registry where there is one, and removed when nobody needs them."""

import contextlib
import dataclasses
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError
from runner.bench import Bench
from runner.engines.docker.engine import DockerEngine
from runner.engines.docker.images import DIGEST_LABEL, Images, images_in, prune
from runner.engines.environments import Environment, ensure_environment
from runner.engines.protocol import SandboxSpec
from runner.engines.rootfs import Rootfs


@pytest.fixture
def environment(built_state: Path, rootfs: Rootfs, tmp_path: Path) -> Iterator[Environment]:
    """An environment with one module, of a digest of its own."""
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"# {tmp_path}\n")
    made = ensure_environment(lock, built_state, rootfs, print)
    made.site_packages.chmod(0o755)
    (made.site_packages / "answer.py").write_text("value = 42\n")
    yield made
    shutil.rmtree(made.site_packages.parent)


def test_an_environment_is_a_layer_that_is_made_once_and_can_be_imported(
    bench: Bench, engine: DockerEngine, environment: Environment, limits_of_a_test: SandboxSpec
) -> None:
    said: list[str] = []
    images = dataclasses.replace(engine.images, say=said.append)
    first = images.environment(environment)
    assert images.environment(environment) == first
    assert [line for line in said if "making" in line] == [
        line for line in said if "making the image assay/env" in line
    ]
    assert sum("making" in line for line in said) == 1
    ended = engine.start(dataclasses.replace(limits_of_a_test, environment=environment)).wait(10)
    assert ended is not None
    assert ended.stdout.text == "42\n", ended.stderr.text
    engine.daemon.api.remove_image(first, force=True)


@pytest.fixture
def limits_of_a_test() -> SandboxSpec:
    from assessments.challenge import Limits

    command = ("/opt/python/bin/python", "-c", "import answer; print(answer.value)")
    return SandboxSpec("test", command, "/tmp", (), Limits(64 << 20, 16, 1.0, 4 << 20, 1 << 20, 64, 5.0))


def test_builders_at_the_same_time_make_one_image(engine: DockerEngine, environment: Environment) -> None:
    said: list[str] = []
    images = dataclasses.replace(engine.images, say=said.append)
    made: list[str] = []
    threads = [threading.Thread(target=lambda: made.append(images.environment(environment))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    assert sum("making" in line for line in said) == 1
    engine.daemon.api.remove_image(made[0], force=True)


def test_an_image_of_the_same_name_with_other_content_is_not_believed(
    engine: DockerEngine, environment: Environment
) -> None:
    made = engine.images.environment(environment)
    (name,) = [image.name for image in images_in(engine.daemon) if image.id == made]
    engine.daemon.api.remove_image(made, force=True)
    engine.daemon.api.tag(engine.images.base(), *name.rsplit(":", 1))
    again = engine.images.environment(environment)
    assert again != engine.images.base()
    assert engine.daemon.image(again)["Config"]["Labels"][DIGEST_LABEL].endswith(environment.digest)  # type: ignore[index]
    engine.daemon.api.remove_image(again, force=True)


def test_pruning_removes_what_is_not_to_be_kept_and_nothing_else(
    engine: DockerEngine, environment: Environment
) -> None:
    made = engine.images.environment(environment)
    before = {image.id for image in images_in(engine.daemon)}
    removed = prune(engine.daemon, lambda image: image.id != made)
    assert [image.id for image in removed] == [made]
    assert {image.id for image in images_in(engine.daemon)} == before - {made}


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """A real registry on this machine, for one test."""
    program = shutil.which("docker-registry")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("CI must have a registry: apt-get install docker-registry")
        pytest.skip("no registry here: apt-get install docker-registry")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = tmp_path / "registry.yml"
    storage = f"storage:\n  filesystem:\n    rootdirectory: {tmp_path}/registry\n"
    config.write_text(f"version: 0.1\n{storage}http:\n  addr: 127.0.0.1:{port}\n")
    process = subprocess.Popen([program, "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < deadline, "the registry did not start"
            time.sleep(0.02)
        yield f"127.0.0.1:{port}/team"
    finally:
        process.kill()
        process.wait()


def test_an_image_that_a_registry_has_is_taken_from_there(
    engine: DockerEngine, environment: Environment, registry: str
) -> None:
    said: list[str] = []
    images: Images = dataclasses.replace(engine.images, registry=registry, say=said.append)
    made = images.environment(environment)
    assert any("not from the registry" in line for line in said), "it has none yet, and that stops nobody"
    (name,) = [image.name for image in images_in(engine.daemon) if image.id == made]
    published = images.publish(name)
    assert published == f"{registry}/{name}"
    for tag in (name, published):
        engine.daemon.api.remove_image(tag, force=True)
    said.clear()
    assert images.environment(environment) == made
    assert any("is from the registry" in line for line in said)
    assert not any("making" in line for line in said)
    engine.daemon.api.remove_image(made, force=True)


def test_publishing_without_a_registry_says_how_to_name_one(engine: DockerEngine) -> None:
    with pytest.raises(InfrastructureError, match="ASSAY_REGISTRY"):
        dataclasses.replace(engine.images, registry=None).publish("assay/base:1")
