"""Where an engine with Docker's API may answer, in the order in which to ask.

1. `DOCKER_HOST`, and then nothing else
2. the current context of the docker command, unless it is the default one
3. the system's socket, the user's own (rootless), Podman's
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_SYSTEM = Path("/var/run/docker.sock")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that was found, and by what."""

    url: str
    found_by: str

    @property
    def local(self) -> bool:
        """Whether it is a socket of this machine: the grader joins a sandbox's network, which must be here."""
        return self.url.startswith("unix://")

    @property
    def socket(self) -> Path:
        return Path(self.url.removeprefix("unix://"))


def endpoints(env: Mapping[str, str]) -> Iterator[Endpoint]:
    """Every place to ask; none of them may answer."""
    if env.get("DOCKER_HOST"):
        yield Endpoint(env["DOCKER_HOST"], "DOCKER_HOST")
        return
    if url := _of_the_context(env):
        yield Endpoint(url, "the current docker context")
    runtime = Path(env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    for socket in (_SYSTEM, runtime / "docker.sock", Path("/run/podman/podman.sock"), runtime / "podman/podman.sock"):
        if socket.exists():
            yield Endpoint(f"unix://{socket}", str(socket))


def _of_the_context(env: Mapping[str, str]) -> str | None:
    """The address of the current context; None for the default one, or where the docker command was never set up."""
    settings = Path(env.get("DOCKER_CONFIG") or Path(env.get("HOME", "/")) / ".docker") / "config.json"
    if not env.get("DOCKER_CONTEXT") and not (settings.is_file() and "currentContext" in settings.read_text("utf-8")):
        return None
    from docker.context import ContextAPI  # slow to import, and only needed where somebody has chosen a context
    from docker.errors import DockerException

    with contextlib.suppress(DockerException, OSError, ValueError, KeyError):
        context = ContextAPI.get_context(env.get("DOCKER_CONTEXT"))
        if context is not None and context.Name != "default":
            return str(context.Host)
    return None
