"""The images of sandboxes: one base for each root filesystem, and one more layer for each environment on it.

    assay/base:<rootfs digest>                              the root filesystem, the same files that bubblewrap mounts
    assay/environment:<rootfs digest>-<environment digest>  the same, and the packages of one lock

Each is made once, whole or not at all, by one builder at a time, from what lies precompiled in the state folder: no
registry is needed and nothing is installed in the engine. Where `ASSAY_REGISTRY` names a registry, an image is first
looked for there. An image is found by its name, believed by its label, and used by its id.
"""

import contextlib
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from docker.errors import APIError

from assessments.errors import InfrastructureError
from runner.engines.docker.daemon import Daemon
from runner.engines.environments import Environment
from runner.engines.rootfs import Rootfs, Say, sole_builder

REGISTRY_VARIABLE = "ASSAY_REGISTRY"
DIGEST_LABEL, ROLE_LABEL = "assay.digest", "assay.role"
BASE, ENVIRONMENT = "base", "environment"
BUILDER = 1
"""Raised whenever this file makes something else of the same files: no older image is used then."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of ours in the engine."""

    id: str
    name: str
    role: str
    size_bytes: int
    created: str


@dataclass(frozen=True)
class Images:
    """Finds and makes images in one engine. `labels` tell whose the containers are that they are made in."""

    daemon: Daemon
    state: Path
    rootfs: Rootfs
    labels: dict[str, str]
    registry: str | None
    say: Say

    def base(self) -> str:
        """The id of the base image."""
        name = f"assay/{BASE}:{self.rootfs.digest[:16]}"
        return self._found(name, self._base_digest) or self._built(
            name, self._base_digest, lambda: self._import_base(name)
        )

    def environment(self, environment: Environment) -> str:
        """The id of the image with this environment's packages."""
        name = f"assay/{ENVIRONMENT}:{self.rootfs.digest[:16]}-{environment.digest[:16]}"
        digest = f"{self._base_digest}:{environment.digest}"
        if found := self._found(name, digest):
            return found
        base = self.base()  # before the lock is taken, which building it takes as well
        return self._built(name, digest, lambda: self._add_packages(name, digest, base, environment))

    def publish(self, name: str) -> str:
        """Copy an image to the registry, for other hosts; its name there."""
        if not self.registry:
            raise InfrastructureError(f"{REGISTRY_VARIABLE} names no registry to publish to")
        target, _, tag = f"{self.registry}/{name}".rpartition(":")
        with self.daemon.asked_to(f"push {target}:{tag}"):
            self.daemon.building.tag(name, target, tag)
            for line in self.daemon.building.push(target, tag, stream=True, decode=True):
                if "error" in line:
                    raise InfrastructureError(f"{target}:{tag} could not be pushed: {line['error']}")
        return f"{target}:{tag}"

    @property
    def _base_digest(self) -> str:
        return f"{BUILDER}:{self.rootfs.digest}"

    def _found(self, name: str, digest: str) -> str | None:
        """The image of this name, if it is what its name says."""
        image = self.daemon.image(name)
        if image is None:
            return None
        labels = image["Config"].get("Labels") or {}
        return str(image["Id"]) if labels.get(DIGEST_LABEL) == digest else None

    def _built(self, name: str, digest: str, build: Callable[[], None]) -> str:
        with sole_builder(self.state / "images", self.say):
            made = self._found(name, digest) or self._pulled(name, digest)
            if made is None:
                started = time.monotonic()
                self.say(f"making the image {name}")
                build()
                made = self._found(name, digest)
                self.say(f"image ready in {time.monotonic() - started:.1f} s")
        if made is None:
            raise InfrastructureError(f"the Docker engine at {self.daemon.endpoint.url} has not kept the image {name}")
        return made

    def _pulled(self, name: str, digest: str) -> str | None:
        """The image from the registry, where one is named, can be reached and has it."""
        if not self.registry:
            return None
        source, _, tag = f"{self.registry}/{name}".rpartition(":")
        try:
            with self.daemon.asked_to(f"pull {source}:{tag}"):
                self.daemon.building.pull(source, tag)
                self.daemon.building.tag(f"{source}:{tag}", *_repository_and_tag(name))
        except InfrastructureError as error:
            self.say(f"not from the registry: {error}")
            return None
        found = self._found(name, digest)
        self.say(f"{source}:{tag} " + ("is from the registry" if found else "carries another digest, and is not used"))
        return found

    def _import_base(self, name: str) -> None:
        with _archive(self.rootfs.path, Path("/"), self.state) as archive, self.daemon.asked_to("import an image"):
            repository, tag = _repository_and_tag(name)
            changes = [f'LABEL {DIGEST_LABEL}="{self._base_digest}" {ROLE_LABEL}="{BASE}"']
            self.daemon.building.import_image_from_file(archive.name, repository, tag, changes)

    def _add_packages(self, name: str, digest: str, base: str, environment: Environment) -> None:
        """A layer with the packages, made in a container that is never started."""
        packages = Path(self.rootfs.site_packages)
        repository, tag = _repository_and_tag(name)
        changes = [f'LABEL {DIGEST_LABEL}="{digest}" {ROLE_LABEL}="{ENVIRONMENT}"']
        with (
            _archive(environment.site_packages, packages, self.state) as archive,
            self._unstarted(base) as container,
            self.daemon.asked_to("take packages into an image"),
        ):
            self.daemon.building.put_archive(container, "/", archive)
            self.daemon.building.commit(container, repository, tag, changes=changes, pause=False)

    @contextlib.contextmanager
    def _unstarted(self, image: str) -> Iterator[str]:
        """A container to put files in, gone when the block is left."""
        request = {"Image": image, "Cmd": ["/bin/sh"], "Labels": self.labels, "NetworkDisabled": True}
        container = self.daemon.create(request)
        try:
            yield container
        finally:
            self.daemon.remove(container, large=True)


