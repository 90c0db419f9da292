"""A PostgreSQL server of the tests' own: `with private_server(folder) as url`. No port, gone afterwards."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

_USER = "postgres"


def missing() -> str:
    """Why there can be none here; empty where there can."""
    if _programs() is None:
        return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    if os.geteuid() == 0 and subprocess.run(["id", _USER], capture_output=True, check=False).returncode:
        return f"root cannot run PostgreSQL, and there is no user {_USER}"
    return ""


@contextlib.contextmanager
def private_server(folder: Path) -> Iterator[str]:
    """A server with its data in `folder`; gives the URL of its database `postgres`."""
    programs = _programs()
    assert programs, missing()
    folder.mkdir(mode=0o700, parents=True)
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    data = folder / "data"
    _run(programs / "initdb", "-D", data, "-A", "trust", "-U", _USER, "--no-sync", "-E", "UTF8")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    _run(programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield f"postgresql://{_USER}@/postgres?host={folder}"
    finally:
        _run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    if found:
        return found[-1].parent
    named = shutil.which("pg_ctl")
    return Path(named).parent if named else None


def _run(*command: object) -> None:
    prefix = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*prefix, *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout.decode()
