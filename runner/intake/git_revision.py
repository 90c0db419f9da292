"""Reading a submission from a local git repository at a revision: objects only, nothing of the repository is run.

A repository can name programs in its configuration (file system monitors, filters, transports, hooks) and point to
objects anywhere on this machine. So git never sees the candidate's repository: it gets an empty one of ours whose
refs are a copy and whose object folder is the candidate's, after a look that it holds no link and no alternates.
Contents come from `git ls-tree` and `git cat-file --batch`, so there is no checkout, no filter and no export rule.
"""

import os
import re
import resource
import shutil
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from assessments.errors import InfrastructureError, UsageError
from runner.intake.folder import refusal
from runner.intake.git_stand_in import CLONE, find_repository, make_stand_in
from runner.intake.problems import shown
from runner.intake.tree import Tree

_TIMEOUT_S: Final = 30.0
_GIT_MEMORY_BYTES: Final = 2 * 1024**3
_GIT_CPU_S: Final = 60
_REVISION_CHARACTERS: Final = 200
_LISTING_BYTES: Final = 16 * 1024 * 1024
_FOLDER_MODE: Final = 0o040000
_SUBMODULE_MODE: Final = 0o160000


def gather_revision(folder: Path, revision: str, tree: Tree) -> str:
    """Read every file of `revision` into `tree` and return the commit's full id.

    Raises UsageError when `folder` is not the top of a repository or the revision is not known there,
    InfrastructureError without a git binary, InvalidSubmission for everything that is wrong with the contents.
    """
    if not revision or revision.startswith("-") or len(revision) > _REVISION_CHARACTERS or not revision.isprintable():
        raise UsageError(f"{shown(revision)} is not a git revision. Give a branch, a tag or a commit.")
    program = shutil.which("git")
    if program is None:
        raise InfrastructureError("git is not installed: a revision cannot be read. Install git, or give a folder.")
    repository = find_repository(folder)
    with tempfile.TemporaryDirectory(prefix="assay-git-") as scratch:
        git = _Git(program, make_stand_in(repository, Path(scratch), tree), repository / "objects")
        commit = _commit(git, revision, folder)
        _gather_blobs(git, _list_blobs(git, commit, tree), tree)
    return commit


@dataclass(frozen=True, slots=True)
class _Git:
    """The git binary on our stand-in repository and the candidate's objects."""

    program: str
    repository: Path
    objects: Path

    @contextmanager
    def run(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A git process with pipes, killed at the end of the block or after the time-out, whichever is first.

        Its stderr goes nowhere: what it says may be the candidate's words, and a full pipe would stall it.
        """
        with subprocess.Popen(
            [self.program, "--no-pager", *_settings(), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.repository,
            env=self._environment(),
            start_new_session=True,
        ) as process:
            watchdog = threading.Timer(_TIMEOUT_S, process.kill)
            watchdog.daemon = True
            watchdog.start()
            try:
                _limit(process.pid)
                yield process
            finally:
                watchdog.cancel()
                process.kill()

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_DIR": str(self.repository),
            "GIT_OBJECT_DIRECTORY": str(self.objects),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": os.devnull,
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def _settings() -> tuple[str, ...]:
    """No transports or monitors, no caches that may say something else than the objects, small memory maps."""
    settings = (
        "safe.directory=*",
        "protocol.allow=never",
        "core.fsmonitor=false",
        f"core.hooksPath={os.devnull}",
        "core.commitGraph=false",
        "core.multiPackIndex=false",
        "core.packedGitWindowSize=32m",
        "core.packedGitLimit=256m",
    )
    return tuple(part for setting in settings for part in ("-c", setting))


def _limit(pid: int) -> None:
    """Bound what a pack made to exhaust git can take; it ends with an error then, and so does the intake."""
    try:
        resource.prlimit(pid, resource.RLIMIT_AS, (_GIT_MEMORY_BYTES, _GIT_MEMORY_BYTES))
        resource.prlimit(pid, resource.RLIMIT_CPU, (_GIT_CPU_S, _GIT_CPU_S))
        resource.prlimit(pid, resource.RLIMIT_CORE, (0, 0))
    except ProcessLookupError:
        pass  # it has ended already


def _commit(git: _Git, revision: str, folder: Path) -> str:
    arguments = ("rev-parse", "--verify", "--quiet", "--end-of-options", revision + "^{commit}")
    with git.run(*arguments) as process:
        answer = _output(process).read(256)
        succeeded = process.wait() == 0
    commit = answer.decode("ascii", "replace").strip()
    if not succeeded or not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit):
        raise UsageError(
            f"{shown(str(folder))} has no commit {shown(revision)} that git can read. See `git log --all` there."
        )
    return commit


@dataclass(frozen=True, slots=True)
class _Blob:
    path: str
    object_id: bytes
    size_bytes: int


def _list_blobs(git: _Git, commit: str, tree: Tree) -> list[_Blob]:
    """The files of the commit's tree that are wanted. Folders are listed too, so that a huge tree ends at the limit."""
    blobs = []
    with git.run("ls-tree", "-r", "-t", "-z", "-l", "--full-tree", commit) as process:
        for record in _listing_records(_output(process), tree):
            blob = _wanted(record, tree)
            if blob is not None:
                blobs.append(blob)
        if process.wait() != 0:
            tree.stop(f"has folders that git cannot list within {_TIMEOUT_S:.0f} s. {CLONE}")
    tree.raise_if_refused()
    return blobs


def _listing_records(output: IO[bytes], tree: Tree) -> Iterator[bytes]:
    """Records that end in NUL, each handed on as soon as it is read."""
    total_bytes, rest = 0, b""
    while chunk := os.read(output.fileno(), 64 * 1024):
        total_bytes += len(chunk)
        if total_bytes > _LISTING_BYTES:
            tree.stop("has names that are far too long. Shorten them.")
        *records, rest = (rest + chunk).split(b"\0")
        yield from records


def _wanted(record: bytes, tree: Tree) -> _Blob | None:
    description, _, raw_path = record.partition(b"\t")
    mode_text, _, object_id, size_text = description.split()
    mode, path = int(mode_text, 8), raw_path.decode("utf-8", "surrogateescape")
    folder = mode == _FOLDER_MODE
    if tree.enter(path, folder=folder) is None or folder:
        return None
    if mode == _SUBMODULE_MODE:
        tree.refuse(path, "is a submodule. Put its files in its place.")
    elif not stat.S_ISREG(mode):
        tree.refuse(path, refusal(mode))
    elif not size_text.isdigit():
        tree.refuse(path, "is not in the repository. Fetch it (a partial or damaged clone lacks contents).")
    else:
        tree.reserve(path, int(size_text))
        return _Blob(path, object_id, int(size_text))
    return None


def _gather_blobs(git: _Git, blobs: list[_Blob], tree: Tree) -> None:
    """Ask for one object at a time, so that neither side waits with a full pipe."""
    with git.run("cat-file", "--batch") as process:
        output, questions = _output(process), process.stdin
        assert questions is not None
        for blob in blobs:
            try:
                os.write(questions.fileno(), blob.object_id + b"\n")
                answer = output.readline(256)
                contents = output.read(blob.size_bytes + 1)
            except BrokenPipeError:
                answer, contents = b"", b""
            if answer.split() != [blob.object_id, b"blob", b"%d" % blob.size_bytes] or contents[-1:] != b"\n":
                tree.stop(f"cannot be read from the repository: run `git fsck` there. {CLONE}", entry=blob.path)
            tree.keep(blob.path, contents[:-1])


def _output(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout
