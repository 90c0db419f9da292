"""The connection to one engine: what it is, a time-out on every call, and its errors in our words."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound

from assessments.errors import InfrastructureError
from runner.engines.docker.endpoint import Endpoint, endpoints

_CALL_TIMEOUT_S = 15
_END_TIMEOUT_S = 8
_BUILD_TIMEOUT_S = 600
_FIRST_ANSWER_S = 3
_CONFLICT = 409
_OLDEST_API = (1, 41)
"""Docker 20.10: the first one with a control group namespace of its own for each container."""


class Kind(StrEnum):
    """Which program speaks Docker's API. They differ in what they enforce and in what they say of it."""

    DOCKER = "docker"
    PODMAN = "podman"


@dataclass(frozen=True)
class Daemon:
    """An engine that answered. Calls raise InfrastructureError, and nothing else, for whatever it does."""

    endpoint: Endpoint
    kind: Kind
    version: str
    rootless: bool
    """It has only the rights of the user who started it."""
    remapped: bool
    """Users of a container are other users of the host."""
    told: Mapping[str, Any]
    """What it says of itself: `docker info`."""
    api: docker.APIClient
    ending: docker.APIClient
    """For what must be over soon, such as a kill."""
    building: docker.APIClient

    @contextlib.contextmanager
    def asked_to(self, deed: str) -> Iterator[None]:
        """Turns whatever goes wrong in the block into an InfrastructureError that says what was asked."""
        try:
            yield
        except APIError as error:
            msg = f"the Docker engine at {self.endpoint.url} did not {deed}: {error.explanation or error}"
            raise InfrastructureError(msg) from error
        except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            msg = f"the Docker engine at {self.endpoint.url} did not {deed}: {_short(error)}; assay doctor looks at it"
            raise InfrastructureError(msg) from error

    def remove(self, container: str, *, large: bool = False) -> None:
        """Kill the container if it lives, and take it away. Nothing happens if it is gone.

        `large`: it holds hundreds of megabytes, which a busy disk takes long to let go of.
        """
        client = self.building if large else self.ending
        with self.asked_to("remove a container"), contextlib.suppress(NotFound):
            try:
                client.remove_container(container, force=True, v=True)
            except APIError as error:
                if error.status_code != _CONFLICT:
                    raise
                self._await_removal(container)  # somebody else, such as a runner that is dead by now, has asked before

    def pid_of(self, container: str) -> int:
        """The host's number of its process 1; 0 when it does not run."""
        with self.asked_to("inspect a container"), contextlib.suppress(NotFound):
            return int(self.api.inspect_container(container)["State"]["Pid"])
        return 0

    def _await_removal(self, container: str) -> None:
        """Raises NotFound when it is gone, and TimeoutError when it is still there after a while."""
        deadline = time.monotonic() + _END_TIMEOUT_S
        while time.monotonic() < deadline:
            self.ending.inspect_container(container)
            time.sleep(0.02)
        msg = f"container {container} is still being removed"
        raise TimeoutError(msg)

    def containers(self, labels: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
        """Id and labels of every container, living or not, that has all these labels."""
        with self.asked_to("list its containers"):
            found = self.api.containers(all=True, filters={"label": list(labels)})
            return [(str(one["Id"]), dict(one.get("Labels") or {})) for one in found]

    def image(self, name: str) -> Mapping[str, Any] | None:
        """What the engine knows of an image; None if it has none of this name."""
        with self.asked_to("look for an image"), contextlib.suppress(NotFound):
            told: Mapping[str, Any] = self.api.inspect_image(name)  # type: ignore[no-untyped-call]
            return told
        return None

    def create(self, request: Mapping[str, Any], name: str | None = None) -> str:
        """The id of a container made as `request` says. Under a name it can be removed even if no answer came."""
        with self.asked_to("create a container"):
            made = self.api.create_container_from_config(dict(request), name)  # type: ignore[no-untyped-call]
            return str(made["Id"])

    def close(self) -> None:
        for client in (self.api, self.ending, self.building):
            client.close()


class Unusable(Exception):
    """Why an engine that may be there cannot be used, worded for people."""


def find_daemon(env: Mapping[str, str]) -> Daemon | tuple[str, ...]:
    """The first engine that can hold sandboxes here, or a sentence for each one that was there and cannot."""
    reasons = []
    for endpoint in endpoints(env):
        try:
            return connect(endpoint)
        except Unusable as reason:
            reasons.append(f"{endpoint.url} (by {endpoint.found_by}): {reason}")
    return tuple(reasons)


def connect(endpoint: Endpoint) -> Daemon:
    """Raises Unusable with the reason."""
    if not endpoint.local:
        raise Unusable("it is not on this machine's own socket, and the grader must join the sandboxes' network")
    _require_listener(endpoint)
    try:
        with contextlib.closing(_client(endpoint, _written(_OLDEST_API), _FIRST_ANSWER_S)) as first:
            version = first.version(api_version=False)
        spoken = _version_to_speak(version)
        with contextlib.closing(_client(endpoint, spoken, _FIRST_ANSWER_S)) as second:
            daemon = _daemon(endpoint, spoken, version, second.info())
    except APIError as error:
        raise Unusable(f"it answers, but refuses: {error.explanation or error}") from error
    except (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise Unusable(f"it does not answer: {_short(error)}") from error
    except (KeyError, AttributeError, TypeError) as error:
        raise Unusable("it answers, but not as a Docker engine does") from error
    try:
        _require_usable(daemon)
    except Unusable:
        daemon.close()
        raise
    return daemon


def _require_listener(endpoint: Endpoint) -> None:
    """That somebody listens: the library leaves a socket open when nobody does."""
    with socket.socket(socket.AF_UNIX) as tried:
        tried.settimeout(_FIRST_ANSWER_S)
        try:
            tried.connect(str(endpoint.socket))
        except OSError as error:
            raise Unusable(f"it does not answer: {error.strerror or error}") from error


def _client(endpoint: Endpoint, spoken: str, timeout_s: int) -> docker.APIClient:
    return docker.APIClient(base_url=endpoint.url, timeout=timeout_s, version=spoken)


def _version_to_speak(version: Mapping[str, Any]) -> str:
    """The oldest version of the API that both sides know: what is asked then means the same with every engine."""
    told = (str(version.get(name) or "0.0") for name in ("ApiVersion", "MinAPIVersion"))
    newest, oldest = (tuple(int(part) for part in text.split(".")) for text in told)
    if newest < _OLDEST_API:
        raise Unusable(f"it speaks API version {_written(newest)}; 1.41 (Docker 20.10) is the oldest to use")
    return _written(max(_OLDEST_API, oldest))


def _written(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _daemon(endpoint: Endpoint, spoken: str, version: Mapping[str, Any], told: Mapping[str, Any]) -> Daemon:
    components = " ".join(str(part.get("Name", "")) for part in version.get("Components") or ())
    options = " ".join(told.get("SecurityOptions") or ())
    timeouts = (_CALL_TIMEOUT_S, _END_TIMEOUT_S, _BUILD_TIMEOUT_S)
    clients = [_client(endpoint, spoken, timeout_s) for timeout_s in timeouts]
    return Daemon(
        endpoint=endpoint,
        kind=Kind.PODMAN if "podman" in components.lower() else Kind.DOCKER,
        version=str(version["Version"]),
        rootless="rootless" in options,
        remapped="name=userns" in options or "rootless" in options,
        told=told,
        api=clients[0],
        ending=clients[1],
        building=clients[2],
    )


def _require_usable(daemon: Daemon) -> None:
    """What must be so before anything is tried."""
    if daemon.kind is Kind.PODMAN:
        raise Unusable("it is Podman, which Assay has not been tried with; use Docker's own engine")
    if daemon.told.get("OSType") != "linux":
        raise Unusable(f"its containers are of the kind {daemon.told.get('OSType')}, not linux")
    if os.geteuid() != 0 and not daemon.rootless:
        raise Unusable("only root can join its containers' network; run assay with sudo, or use a rootless engine")
    if "seccomp" not in " ".join(daemon.told.get("SecurityOptions") or ()):
        raise Unusable("it has no seccomp, so no call filter can be set")


def _short(error: Exception) -> str:
    """The cause at the bottom, without the layers of libraries around it."""
    while isinstance(error.__cause__ or error.__context__, Exception):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{error}" or type(error).__name__
