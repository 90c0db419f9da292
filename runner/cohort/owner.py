"""Who takes gradings: a runner, named so that others can find out whether it still lives."""

from pathlib import Path

from runner.engines.runs import Run, is_owned

_ID = "id"


def owner_of(store: Path, run: Run) -> str:
    """This runner's name: which state folder it works with, and its run there."""
    return f"{place_of(store)}/{run.id}"


def is_dead(store: Path, state: Path, owner: str) -> bool | None:
    """Whether that runner is dead: its lock is free. None for one with another state folder, of which nobody knows."""
    place, _, run_id = owner.partition("/")
    return None if place != place_of(store) else not is_owned(state, run_id)


def place_of(store: Path) -> str:
    """What tells this state folder from others that share a database with it."""
    status = store.stat()
    machine = Path("/etc/machine-id")
    host = machine.read_text().strip() if machine.is_file() else ""
    return f"{host}-{status.st_dev:x}-{status.st_ino:x}"
