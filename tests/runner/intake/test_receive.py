"""Receiving: every format gives the same tree, the bytes handed in stay as they are, mistakes have clear messages."""

import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from assessments.errors import InvalidSubmission, UsageError
from runner.intake import IntakeLimits, receive, unpack

CONTENTS = {
    "main.py": b"print('hello')\n",
    "conftest.py": b"raise SystemExit(0)\n",
    "sitecustomize.py": b"import os\n",
    "-rf": b"",
    "@file": b"@other",
    "Dockerfile": b"FROM scratch\n",
    ".dockerignore": b"*\n",
    "x.pth": b"import os; os.abort()\n",
    "pkg/aux.py": b"\0\xff\r\n",
    "pkg/größe 数.txt": b"x" * 70_000,
}
TREE_DIGEST = "2975e7e7e11fe21001fb88aaeef53c957d6a1cf7851452be964cd54aa560344e"
PACKED_DIGEST = "3068339d3d702b863ec47cd37d9230757333b10af3080db58704e6e6fb8b3303"


def as_folder(contents: Mapping[str, bytes], folder: Path) -> Path:
    for name, data in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def as_zip(contents: Mapping[str, bytes], path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)
    return path


def as_tar(contents: Mapping[str, bytes], path: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in contents.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def as_repository(contents: Mapping[str, bytes], folder: Path) -> Path:
    as_folder(contents, folder)
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for arguments in (("init", "-q"), ("add", "-Af"), (*who, "commit", "-q", "-m", "x")):
        subprocess.run(["git", "-C", folder, "-c", "core.autocrlf=false", *arguments], check=True)
    return folder


def test_every_format_gives_the_same_files_and_tree_digest(tmp_path: Path) -> None:
    received = [
        receive(as_folder(CONTENTS, tmp_path / "folder")),
        receive(as_zip(CONTENTS, tmp_path / "a.zip")),
        receive(as_zip(CONTENTS, tmp_path / "stored.ZIP", zipfile.ZIP_STORED)),
        receive(as_tar(CONTENTS, tmp_path / "a.tar")),
        receive(as_tar(CONTENTS, tmp_path / "a.tar.gz", "w:gz")),
        receive(as_tar(CONTENTS, tmp_path / "a.tgz", "w:gz")),
    ]
    if shutil.which("git"):
        received.append(receive(as_repository(CONTENTS, tmp_path / "repository"), revision="HEAD"))

    assert all(dict(one.contents) == CONTENTS for one in received)
    assert len({one.submission.tree_digest for one in received}) == 1
    assert len({one.submission.files for one in received}) == 1
    assert [one.submission.format for one in received] == ["folder", "zip", "zip", "tar", "tar.gz", "tar.gz", "git"][
        : len(received)
    ]


def test_digests_stay_the_same_from_version_to_version(tmp_path: Path) -> None:
    """Stored submissions are found by these: a change here orphans them."""
    submission = receive(as_folder(CONTENTS, tmp_path / "folder")).submission

    assert submission.tree_digest == TREE_DIGEST
    assert submission.digest == PACKED_DIGEST


def test_an_archive_is_kept_byte_for_byte(tmp_path: Path) -> None:
    path = as_zip(CONTENTS, tmp_path / "a.zip")
    assert receive(path).archive == path.read_bytes()


def test_the_archive_of_a_folder_is_plain_and_has_no_trace_of_this_machine(tmp_path: Path) -> None:
    received = receive(as_folder(CONTENTS, tmp_path / "folder"))
    with tarfile.open(fileobj=io.BytesIO(received.archive)) as archive:
        members = archive.getmembers()
    assert [member.name for member in members] == sorted(CONTENTS)
    assert {(member.mtime, member.uid, member.gid, member.uname, member.mode) for member in members} == {
        (0, 0, 0, "", 0o644)
    }


@pytest.mark.parametrize("make", [as_zip, as_tar], ids=["zip", "tar"])
def test_a_stored_archive_can_be_unpacked_again(make: object, tmp_path: Path) -> None:
    path = as_zip(CONTENTS, tmp_path / "a.zip") if make is as_zip else as_tar(CONTENTS, tmp_path / "a.tar")
    received = receive(path)
    assert unpack(received.archive, received.submission.format, received.submission.origin) == received


def test_the_archive_made_of_a_folder_can_be_unpacked_again(tmp_path: Path) -> None:
    received = receive(as_folder(CONTENTS, tmp_path / "folder"))
    assert unpack(received.archive, "folder", "folder") == received


WRAPPED = {f"candidate-main/{name}": data for name, data in CONTENTS.items()}


def test_a_folder_around_everything_is_taken_off_when_the_required_files_are_in_it(tmp_path: Path) -> None:
    received = receive(as_zip(WRAPPED, tmp_path / "a.zip"), required_files=("main.py",))
    assert dict(received.contents) == CONTENTS


def test_a_sibling_that_a_tool_left_does_not_keep_the_folder_around(tmp_path: Path) -> None:
    path = as_zip(WRAPPED | {"__MACOSX/candidate-main/._main.py": b""}, tmp_path / "a.zip")
    assert dict(receive(path, required_files=("main.py",)).contents) == CONTENTS


def test_the_folder_around_stays_when_nothing_is_required_or_the_files_are_not_in_it(tmp_path: Path) -> None:
    path = as_zip(WRAPPED, tmp_path / "a.zip")
    assert dict(receive(path).contents) == WRAPPED
    assert dict(receive(path, required_files=("main.py", "train.py")).contents) == WRAPPED


def test_the_folder_around_stays_when_it_is_not_around_everything(tmp_path: Path) -> None:
    path = as_zip(WRAPPED | {"README.md": b""}, tmp_path / "a.zip")
    assert "candidate-main/main.py" in receive(path, required_files=("main.py",)).contents


def test_required_files_at_the_top_come_first(tmp_path: Path) -> None:
    contents = {"main.py": b"outer", "a/main.py": b"inner"}
    path = as_zip(contents, tmp_path / "a.zip")
    assert dict(receive(path, required_files=("main.py",)).contents) == dict(sorted(contents.items()))


def test_a_folder_around_everything_is_taken_off_in_a_folder_and_a_tar_alike(tmp_path: Path) -> None:
    folder = receive(as_folder(WRAPPED, tmp_path / "folder"), required_files=("main.py",))
    tar = receive(as_tar(WRAPPED, tmp_path / "a.tar"), required_files=("main.py",))
    assert folder.submission.tree_digest == tar.submission.tree_digest
    assert dict(tar.contents) == CONTENTS


@pytest.mark.parametrize("name", ["missing.zip", "missing", "a\0b", "x" * 5000])
def test_a_path_that_does_not_exist_is_a_usage_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be found"):
        receive(tmp_path / name)


@pytest.mark.parametrize("name", ["a.rar", "a.7z", "a.tar.xz", "a.py", "zip", "a.zip.exe"])
def test_an_unsupported_format_is_a_usage_error_that_lists_the_supported_ones(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(UsageError, match=r"\.zip, \.tar\.gz, \.tgz or \.tar"):
        receive(tmp_path / name)


def test_a_pipe_or_a_device_named_like_an_archive_is_a_usage_error(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.zip")
    (tmp_path / "zero.tar").symlink_to("/dev/zero")
    for name in ("pipe.zip", "zero.tar"):
        with pytest.raises(UsageError, match="neither a file nor a folder"):
            receive(tmp_path / name)


def test_a_revision_of_a_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="only known to a git repository"):
        receive(as_zip(CONTENTS, tmp_path / "a.zip"), revision="main")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_an_archive_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    path = as_zip(CONTENTS, tmp_path / "a.zip")
    path.chmod(0)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        receive(path)


def test_an_archive_over_the_limit_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(60 * 1024**3)
    with pytest.raises(InvalidSubmission, match=r'"large.zip": is larger than 1024 bytes'):
        receive(path, limits=IntakeLimits(archive_bytes=1024))


def test_a_hostile_file_name_is_escaped_in_messages(tmp_path: Path) -> None:
    path = tmp_path / "\x1b[2J\u202e.zip"
    path.write_bytes(b"")
    with pytest.raises(InvalidSubmission) as refused:
        receive(path)
    assert str(refused.value).isprintable()
