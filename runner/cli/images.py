"""`assay images`: what the Docker engine holds for sandboxes."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.errors import InfrastructureError
from runner import catalogue
from runner.bench import Bench, open_bench
from runner.cli import options
from runner.cli.screen import data_console, say
from runner.engines.choose import EngineName, Wish
from runner.engines.docker.engine import DockerEngine
from runner.engines.docker.images import images_in, prune
from runner.state_folder import default_state


@click.group("images")
def command() -> None:
    """List, make, publish and remove the images that sandboxes of the Docker engine are made from."""


@contextlib.contextmanager
def _docker_bench() -> Iterator[tuple[Bench, DockerEngine]]:
    with open_bench(default_state(), say, Wish(EngineName.DOCKER)) as bench:
        if not isinstance(bench.engine, DockerEngine):
            raise InfrastructureError("only the Docker engine has images")
        yield bench, bench.engine


@command.command("list")
@options.as_json
def list_images(as_json: bool) -> None:
    """List the images that Assay made in the Docker engine."""
    with _docker_bench() as (_, engine):
        found = images_in(engine.daemon)
    if as_json:
        print(json.dumps([asdict(image) for image in found], indent=1))
        return
    table = Table("image", "kind", "MB", "made", box=box.SIMPLE_HEAD)
    for image in found:
        table.add_row(Text(image.name), image.role, f"{image.size_bytes >> 20}", image.created)
    data_console().print(table)


@command.command("bootstrap")
@click.option("-c", "--challenge", "names", multiple=True, help="Only for this challenge; may be repeated.")
@click.option("--publish", is_flag=True, help="Copy the images to the registry that ASSAY_REGISTRY names.")
@options.challenges
def bootstrap(names: tuple[str, ...], publish: bool, challenges: Path | None) -> None:
    """Make the base image and one for each challenge's environment, so that the first grading need not.

    Nothing is pulled: the base is this host's own Python and libraries, closed over by themselves. Packages come from
    where uv finds them: the package index, or a folder of wheels (UV_FIND_LINKS and UV_NO_INDEX). Where ASSAY_REGISTRY
    names a registry that has an image already, it comes from there.
    """
    chosen = [catalogue.find(name, challenges) for name in names or _all(challenges)]
    with _docker_bench() as (bench, engine):
        engine.prepare(None)
        for challenge in chosen:
            bench.environment(challenge)
        for image in images_in(engine.daemon):
            if not image.name.startswith("assay/") or engine.rootfs.digest[:16] not in image.name:
                continue
            name = image.name.split(", ")[0]
            print(engine.images.publish(name) if publish else name)


@command.command("prune")
@click.option("--all", "everything", is_flag=True, help="Also those that this host would use now.")
def remove(everything: bool) -> None:
    """Remove the images that sandboxes on this host no longer use: those of an older Python or root filesystem."""
    with _docker_bench() as (_, engine):
        current = engine.rootfs.digest[:16]
        removed = prune(engine.daemon, lambda image: not everything and current in image.name)
    for image in removed:
        print(image.name)
    say(f"removed {len(removed)} images")


def _all(challenges: Path | None) -> list[str]:
    return [folder.name for folder in catalogue.folders(challenges)]
