"""Which engine a run uses, and why: Docker where one answers that can hold sandboxes, bubblewrap where none does.

Asked for in this order: an option of the command, `ASSAY_ENGINE` and `ASSAY_RUNTIME`, else what is found.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from assessments.errors import InfrastructureError, UsageError
from runner.engines.docker.endpoint import endpoints

if TYPE_CHECKING:
    from runner.engines.docker.daemon import Daemon

ENGINE_VARIABLE, RUNTIME_VARIABLE = "ASSAY_ENGINE", "ASSAY_RUNTIME"


class EngineName(StrEnum):
    """What may be asked for."""

    AUTO = "auto"
    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for. `runtime`: one of the Docker engine's own, such as runsc; None for its default."""

    engine: EngineName = EngineName.AUTO
    runtime: str | None = None


def wish(engine: str | None, runtime: str | None, env: Mapping[str, str] = os.environ) -> Wish:
    """Options first, then the environment. Raises UsageError for an engine that there is not."""
    named = engine or env.get(ENGINE_VARIABLE) or EngineName.AUTO
    if named not in list(EngineName):
        raise UsageError(f"{ENGINE_VARIABLE}: there is no engine {named!r}; use {', '.join(EngineName)}")
    return Wish(EngineName(named), runtime or env.get(RUNTIME_VARIABLE) or None)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The engine to use: Docker's if `daemon` is there, else bubblewrap. `why` is for people."""

    daemon: "Daemon | None"
    why: str
    passed_over: tuple[str, ...] = ()
    """Docker engines that are there and cannot be used, each with the reason."""


def choose(wish: Wish, env: Mapping[str, str] = os.environ) -> Chosen:
    """Raises InfrastructureError when Docker was asked for and cannot be had, or has no such runtime."""
    if wish.engine is EngineName.BUBBLEWRAP:
        return Chosen(None, "it was asked for")
    if not any(endpoints(env)):
        if wish.engine is EngineName.DOCKER or wish.runtime:
            raise InfrastructureError("no Docker engine was found: start one, or name its socket with DOCKER_HOST")
        return Chosen(None, "no Docker engine was found")
    from runner.engines.docker.daemon import find_daemon  # slow to import, and not needed where there is none

    found = find_daemon(env)
    if isinstance(found, tuple):
        if wish.engine is EngineName.DOCKER or wish.runtime:
            raise InfrastructureError(found)
        return Chosen(None, "no Docker engine can be used", found)
    runtimes = found.told.get("Runtimes") or {}
    if wish.runtime and wish.runtime not in runtimes:
        found.close()
        known = ", ".join(sorted(runtimes))
        raise InfrastructureError(
            f"the Docker engine at {found.endpoint.url} has no runtime {wish.runtime}: it has {known}"
        )
    why = "it was asked for" if wish.engine is EngineName.DOCKER else "it answers"
    return Chosen(found, f"{why} at {found.endpoint.url}, found by {found.endpoint.found_by}")
