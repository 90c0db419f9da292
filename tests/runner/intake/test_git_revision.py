"""Git revisions: objects are read, nothing of the repository runs, nothing outside it is reached."""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.errors import InfrastructureError, InvalidSubmission, UsageError
from runner.intake import IntakeLimits, receive

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

Git = Callable[..., bytes]

ENVIRONMENT = {
    "PATH": os.environ.get("PATH", os.defpath),
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
}


def run_git(repository: Path, *arguments: str, feed: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", "-C", repository, *arguments], input=feed, env=ENVIRONMENT, check=True, capture_output=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit of main.py and pkg/x.py on the branch `main`."""
    folder = tmp_path / "candidate"
    folder.mkdir()
    run_git(folder, "init", "-q", "-b", "main")
    (folder / "main.py").write_text("print()\n")
    (folder / "pkg").mkdir()
    (folder / "pkg" / "x.py").write_bytes(b"x\r\n\0")
    commit_all(folder)
    return folder


def commit_all(folder: Path) -> str:
    run_git(folder, "add", "-A", "-f")
    run_git(folder, "commit", "-q", "-m", "work")
    return run_git(folder, "rev-parse", "HEAD").decode()


def commit_tree(folder: Path, *records: bytes) -> str:
    """A commit of a tree object written by hand, so that it can hold what git itself would not write."""
    tree = run_git(folder, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", feed=b"".join(records)).decode()
    return run_git(folder, "commit-tree", tree, "-m", "forged").decode()


def tree_record(folder: Path, name: bytes, mode: bytes = b"100644", content: bytes = b"x") -> bytes:
    blob = run_git(folder, "hash-object", "-w", "--stdin", feed=content)
    return mode + b" " + name + b"\0" + bytes.fromhex(blob.decode())


def refused(folder: Path, revision: str, limits: IntakeLimits | None = None) -> str:
    with pytest.raises(InvalidSubmission) as error:
        receive(folder, revision=revision, limits=limits or IntakeLimits())
    return str(error.value)


def test_a_revision_is_read_as_committed_and_not_as_it_lies_in_the_folder(repository: Path) -> None:
    (repository / "main.py").write_text("changed since")
    (repository / "untracked.py").write_text("x")

    received = receive(repository, revision="main")

    assert received.contents == {"main.py": b"print()\n", "pkg/x.py": b"x\r\n\0"}
    assert received.submission.format == "git"
    commit = run_git(repository, "rev-parse", "HEAD").decode()
    assert received.submission.origin == f"candidate at main ({commit[:12]})"


@pytest.mark.parametrize("revision", ["main", "HEAD", "v1", "annotated", "main~1", "refs/heads/main", "topic/a"])
def test_branches_tags_and_ancestors_are_known_packed_or_not(revision: str, repository: Path) -> None:
    (repository / "second.py").write_text("x")
    commit_all(repository)
    run_git(repository, "tag", "v1")
    run_git(repository, "tag", "-a", "annotated", "-m", "x")
    run_git(repository, "branch", "topic/a")
    loose = receive(repository, revision=revision)
    run_git(repository, "pack-refs", "--all")
    run_git(repository, "gc", "-q")

    assert receive(repository, revision=revision).submission == loose.submission


def test_a_full_commit_id_is_known(repository: Path) -> None:
    assert receive(repository, revision=run_git(repository, "rev-parse", "HEAD").decode()).contents


def test_a_bare_repository_and_one_of_sha256_are_read(repository: Path, tmp_path: Path) -> None:
    expected = receive(repository, revision="main").submission.tree_digest
    run_git(tmp_path, "clone", "-q", "--bare", "--no-local", str(repository), "bare.git")
    assert receive(tmp_path / "bare.git", revision="main").submission.tree_digest == expected

    other = tmp_path / "sha256"
    other.mkdir()
    run_git(other, "init", "-q", "-b", "main", "--object-format=sha256")
    shutil.copytree(repository / "pkg", other / "pkg")
    shutil.copy(repository / "main.py", other)
    commit_all(other)
    assert receive(other, revision="main").submission.tree_digest == expected


def test_nothing_that_a_hostile_repository_names_is_run(repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/PWNED\ncat\n")
    trap.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil export-subst export-ignore ident\n")
    (repository / "main.py").write_text("$Format:%H$ $Id$\n")
    commit_all(repository)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tsshCommand = {trap}\n\tgitProxy = {trap}\n")
    settings = {
        "core.fsmonitor": str(trap),
        "core.pager": str(trap),
        "core.editor": str(trap),
        "core.sshCommand": str(trap),
        "core.hooksPath": str(tmp_path),
        "core.alternateRefsCommand": str(trap),
        "core.worktree": "/",
        "filter.evil.clean": str(trap),
        "filter.evil.smudge": str(trap),
        "filter.evil.process": str(trap),
        "filter.evil.required": "true",
        "diff.evil.textconv": str(trap),
        "alias.ls-tree": f"!{trap}",
        "alias.cat-file": f"!{trap}",
        "credential.helper": f"!{trap}",
        "include.path": str(included),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
    }
    for key, value in settings.items():
        run_git(repository, "config", key, value)
    for hook in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change", "fsmonitor-watchman"):
        shutil.copy(trap, repository / ".git" / "hooks" / hook)

    received = receive(repository, revision="main")

    assert received.contents["main.py"] == b"$Format:%H$ $Id$\n"
    assert not (tmp_path / "PWNED").exists()


@pytest.mark.parametrize("transport", ["ext", "upload-pack", "ssh"])
def test_missing_objects_are_not_fetched_from_a_promisor(transport: str, repository: Path, tmp_path: Path) -> None:
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/PWNED\n")
    trap.chmod(0o755)
    url = {"ext": f"ext::{trap}", "upload-pack": str(repository), "ssh": "ssh://nowhere.invalid/x"}[transport]
    for key, value in {
        "core.repositoryFormatVersion": "1",
        "extensions.partialClone": "origin",
        "remote.origin.promisor": "true",
        "remote.origin.url": url,
        "remote.origin.uploadpack": str(trap),
        "core.sshCommand": str(trap),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
    }.items():
        run_git(repository, "config", key, value)
    blob = run_git(repository, "rev-parse", "HEAD:main.py").decode()
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()

    assert '"main.py" is not in the repository' in refused(repository, "main")
    assert not (tmp_path / "PWNED").exists()


def test_objects_are_not_borrowed_from_another_repository(repository: Path, tmp_path: Path) -> None:
    run_git(tmp_path, "clone", "-q", "--shared", str(repository), "borrower")
    assert "borrows objects" in refused(tmp_path / "borrower", "main")


@pytest.mark.parametrize("linked", ["objects", "refs", "HEAD", "packed-refs", "refs/heads", "objects/pack"])
def test_a_link_to_another_repository_s_parts_is_refused(linked: str, repository: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    shutil.copytree(repository, victim, symlinks=True)
    run_git(victim, "pack-refs", "--all")
    target = repository / ".git" / linked
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)
    target.symlink_to(victim / ".git" / linked)

    with pytest.raises((InvalidSubmission, UsageError), match=r"cannot be read|is a link|not a git repository"):
        receive(repository, revision="main")


def test_a_git_file_or_link_that_points_elsewhere_is_not_followed(repository: Path, tmp_path: Path) -> None:
    for number, make in enumerate(
        (
            lambda path: path.write_text(f"gitdir: {repository}/.git\n"),
            lambda path: path.symlink_to(repository / ".git"),
        )
    ):
        other = tmp_path / f"other-{number}"
        other.mkdir()
        make(other / ".git")
        with pytest.raises(UsageError, match="is not a git repository of its own"):
            receive(other, revision="main")


def test_a_folder_inside_a_repository_is_not_taken_for_it(repository: Path) -> None:
    with pytest.raises(UsageError, match="is not a git repository of its own"):
        receive(repository / "pkg", revision="main")


def test_replaced_objects_are_not_believed(repository: Path) -> None:
    honest = run_git(repository, "rev-parse", "HEAD:main.py").decode()
    forged = run_git(repository, "hash-object", "-w", "--stdin", feed=b"forged").decode()
    run_git(repository, "replace", honest, forged)

    assert receive(repository, revision="main").contents["main.py"] == b"print()\n"


def test_a_symbolic_link_is_refused(repository: Path) -> None:
    (repository / "link").symlink_to("/etc/passwd")
    commit_all(repository)
    assert '"link" is a symbolic link' in refused(repository, "main")


def test_a_submodule_is_refused(repository: Path) -> None:
    head = run_git(repository, "rev-parse", "HEAD").decode()
    run_git(repository, "update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    run_git(repository, "commit", "-q", "-m", "submodule")
    assert '"sub" is a submodule' in refused(repository, "main")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (b"..", 'has ".."'),
        (b"../evil", 'has ".."'),
        (b"/etc/x", "absolute path"),
        (b"a\\b", "has a backslash"),
        (b"a\nb", "has a control character"),
        (b"caf\xe9", "is not UTF-8"),
        ("a\u202eb".encode(), "invisible or text-direction"),
        (b"n" * 200, "has a name of 200 bytes"),
    ],
)
def test_a_forged_tree_is_held_to_the_rules_of_names(name: bytes, message: str, repository: Path) -> None:
    assert message in refused(repository, commit_tree(repository, tree_record(repository, name)))


def test_a_forged_tree_with_a_name_twice_is_refused(repository: Path) -> None:
    twice = (tree_record(repository, b"a"), tree_record(repository, b"a", content=b"y"))
    assert '"a" is in there twice' in refused(repository, commit_tree(repository, *twice))


def test_a_tree_that_names_its_own_kind_of_blob_falsely_is_refused(repository: Path) -> None:
    tree = run_git(repository, "rev-parse", "HEAD^{tree}").decode()
    commit = commit_tree(repository, b"100644 main.py\0" + bytes.fromhex(tree))
    assert '"main.py" cannot be read from the repository' in refused(repository, commit)


@pytest.mark.parametrize("leaf", ["a file", "nothing"])
def test_a_git_bomb_ends_at_the_limit_of_entries(leaf: str, repository: Path) -> None:
    """Ten levels of ten folders each, all the same object: 10^10 paths from a dozen small objects."""
    records = [tree_record(repository, b"f")] if leaf == "a file" else []
    object_id = run_git(
        repository, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", feed=b"".join(records)
    ).decode()
    for _ in range(10):
        record = b"".join(b"40000 %d\0" % number + bytes.fromhex(object_id) for number in range(10))
        object_id = run_git(
            repository, "hash-object", "-t", "tree", "--literally", "-w", "--stdin", feed=record
        ).decode()
    commit = run_git(repository, "commit-tree", object_id, "-m", "bomb").decode()
    assert "holds more than 2000 files and folders" in refused(repository, commit)


def test_a_large_blob_is_refused_by_its_size_before_it_is_read(repository: Path) -> None:
    (repository / "big").write_bytes(bytes(3 * 1024 * 1024))
    commit_all(repository)
    limits = IntakeLimits(total_bytes=1024 * 1024)
    assert '"big" would bring the submission to more than 1024 KiB' in refused(repository, "main", limits)


def test_a_damaged_object_is_refused(repository: Path) -> None:
    blob = run_git(repository, "rev-parse", "HEAD:main.py").decode()
    loose = repository / ".git" / "objects" / blob[:2] / blob[2:]
    loose.chmod(stat.S_IRUSR | stat.S_IWUSR)
    loose.write_bytes(loose.read_bytes()[:10])
    assert '"main.py"' in refused(repository, "main")


@pytest.mark.parametrize("revision", ["--all", "-h", "--output=x", "", "a\nb", "x" * 300, "\x1b[31m"])
def test_a_revision_that_is_an_option_or_no_text_is_a_usage_error(revision: str, repository: Path) -> None:
    with pytest.raises(UsageError, match="is not a git revision"):
        receive(repository, revision=revision)


@pytest.mark.parametrize(
    "revision", ["nowhere", "HEAD:main.py", "HEAD^{tree}", "main..HEAD", "^main", "@{-1}", "0" * 40]
)
def test_an_unknown_revision_is_a_usage_error(revision: str, repository: Path) -> None:
    with pytest.raises(UsageError, match="has no commit"):
        receive(repository, revision=revision)


def test_a_repository_without_a_commit_is_a_usage_error(tmp_path: Path) -> None:
    run_git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="has no commit"):
        receive(tmp_path, revision="HEAD")


def test_a_folder_that_is_no_repository_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a git repository"):
        receive(tmp_path, revision="HEAD")


def test_a_missing_git_is_the_infrastructure_s_fault(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InfrastructureError, match="git is not installed"):
        receive(repository, revision="main")


def test_the_caller_s_environment_does_not_reach_git(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_ALTERNATE_OBJECT_DIRECTORIES", str(tmp_path))
    assert receive(repository, revision="main").contents
    assert not (tmp_path / "trace").exists()


def test_the_repository_is_not_written_to(repository: Path) -> None:
    def state() -> dict[str, float]:
        return {str(path): path.lstat().st_mtime_ns for path in repository.rglob("*")}

    before = state()
    receive(repository, revision="main")
    assert state() == before
