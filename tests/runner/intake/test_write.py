"""Writing a submission's files: fixed modes, nothing replaced, no link followed, nothing outside."""

import os
import stat
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError
from runner.intake import write_tree


def test_folders_are_0755_and_files_0444_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_tree({"main.py": b"x", "a/b/c.txt": b"y", "a/d": b""}, tmp_path / "tree")
    finally:
        os.umask(before)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "tree").rglob("*")}
    assert modes == {"main.py": 0o444, "a": 0o755, "b": 0o755, "c.txt": 0o444, "d": 0o444}
    assert stat.S_IMODE((tmp_path / "tree").stat().st_mode) == 0o755
    assert (tmp_path / "tree/a/b/c.txt").read_bytes() == b"y"


def test_an_existing_empty_folder_is_used(tmp_path: Path) -> None:
    write_tree({"x": b"1"}, tmp_path)
    assert (tmp_path / "x").read_bytes() == b"1"


def test_a_folder_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").symlink_to("/tmp")
    with pytest.raises(InfrastructureError, match="is not empty"):
        write_tree({"x": b"1"}, tmp_path)


def test_a_link_in_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(InfrastructureError):
        write_tree({"x": b"1"}, tmp_path / "link")
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.parametrize("path", ["../evil", "/evil", "a/../../evil", "", "a//b", ".", "a\0b"])
def test_an_unsafe_path_is_a_fault_of_ours_and_writes_nothing(path: str, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError, match="not a safe path"):
        write_tree({"good.py": b"", path: b"evil"}, tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_a_path_cannot_be_a_file_and_a_folder(paths: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(InfrastructureError):
        write_tree(dict.fromkeys(paths, b""), tmp_path / "tree")


def test_a_disk_that_fails_is_the_infrastructure_s_fault(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InfrastructureError, match="cannot write a submission there"):
        write_tree({"x": b"1"}, tmp_path / "file" / "tree")
