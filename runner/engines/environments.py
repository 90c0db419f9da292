"""The locked packages of a challenge, installed once for each lock and shared, read-only, by all sandboxes.

    <state>/environments/
      <digest16>/site-packages/    what the lock names, compiled, mounted on the sandbox's `sys.path`

Only wheels are installed, each checked against the lock's hashes: no code of a package runs on the host. All files
are copies. A hard link into the installer's cache would let one environment reach every other one.
"""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import uv

from assessments.errors import AssayError, InfrastructureError, InvalidChallenge
from assessments.submission import Digest
from runner.engines.rootfs import Rootfs, Say, compile_folder, open_to_all, sole_builder

BUILDER = 1
"""Raised whenever this file makes something else of the same lock: no older environment is used then."""

_INSTALL_TIMEOUT_S = 900
_LAST_LINES = 12


@dataclass(frozen=True, slots=True)
class Environment:
    """An installed lock. `digest` is over the lock's bytes, the Python version and the platform."""

    site_packages: Path
    """A folder to mount read-only at `Rootfs.site_packages`."""
    digest: Digest
    python: str
    """The version of Python it is for: three numbers, such as 3.11.7."""


def ensure_environment(lock: Path, state: Path, rootfs: Rootfs, say: Say) -> Environment:
    """The environment that `lock` describes, installed when `state` has none.

    Safe to call from many processes at once. Raises InvalidChallenge when the lock is at fault (missing, not pinned
    by hash, a hash that does not match, no wheel for this machine) and InfrastructureError when the machine or the
    way to the package index is.
    """
    content = _read(lock)
    digest = _digest(content, rootfs)
    folder = state / "environments"
    environment = Environment(folder / digest[:16] / "site-packages", digest, rootfs.python_version)
    if environment.site_packages.is_dir():
        return environment
    with sole_builder(folder, say) as workshop:
        if not environment.site_packages.is_dir():
            _build(lock, content, workshop, rootfs, say)
            (workshop / "environment").rename(environment.site_packages.parent)
    return environment


def _read(lock: Path) -> bytes:
    try:
        content = lock.read_bytes()
        lines = content.decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{lock}: the lock cannot be read: {error}"
        raise InvalidChallenge(msg) from error
    if problems := [f"{lock}:{number}: {problem}" for number, problem in _problems(lines)]:
        raise InvalidChallenge(problems)
    return content


_PINNED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._, -]+\])? ?== ?[^\s;]+( *;.*)?")
_HASH = re.compile(r"--hash=sha(256|384|512):[0-9a-f]{64,128}")


def _problems(lines: list[str]) -> list[tuple[int, str]]:
    """Every line that is neither a pinned package nor a hash of one: no address, no path, no option of an installer."""
    found = []
    for number, line in enumerate(lines, start=1):
        parts = re.sub(r"(^|\s)#.*$", "", line).rstrip(" \\").split(" --hash=")
        requirement, hashes = parts[0].strip(), [f"--hash={part.strip()}" for part in parts[1:]]
        if requirement.startswith("--hash="):
            requirement, hashes = "", [requirement, *hashes]
        if not all(_HASH.fullmatch(part) for part in hashes) or (requirement and not _PINNED.fullmatch(requirement)):
            found.append((number, f"expected name==version with --hash, not {line.strip()!r:.80}; lock it again"))
    return found


def _digest(content: bytes, rootfs: Rootfs) -> Digest:
    told = json.dumps([BUILDER, rootfs.python_version, sys.implementation.cache_tag, sysconfig.get_platform()])
    return Digest(hashlib.sha256(told.encode() + b"\0" + content).hexdigest())


def _build(lock: Path, content: bytes, workshop: Path, rootfs: Rootfs, say: Say) -> None:
    site_packages = workshop / "environment/site-packages"
    site_packages.mkdir(parents=True)
    if any(not line.lstrip().startswith(b"#") for line in content.splitlines() if line.strip()):
        say(f"installing the packages of {lock.name} for Python {rootfs.python_version}")
        started = time.monotonic()
        _install(lock, content, workshop, site_packages)
        compile_folder(site_packages, rootfs.site_packages)  # what does not compile is a template, never imported
        say(f"packages ready in {time.monotonic() - started:.1f} s")
    open_to_all(workshop / "environment")


def _install(lock: Path, content: bytes, workshop: Path, target: Path) -> None:
    (workshop / "lock.txt").write_bytes(content)  # exactly what the digest is over, even if the file changes now
    options = ["--require-hashes", "--only-binary", ":all:", "--link-mode", "copy", "--no-progress", "--color", "never"]
    command = [_uv(), "pip", "install", "--target", str(target), "--python", sys.executable, *options]
    try:
        done = subprocess.run(
            [*command, "--requirements", str(workshop / "lock.txt")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=_INSTALL_TIMEOUT_S,
            cwd="/",  # no project's settings, wherever the state folder is
            env=_uv_environment(),
        )
    except subprocess.TimeoutExpired:
        msg = f"{lock}: installing took over {_INSTALL_TIMEOUT_S} s; look at the way to the package index and try again"
        raise InfrastructureError(msg) from None
    if done.returncode != 0:
        raise _failure(lock, done.stderr)
    for surplus in ("bin", ".lock"):
        path = target / surplus
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def _uv_environment() -> dict[str, str]:
    """Ours, with its way to the package index, but no Python settings; certificates are those the machine trusts."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {"UV_SYSTEM_CERTS": "1", **ours}


def _uv() -> str:
    try:
        return uv.find_uv_bin()
    except FileNotFoundError as error:
        msg = "the uv program is missing though its package is there; install assay-runner again"
        raise InfrastructureError(msg) from error


_FULL_DISK = re.compile(r"no space left|disk quota", re.IGNORECASE)
_NO_WAY_TO_THE_INDEX = re.compile(
    r"error sending request|failed to fetch|dns error|timed out|connection|certificate|\b(401|403|407|5\d\d)\b",
    re.IGNORECASE,
)
_WRONG_LOCK = re.compile(
    r"hash mismatch|require-hashes|no solution found|no wheels|no `?--?only-binary|couldn't parse", re.IGNORECASE
)


def _failure(lock: Path, stderr: str) -> AssayError:
    """Whose fault uv's refusal is, by what it says; when in doubt it is the machine's."""
    said = "\n".join(stderr.strip().splitlines()[-_LAST_LINES:])
    if _FULL_DISK.search(stderr):
        return InfrastructureError(f"{lock}: the disk is full; free some space and try again. uv said:\n{said}")
    if _WRONG_LOCK.search(stderr) and not _NO_WAY_TO_THE_INDEX.search(stderr):
        fix = f"lock it again for Python {platform.python_version()} on {platform.machine()} (wheels only, with hashes)"
        return InvalidChallenge(f"{lock}: it cannot be installed; {fix}. uv said:\n{said}")
    fix = "see that a package index can be reached (uv reads UV_DEFAULT_INDEX, HTTPS_PROXY, SSL_CERT_FILE)"
    return InfrastructureError(f"{lock}: its packages could not be installed; {fix} and try again. uv said:\n{said}")
