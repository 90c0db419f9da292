"""Packages of companions: fetched once, or taken from a folder, and every way to have none is said in words."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError
from assessments.scorecard import PackageRef
from assessments.submission import Digest
from runner.packages import ensure_packages


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one package of our own, which packages are taken from."""
    control = tmp_path / "tree/DEBIAN/control"
    control.parent.mkdir(parents=True)
    about = "Package: assay-tool\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody\nDescription: a tool\n"
    control.write_text(about)
    tool = tmp_path / "tree/usr/bin/assay-tool"
    tool.parent.mkdir(parents=True)
    tool.write_text("#!/bin/sh\necho yes\n")
    tool.chmod(0o755)
    folder = tmp_path / "archives"
    folder.mkdir()
    build = ["dpkg-deb", "--root-owner-group", "--build", str(tmp_path / "tree")]
    subprocess.run([*build, str(folder / "assay-tool_1.0_all.deb")], check=True, capture_output=True)
    monkeypatch.setenv("ASSAY_DEBIAN_PACKAGES", str(folder))
    return folder


def test_a_package_is_unpacked_once_and_what_it_was_is_written_down(archives: Path, tmp_path: Path) -> None:
    said: list[str] = []
    packages = ensure_packages(("assay-tool",), tmp_path / "state", said.append)
    assert (packages.root / "usr/bin/assay-tool").read_text().endswith("echo yes\n")
    (archive,) = archives.iterdir()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert packages.refs == (PackageRef("assay-tool_1.0_all.deb", Digest(digest)),)
    archive.unlink()
    assert ensure_packages(("assay-tool",), tmp_path / "state", said.append) == packages
    assert said == ["fetching the packages assay-tool"]


def test_a_package_that_is_not_in_the_folder_is_named(archives: Path, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match=r"holds no other-tool_\*\.deb"):
        ensure_packages(("other-tool",), tmp_path / "state", lambda _: None)
    assert not list((tmp_path / "state/packages").glob("[0-9a-f]*"))


def test_without_apt_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "dpkg-deb").symlink_to("/usr/bin/dpkg-deb")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("ASSAY_DEBIAN_PACKAGES", raising=False)
    with pytest.raises(InfrastructureError, match="no apt-get is here to fetch it; put x-tool_"):
        ensure_packages(("x-tool",), tmp_path / "state", lambda _: None)


def test_a_package_that_apt_does_not_know_is_no_half_made_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASSAY_DEBIAN_PACKAGES", raising=False)
    with pytest.raises(InfrastructureError, match="apt-get failed: "):
        ensure_packages(("no-such-package-anywhere",), tmp_path / "state", lambda _: None)
    assert not list((tmp_path / "state/packages").glob("[0-9a-f]*"))
