"""The command line as its users meet it: real processes, exit codes, messages without tracebacks."""

import json
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"
SUM = SAMPLES / "add-numbers"
RIGHT = SUM / "solutions/accepted/reference"
Assay = Callable[..., "subprocess.CompletedProcess[str]"]
ASSAY = (sys.executable, "-m", "runner.cli.main")


def grade(path: str | Path, challenge: str | Path = SUM, *more: str) -> list[str]:
    return ["grade", str(path), "-c", str(challenge), "--allow-unenforced", "-o", "out", *more]


def test_a_grading_prints_a_table_and_writes_everything_once(assay: Assay, tmp_path: Path) -> None:
    done = assay(*grade(RIGHT))
    assert done.returncode == 0, done.stderr
    assert "100%" in done.stdout
    (folder,) = (tmp_path / "out").iterdir()
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "scorecard.json",
        "signature.json",
        "submission.tar",
        "starter.tar",
        "report.html",
        "candidate.html",
    }
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o444}
    assert str(folder.relative_to(tmp_path)) in done.stdout


def test_json_is_one_document_on_stdout_and_progress_is_on_stderr(assay: Assay) -> None:
    document = json.loads(assay(*grade(RIGHT), "--json").stdout)
    assert document["scorecard"]["points"]["earned"] == 1


def test_several_submissions_are_graded_in_one_run(assay: Assay) -> None:
    done = assay(*grade(RIGHT), SUM / "solutions/broken/subtracts", SUM / "solutions/cheat/claims-success")
    assert done.returncode == 0
    for name, score in (("reference", "100%"), ("subtracts", "0%"), ("claims-success", "0%")):
        assert any(name in line and f" {score} " in line for line in done.stdout.splitlines()), done.stdout


def test_a_candidate_who_scores_nothing_is_no_error_but_a_gate_can_make_it_one(assay: Assay) -> None:
    wrong = SUM / "solutions/broken/subtracts"
    assert assay(*grade(wrong)).returncode == 0
    assert assay(*grade(wrong), "--fail-under", "50").returncode == 1
    assert assay(*grade(RIGHT), "--fail-under", "50").returncode == 0


