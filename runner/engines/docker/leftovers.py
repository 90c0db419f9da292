"""Containers whose run is dead. They are found by their labels, so that none needs a record that could be lost."""

import contextlib
from collections.abc import Callable

from assessments.errors import InfrastructureError
from runner.engines.cgroups import accounts_of
from runner.engines.docker.container import RUN_LABEL, STATE_LABEL
from runner.engines.docker.daemon import Daemon


def remove_containers(daemon: Daemon, state: str, alive: Callable[[str], bool]) -> int:
    """Remove the containers of this state folder's dead runs; how many there were.

    Raises InfrastructureError with the first failure, after all have been tried.
    """
    removed, failures = 0, []
    for container, labels in daemon.containers([f"{STATE_LABEL}={state}"]):
        if not alive(labels.get(RUN_LABEL, "")):
            try:
                _thaw(daemon, container)
                daemon.remove(container)
                removed += 1
            except InfrastructureError as error:
                failures.append(error)
    if failures:
        raise failures[0]
    return removed


def _thaw(daemon: Daemon, container: str) -> None:
    """A runner that died while it measured leaves one frozen, and the engine cannot kill what it does not know of."""
    pid = daemon.pid_of(container)
    with contextlib.suppress(OSError):  # it may come to its end by itself meanwhile
        accounts = accounts_of(pid) if pid else None
        if accounts:
            accounts.let_die()