def images_in(daemon: Daemon) -> list[Image]:
    """Every image of ours, the newest first."""
    with daemon.asked_to("list its images"):
        found = daemon.api.images(filters={"label": [ROLE_LABEL]})
    images = [
        Image(
            id=str(one["Id"]),
            name=", ".join(one.get("RepoTags") or ()) or "(no name)",
            role=str(one["Labels"][ROLE_LABEL]),
            size_bytes=int(one["Size"]),
            created=datetime.fromtimestamp(int(one["Created"]), UTC).isoformat(timespec="seconds"),
        )
        for one in found
    ]
    return sorted(images, key=lambda image: (image.created, image.role == ENVIRONMENT), reverse=True)


def prune(daemon: Daemon, keep: Callable[[Image], bool]) -> list[Image]:
    """Remove every image of ours but those to keep and those in use; what was removed."""
    removed = []
    for image in images_in(daemon):  # environments before the bases that they stand on
        if keep(image):
            continue
        with daemon.asked_to(f"remove {image.name}"):
            try:
                daemon.api.remove_image(image.id, force=len(image.name.split(", ")) > 1)
            except APIError as error:
                if error.status_code == _IN_USE:
                    continue
                raise
        removed.append(image)
    return removed


_IN_USE = 409


def _repository_and_tag(name: str) -> tuple[str, str]:
    repository, _, tag = name.rpartition(":")
    return repository, tag


@contextlib.contextmanager
def _archive(folder: Path, target: Path, state: Path) -> Iterator[IO[bytes]]:
    """A tar of `folder` as it is to stand at `target`: owned by root, the same bytes for the same files."""
    with tempfile.NamedTemporaryFile(prefix=".archive-", dir=state / "images") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
            inside = target.relative_to("/").as_posix()
            archive.add(folder, arcname=inside, recursive=False, filter=_of_root)
            for path in sorted(folder.rglob("*")):
                archive.add(path, f"{inside}/{path.relative_to(folder)}", recursive=False, filter=_of_root)
        file.flush()
        file.seek(0)
        yield file


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member