def bomb(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("main.py", bytes(80_000_000))
    return folder / "bomb.zip"


def traversal(folder: Path) -> Path:
    with zipfile.ZipFile(folder / "slip.zip", "w") as archive:
        archive.writestr("../../main.py", "x")
    return folder / "slip.zip"


def empty_archive(folder: Path) -> Path:
    with tarfile.open(folder / "empty.tar.gz", "w:gz"):
        pass
    return folder / "empty.tar.gz"


def empty_folder(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


def not_an_archive(folder: Path) -> Path:
    (folder / "notes.zip").write_text("these are notes")
    return folder / "notes.zip"


def other_format(folder: Path) -> Path:
    (folder / "work.rar").write_text("Rar!")
    return folder / "work.rar"


def missing_path(folder: Path) -> Path:
    return folder / "nowhere"


def without_entry_file(folder: Path) -> Path:
    (folder / "no-main").mkdir()
    (folder / "no-main/other.py").write_text("x")
    return folder / "no-main"


BAD_SUBMISSIONS = [
    (missing_path, 2, "nowhere"),
    (other_format, 2, "work.rar"),
    (bomb, 3, "bomb.zip"),
    (traversal, 3, "slip.zip"),
    (empty_archive, 3, "empty.tar.gz"),
    (empty_folder, 3, "empty"),
    (not_an_archive, 3, "notes.zip"),
    (without_entry_file, 3, "main.py is missing"),
]


@pytest.mark.parametrize(("make", "code", "words"), BAD_SUBMISSIONS, ids=[row[0].__name__ for row in BAD_SUBMISSIONS])
def test_a_bad_submission_gives_one_clear_message(
    assay: Assay, tmp_path: Path, make: Callable[[Path], Path], code: int, words: str
) -> None:
    done = assay(*grade(make(tmp_path)))
    assert done.returncode == code
    assert words in done.stderr
    assert_only_messages(done)
    assert not (tmp_path / "out").exists(), "nothing may be written for a submission that was refused"


BAD_CALLS = [
    (grade(RIGHT, "no-such-challenge"), 2, "there is no challenge 'no-such-challenge'"),
    (grade(RIGHT, "inference-ap"), 2, "did you mean inference-api?"),
    (grade(RIGHT, "./not-there"), 3, "there is no such file"),
    (["grade", str(RIGHT)], 2, "--challenge"),
    (["grade"], 2, "PATHS"),
    (["grad"], 2, "grad"),
    ([*grade(RIGHT), "--rev", "HEAD"], 2, "reference"),
    ([*grade(RIGHT), "--seed", "x"], 2, "--seed"),
    (["report", "build", "nowhere.json"], 2, "nowhere.json"),
    (["report", "build", str(SUM / "challenge.toml")], 2, "challenge.toml"),
    (["challenge", "show", "nothing"], 2, "there is no challenge 'nothing'"),
    (["challenge", "list", "--challenges", "nowhere"], 2, "nowhere"),
    (["challenge", "verify", str(SUM), "--only", "broken/none"], 2, "broken/none"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "words"), BAD_CALLS, ids=[" ".join(row[0][-3:])[-60:] for row in BAD_CALLS]
)
def test_a_wrong_call_says_what_is_wrong(assay: Assay, arguments: list[str], code: int, words: str) -> None:
    done = assay(*arguments)
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert_only_messages(done)


def test_a_wrong_manifest_key_names_the_file_the_field_and_the_fix(assay: Assay, tmp_path: Path) -> None:
    folder = tmp_path / "add-numbers"
    for path in SUM.rglob("*"):
        if path.is_file():
            (folder / path.relative_to(SUM)).parent.mkdir(parents=True, exist_ok=True)
            (folder / path.relative_to(SUM)).write_bytes(path.read_bytes())
    manifest = folder / "challenge.toml"
    manifest.write_text(manifest.read_text().replace("memory_mb", "memory_mib"))
    done = assay(*grade(RIGHT, folder))
    assert done.returncode == 3
    assert f"{manifest}: limits.memory_mib: is not a key of the manifest; did you mean 'memory_mb'?" in done.stderr
    assert_only_messages(done)


def test_a_state_folder_that_cannot_be_made_is_our_failure(assay: Assay, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    done = assay(*grade(RIGHT), ASSAY_STATE=str(tmp_path / "file" / "state"))
    assert done.returncode == 4
    assert "ASSAY_STATE" in done.stderr
    assert_only_messages(done)


def test_no_colour_and_no_control_characters_reach_a_pipe(assay: Assay, tmp_path: Path) -> None:
    folder = tmp_path / "evil\x1b[31m[red]name"
    folder.mkdir()
    (folder / "main.py").write_text(r"print('\x1b]0;owned\x07', end='')")
    done = assay(*grade(folder))
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "[red]name" in done.stdout


def test_help_loads_nothing_heavy(assay: Assay) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "runner.cli.main", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not loaded & {"pydantic", "pytest", "jinja2", "pygments", "h11", "runner.bench"}
    assert all(name in done.stdout for name in ("grade", "challenge", "report", "doctor", "completion"))


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_the_shells_script(assay: Assay, shell: str) -> None:
    assert "_ASSAY_COMPLETE" in assay("completion", shell).stdout


def test_the_schema_is_json_and_knows_every_table(assay: Assay) -> None:
    schema = json.loads(assay("challenge", "schema").stdout)
    assert {"entry", "limits", "checks", "assets"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_a_report_can_be_built_again_and_a_changed_scorecard_cannot(assay: Assay, tmp_path: Path) -> None:
    assay(*grade(RIGHT))
    (folder,) = (tmp_path / "out").iterdir()
    assert assay("report", "build", folder).stdout == (folder / "report.html").read_text()
    assert assay("report", "build", folder, "--for", "candidate").stdout == (folder / "candidate.html").read_text()
    copy = tmp_path / "scorecard.json"
    copy.write_text((folder / "scorecard.json").read_text().replace('"earned": 1.0', '"earned": 9.0'))
    refused = assay("report", "build", copy)
    assert refused.returncode == 2
    assert "scorecard.json" in refused.stderr


def test_a_revision_of_a_git_repository_can_be_graded(assay: Assay, tmp_path: Path) -> None:
    repository = tmp_path / "work"
    repository.mkdir()
    git = ["git", "-C", str(repository), "-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run([*git, "init", "-q"], check=True)
    (repository / "main.py").write_text((RIGHT / "main.py").read_text())
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-qm", "done"], check=True)
    (repository / "main.py").write_text("changed after the commit")
    assert "100%" in assay(*grade(repository), "--rev", "HEAD").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_grading_leaves_at_once_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path, built_state: Path, number: signal.Signals
) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "main.py").write_text("print('begun', flush=True)\nwhile True: pass\n")
    process = subprocess.Popen(
        [*ASSAY, *grade(slow, SAMPLES / "echo-service")],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    run_id = _await_sandbox_of(process.pid)
    started = time.monotonic()
    process.send_signal(number)
    _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in stderr
    assert "Traceback" not in stderr
    assert time.monotonic() - started < 10
    assert _marked(run_id) == []
    assert not (built_state / "runs" / run_id).exists()
    assert not (tmp_path / "out").exists()


def assert_only_messages(done: "subprocess.CompletedProcess[str]") -> None:
    assert "Traceback" not in done.stderr
    assert "Traceback" not in done.stdout


def _await_sandbox_of(pid: int) -> str:
    """The run id of the first sandbox that the process has started."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                words = (entry / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            marker = next((word for word in words if word.startswith("assay:")), None)
            if marker and parent == pid:
                return marker.split(":")[1]
        time.sleep(0.01)
    msg = "no sandbox was started"
    raise AssertionError(msg)


def _marked(run_id: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if f"assay:{run_id}:".encode() in (entry / "cmdline").read_bytes():
                found.append(entry.name)
        except OSError:
            continue
    return found
