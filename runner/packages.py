"""Debian packages for companions that are real programs: fetched once by the host's own apt, unpacked, never installed.

<state>/packages/<digest16 of the names>/
  root/            what sandboxes see at /packages
  packages.json    by name, the archive's file name and SHA-256
"""

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from assessments.errors import InfrastructureError
from assessments.scorecard import PackageRef
from runner.engines.rootfs import Say, sole_builder

FOLDER_VARIABLE = "ASSAY_DEBIAN_PACKAGES"
"""Names a folder of .deb files, for hosts without apt or a mirror."""
_FETCH_TIMEOUT_S = 300
_UNPACK_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Packages:
    """Unpacked packages, and which they were."""

    root: Path
    refs: tuple[PackageRef, ...]


def ensure_packages(names: tuple[str, ...], state: Path, say: Say) -> Packages:
    """These packages, fetched and unpacked when `state` does not have them yet. Raises InfrastructureError.

    apt proves what it fetches by the archive's signatures; what was fetched stands in packages.json.
    """
    folder = state / "packages"
    key = hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:16]
    finished = folder / key
    if not finished.is_dir():
        with sole_builder(folder, say) as workshop:
            if not finished.is_dir():
                say(f"fetching the packages {', '.join(names)}")
                _build(names, workshop, workshop / "made")
                (workshop / "made").rename(finished)
    known = json.loads((finished / "packages.json").read_bytes())
    return Packages(finished / "root", tuple(PackageRef(one["archive"], one["sha256"]) for one in known.values()))


def _build(names: tuple[str, ...], workshop: Path, made: Path) -> None:
    if shutil.which("dpkg-deb") is None:
        raise InfrastructureError("no dpkg-deb is here to unpack a companion's packages; install dpkg")
    root = made / "root"
    root.mkdir(parents=True, mode=0o755)
    made.chmod(0o755)
    known = {}
    for name in names:
        archive = _archive(name, workshop)
        _run(["dpkg-deb", "--extract", str(archive), str(root)], _UNPACK_TIMEOUT_S, workshop)
        known[name] = {"archive": archive.name, "sha256": hashlib.sha256(archive.read_bytes()).hexdigest()}
    (made / "packages.json").write_text(json.dumps(known, indent=1, sort_keys=True))


def _archive(name: str, workshop: Path) -> Path:
    own = os.environ.get(FOLDER_VARIABLE)
    if own:
        found = sorted(Path(own).glob(f"{name}_*.deb"))
        if not found:
            raise InfrastructureError(
                f"{own}: holds no {name}_*.deb; put the package there, or unset {FOLDER_VARIABLE}"
            )
        return found[-1]
    if shutil.which("apt-get") is None:
        msg = f"a companion needs the Debian package {name}, and no apt-get is here to fetch it"
        raise InfrastructureError(f"{msg}; put {name}_*.deb into a folder and name it in {FOLDER_VARIABLE}")
    fetched = workshop / name
    fetched.mkdir(mode=0o777)
    fetched.chmod(0o777)  # apt fetches as a user of its own
    _run(["apt-get", "download", "--quiet", name], _FETCH_TIMEOUT_S, fetched)
    (archive,) = fetched.glob("*.deb")
    return archive


def _run(command: list[str], timeout_s: float, folder: Path) -> None:
    ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout_s, check=False)
    if ended.returncode != 0:
        said = (ended.stderr or ended.stdout).strip().splitlines()
        last = said[-1] if said else "it said nothing"
        raise InfrastructureError(
            f"{command[0]} failed: {last}; has apt-get update been run, and is a mirror in reach?"
        )
