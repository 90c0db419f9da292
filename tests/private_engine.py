"""Runs a command where a Docker engine answers: `python -P tests/private_engine.py COMMAND [ARGUMENT ...]`.

If one answers already, the command just runs. Else, on Debian as root, Docker is installed from Debian's packages and
an engine is started for as long as the command runs, with a socket, data, pid file and control group of its own, no
network, and no rule in anybody's firewall. Where that may not be done, one loud line says so and the command runs all
the same: tests of that engine are then skipped, and fail where CI=true.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from assessments.errors import InfrastructureError
from runner.engines.choose import EngineName, Wish, choose

_START_TIMEOUT_S = 60
_STOP_TIMEOUT_S = 20
_PACKAGES = ("docker.io", "iptables")
_APPARMOR = Path("/sys/module/apparmor/parameters/enabled")


def main(command: list[str]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the engine is stopped then, too
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests send it, also where we were started to ignore it
    if _answers():
        return subprocess.run(command, check=False).returncode
    if reason := _why_not():
        _say("=" * 100)
        _say(f"assay: NO DOCKER ENGINE: {reason}. The tests of the docker engine are skipped.")
        _say("=" * 100)
        return subprocess.run(command, check=False).returncode
    with private_engine() as url:
        return subprocess.run(command, check=False, env={**os.environ, "DOCKER_HOST": url}).returncode


def _answers() -> bool:
    try:
        chosen = choose(Wish(EngineName.DOCKER))
    except InfrastructureError:
        return False
    assert chosen.daemon
    chosen.daemon.close()
    return True


def _why_not() -> str:
    """Why none can be started here; empty when one can. Installs what is missing."""
    if os.geteuid() != 0:
        return "none answers, and only root can start one here"
    packages = _missing_packages()
    if not packages:
        return ""
    if not shutil.which("apt-get"):
        return "none answers, and only on Debian can one be installed by this script"
    _say(f"assay: installing from Debian's packages: {', '.join(packages)}")
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}  # its own service is not started
    for attempt in (install, ["apt-get", "update", "-qq"], install):
        done = subprocess.run(attempt, env=env, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else f"Docker could not be installed: {done.stderr.strip()[-300:]}"


def _missing_packages() -> list[str]:
    """An engine starts no container without AppArmor's tools where the kernel uses it, as Debian's does."""
    uses_apparmor = _APPARMOR.is_file() and _APPARMOR.read_text().strip() == "Y"
    missing = [] if shutil.which("dockerd") else [*_PACKAGES]
    return [*missing, "apparmor"] if uses_apparmor and not shutil.which("apparmor_parser") else missing


@contextlib.contextmanager
def private_engine() -> Iterator[str]:
    """The address of an engine that nobody else uses, gone with all it held when the block is left."""
    folder = Path(tempfile.mkdtemp(prefix="assay-docker-", dir="/var/tmp"))
    folder.chmod(0o711)
    group = folder.name
    with contextlib.ExitStack() as undo:
        undo.callback(_remove, folder, group)
        log = undo.enter_context((folder / "log").open("wb"))
        daemon = subprocess.Popen(
            [
                "dockerd",
                *("--host", f"unix://{folder}/docker.sock"),
                *("--data-root", folder / "data"),
                *("--exec-root", folder / "exec"),
                *("--pidfile", folder / "docker.pid"),
                *("--exec-opt", "native.cgroupdriver=cgroupfs"),  # where systemd runs, it would take only a slice
                *("--cgroup-parent", f"/{group}"),
                *("--bridge=none", "--iptables=false", "--ip6tables=false"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the command; the engine is stopped after it
        )
        undo.callback(_stop, daemon)
        _await_answer(folder / "docker.sock", daemon)
        yield f"unix://{folder}/docker.sock"


def _await_answer(socket: Path, daemon: "subprocess.Popen[bytes]") -> None:
    import docker

    deadline = time.monotonic() + _START_TIMEOUT_S
    while True:
        with contextlib.suppress(Exception), contextlib.closing(docker.APIClient(f"unix://{socket}", timeout=5)) as api:
            api.ping()
            return
        if daemon.poll() is not None or time.monotonic() > deadline:
            tail = (socket.parent / "log").read_text(errors="replace")[-2000:]
            raise SystemExit(f"assay: the Docker engine did not start; it said:\n{tail}")
        time.sleep(0.05)


def _stop(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(daemon.pid, signal.SIGKILL)
        daemon.wait()


def _remove(folder: Path, group: str) -> None:
    """Take away what an engine leaves when it has stopped: mounts, control groups, data."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", "--lazy", mount], check=False)
    for place in [*Path("/sys/fs/cgroup").glob(f"*/{group}"), Path("/sys/fs/cgroup", group)]:
        with contextlib.suppress(OSError):
            place.rmdir()
    shutil.rmtree(folder, ignore_errors=True)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
