"""Folders: read by descriptors; links and special files refused; tool droppings left out."""

import os
import socket
from pathlib import Path

import pytest

from assessments.errors import InvalidSubmission, UsageError
from runner.intake import IntakeLimits, receive


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A candidate's folder with one good file."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "main.py").write_text("print()\n")
    return folder


def refused(folder: Path, limits: IntakeLimits | None = None) -> str:
    with pytest.raises(InvalidSubmission) as error:
        receive(folder, limits=limits or IntakeLimits())
    return str(error.value)


def test_files_come_with_their_paths_and_without_their_modes(work: Path) -> None:
    (work / "pkg" / "deep").mkdir(parents=True)
    (work / "pkg" / "deep" / "x.py").write_bytes(b"x")
    before = receive(work)
    (work / "main.py").chmod(0o4755)
    os.utime(work / "main.py", (1, 1))
    after = receive(work)

    assert before.contents == {"main.py": b"print()\n", "pkg/deep/x.py": b"x"}
    assert before.archive == after.archive
    assert before.submission == after.submission


def test_a_link_to_a_file_is_refused_and_not_read(work: Path) -> None:
    (work / "secret.txt").symlink_to("/etc/passwd")
    assert '"secret.txt" is a symbolic link' in refused(work)


def test_a_link_to_a_folder_is_refused_and_not_entered(work: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "x").write_text("x")
    (work / "in").symlink_to(tmp_path / "outside")
    (work / "loop").symlink_to(work)
    message = refused(work)
    assert '"in" is a symbolic link' in message
    assert '"loop" is a symbolic link' in message


def test_a_pipe_is_refused_without_waiting_for_a_writer(work: Path) -> None:
    os.mkfifo(work / "pipe")
    assert '"pipe" is a named pipe' in refused(work)


def test_a_socket_is_refused(work: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(work / "s"))
        assert '"s" is a socket' in refused(work)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a device")
def test_a_device_is_refused_and_not_opened(work: Path) -> None:
    try:
        os.mknod(work / "zero", 0o20666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this host makes no devices")
    assert '"zero" is a device' in refused(work)


def test_a_name_that_is_not_utf8_is_refused(work: Path) -> None:
    Path(os.fsdecode(os.fsencode(work) + b"/caf\xe9.py")).write_bytes(b"")
    assert r'"caf\udce9.py" has a name that is not UTF-8' in refused(work)


def test_a_newline_or_a_backslash_in_a_name_is_refused(work: Path) -> None:
    (work / "a\nb").write_text("")
    (work / "a\\b").write_text("")
    message = refused(work)
    assert r'"a\nb" has a control character' in message
    assert r'"a\\b" has a backslash' in message


def test_a_sparse_file_of_60_gigabytes_is_refused_by_its_size(work: Path) -> None:
    with (work / "sparse").open("wb") as file:
        file.truncate(60 * 1024**3)
    assert '"sparse" would bring the submission to more than 50 MiB' in refused(work)


def test_too_many_files_are_refused(work: Path) -> None:
    limits = IntakeLimits(entries=10)
    for number in range(10):
        (work / f"{number}.txt").write_text("")
    assert "holds more than 10 files" in refused(work, limits)
    for number in range(400):
        (work / f"more-{number}.txt").write_text("")
    assert "more than 10 files" in refused(work, limits)


def test_a_deep_folder_is_not_followed_below_the_limit(work: Path) -> None:
    descriptor = os.open(work, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    assert "lies 17 levels deep" in refused(work)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission_is_named(work: Path) -> None:
    (work / "closed").write_text("")
    (work / "closed").chmod(0)
    assert '"closed" cannot be read (Permission denied)' in refused(work)


def test_a_file_that_holds_more_than_it_says_is_refused() -> None:
    with pytest.raises((InvalidSubmission, UsageError)):
        receive(Path("/proc/self/fdinfo"))


def test_what_tools_leave_behind_is_left_out_links_and_all(work: Path) -> None:
    for name in (".git", "__pycache__", "venv/bin", "pkg/node_modules/x", ".ruff_cache"):
        (work / name).mkdir(parents=True)
        (work / name / "file").write_text("x")
    (work / "venv" / "bin" / "python").symlink_to("/usr/bin/python3")
    (work / ".venv").symlink_to("/usr")
    (work / ".DS_Store").write_text("x")
    (work / "._main.py").write_text("x")

    received = receive(work)

    assert list(received.contents) == ["main.py"]
    assert received.left_out == (
        ".DS_Store",
        "._main.py",
        ".git",
        ".ruff_cache",
        ".venv",
        "__pycache__",
        "pkg/node_modules",
        "venv",
    )


def test_the_history_of_a_repository_is_no_part_of_a_folder_s_submission(work: Path) -> None:
    (work / ".git").mkdir()
    (work / ".git" / "packed-refs").write_text("the expected answers")
    received = receive(work)
    assert b"expected answers" not in received.archive
    assert ".git" not in str(received.submission.files)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    assert "holds no files" in refused(tmp_path / "empty")


def test_the_folder_itself_may_be_named_through_a_link(work: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(work)
    assert receive(tmp_path / "link").contents == receive(work).contents


def test_no_descriptor_is_left_open(work: Path) -> None:
    (work / "link").symlink_to("x")
    (work / "d" / "e").mkdir(parents=True)
    before = len(list(Path("/proc/self/fd").iterdir()))
    refused(work)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
