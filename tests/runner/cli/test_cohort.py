"""`assay cohort`, `db`, `replay` and `verify`: each verb once, and what it says to who gets it wrong."""

import csv
import json
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from runner.cli.main import main

SAMPLES = Path(__file__).resolve().parents[2] / "sample_challenges"
Assay = Callable[..., CompletedProcess[str]]
RIGHT, WRONG = "print(sum(map(int, input().split())))\n", "print(0)\n"
CANDIDATES = {"../../x": RIGHT, "=1+1": WRONG, "a b": WRONG, "a-b": WRONG, "x" * 200: RIGHT}
"""Names that would leave a folder, run in a spreadsheet, or come to the same file name."""
ROLE = """
format = 1
id = "adders"
version = "1.0.0"
title = "Adders"
summary = "Add numbers."
window_hours = 1
attempts = 1
feedback = "page"

[pass_mark]
share = 0.5
doubt = 0.2

[[challenges]]
id = "add-numbers"
weight = 1
"""


@pytest.fixture
def assay(
    built_state: Path,
    visible_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Assay:
    """The whole command line, in this process: it is called often here, and to start Python takes longer than it does.

    Its store is the test's own, in a state folder that boxes can look into, with what is slow to build in it.
    """
    for name in ("rootfs", "environments", "programs"):
        if (built_state / name).is_dir():
            (visible_folder / name).symlink_to(built_state / name)
    for name in ("ASSAY_DATABASE", "ASSAY_ARTEFACTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ASSAY_CHALLENGES", str(SAMPLES))
    monkeypatch.setenv("ASSAY_OPERATOR", "olga")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, state: Path = visible_folder) -> CompletedProcess[str]:
        monkeypatch.setenv("ASSAY_STATE", str(state))
        monkeypatch.setattr(sys, "argv", ["assay", *map(str, arguments)])
        before = signal.getsignal(signal.SIGTERM)
        capfd.readouterr()
        with pytest.raises(SystemExit) as ending:
            main()
        signal.signal(signal.SIGTERM, before)
        out, err = capfd.readouterr()
        return CompletedProcess(sys.argv, int(ending.value.code or 0), out, err)

    return run


@pytest.fixture
def submissions(tmp_path: Path) -> Path:
    """A list of what the candidates hand in."""
    folder = tmp_path / "handed-in"
    for number, program in enumerate(CANDIDATES.values()):
        (folder / str(number)).mkdir(parents=True)
        (folder / f"{number}/main.py").write_text(program)
    rows = [(name, "add-numbers", str(number)) for number, name in enumerate(CANDIDATES)]
    return listed(folder / "submissions.csv", rows)


def listed(path: Path, rows: list[tuple[str, ...]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("candidate", "challenge", "path"), *rows])
    return path


@pytest.fixture
def made(assay: Assay, tmp_path: Path) -> None:
    (tmp_path / "adders.toml").write_text(ROLE)
    done = assay("cohort", "new", "spring", "-a", "adders.toml", "--allow-uncertified", "--seed", "3")
    assert done.returncode == 0, done.stderr


@pytest.fixture
def taken_in(assay: Assay, made: None, submissions: Path) -> list[dict[str, Any]]:
    """All of them are handed in; gives their receipts."""
    return receipts(assay("cohort", "add", "spring", submissions, "--receipts", "receipts"))


@pytest.fixture
def graded(assay: Assay, taken_in: list[dict[str, Any]]) -> None:
    done = assay("cohort", "run", "spring", "--allow-unenforced")
    assert done.returncode == 0, done.stderr
    assert "5 submissions graded" in done.stderr


def receipts(done: CompletedProcess[str]) -> list[dict[str, Any]]:
    assert done.returncode == 0, done.stderr
    text, found = done.stdout, []
    while text.strip():
        document, end = json.JSONDecoder().raw_decode(text.lstrip())
        found.append(document)
        text = text.lstrip()[end:]
    return found


def test_a_receipt_is_given_for_every_submission_and_for_each_a_file_of_its_own(
    assay: Assay, taken_in: list[dict[str, Any]], submissions: Path, tmp_path: Path
) -> None:
    files = sorted((tmp_path / "receipts").iterdir())
    assert len(taken_in) == len(files) == len(CANDIDATES)
    assert {one["receipt"]["candidate"] for one in taken_in} == set(CANDIDATES)
    assert len({one["receipt"]["digest"] for one in taken_in}) == 2
    again = assay("cohort", "add", "spring", submissions, "--receipts", "receipts")
    assert receipts(again) == taken_in
    assert "5 submissions taken in, 5 of them here before" in again.stderr
    assert sorted((tmp_path / "receipts").iterdir()) == files
    done = assay("verify", *files)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("signed by") == len(files)
    files[0].write_text(files[0].read_text().replace("spring", "autumn"))
    done = assay("verify", files[0])
    assert (done.returncode, "was changed after it was" in done.stderr) == (2, True)


@pytest.mark.usefixtures("made")
def test_what_cannot_be_taken_in_is_told_whole_before_anything_is(
    assay: Assay, submissions: Path, tmp_path: Path
) -> None:
    (submissions.parent / "empty").mkdir()
    (submissions.parent / "empty/notes.txt").write_text("later")
    mixed = listed(submissions.parent / "mixed.csv", [("eve", "add-numbers", "empty"), ("ann", "add-numbers", "1")])
    for more in ((), ("--dry-run",), ("--dry-run", "--skip-refused")):
        done = assay("cohort", "add", "spring", mixed, *more)
        assert (done.returncode, done.stdout) == (3, "")
        assert "mixed.csv line 2: eve, add-numbers: empty: main.py is missing" in done.stderr
    done = assay("cohort", "add", "spring", mixed, "--skip-refused")
    assert done.returncode == 3
    assert [each for each in ("eve", "ann") if f'"candidate": "{each}"' in done.stdout] == ["ann"]
    done = assay("cohort", "add", "spring", submissions, "--dry-run")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Nothing was taken in" in done.stderr
    (submissions.parent / "1/main.py").write_text("print(2)\n")
    done = assay("cohort", "add", "spring", listed(submissions.parent / "more.csv", [("ann", "add-numbers", "1")]))
    assert (done.returncode, "handed in 1 times already; 1 are allowed" in done.stderr) == (2, True)


BAD_NAMES = [("ev\u202eil", "hide, reorder or control"), ("y" * 201, "200 are the most"), ("", "is empty")]


@pytest.mark.usefixtures("made")
def test_names_that_deceive_are_refused(assay: Assay, submissions: Path) -> None:
    bad = listed(submissions.parent / "bad.csv", [(name, "add-numbers", "1") for name, _ in BAD_NAMES])
    done = assay("cohort", "add", "spring", bad)
    assert (done.returncode, done.stdout) == (2, "")
    for number, (_, words) in enumerate(BAD_NAMES, start=2):
        assert any(f"bad.csv line {number}: " in line and words in line for line in done.stderr.splitlines())
    assert "\u202e" not in done.stderr


@pytest.mark.usefixtures("graded")
def test_a_cohort_is_exported_in_every_format_and_scorecards_are_verified(assay: Assay, tmp_path: Path) -> None:
    whole = json.loads(assay("cohort", "export", "spring", "--format", "json").stdout)
    assert {one["candidate"]: one["outcome"] for one in whole["results"]} == {
        name: "passed" if program == RIGHT else "failed" for name, program in CANDIDATES.items()
    }
    rows = assay("cohort", "export", "spring", "--format", "csv").stdout.lstrip("\ufeff").splitlines()
    assert {row["candidate"] for row in csv.DictReader(rows)} == {*CANDIDATES, "'=1+1"} - {"=1+1"}
    assert assay("cohort", "export", "spring", "--format", "results").stdout.count("add-numbers") >= len(CANDIDATES)
    assert "<testsuites" in assay("cohort", "export", "spring", "--format", "junit").stdout
    done = assay("cohort", "export", "spring", "--format", "scorecards")
    assert (done.returncode, "--out: name a folder" in done.stderr) == (2, True)
    assert assay("cohort", "export", "spring", "--format", "scorecards", "--out", "cards").returncode == 0
    folders = sorted((tmp_path / "cards").iterdir())
    assert len(folders) == len(CANDIDATES)
    done = assay("verify", *folders)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("signed by") == len(CANDIDATES)
    given = json.loads((folders[0] / "signature.json").read_text())
    (folders[0] / "signature.json").write_text(json.dumps({**given, "signature": "AAAA"}))
    done = assay("verify", folders[0])
    assert (done.returncode, "did not sign these bytes" in done.stderr) == (2, True)
    done = assay("replay", folders[1], "--allow-unenforced")
    assert done.returncode == 0, done.stderr
    assert "every outcome is the same" in done.stderr


@pytest.mark.usefixtures("graded")
def test_marks_and_feedback_stand_beside_the_score(assay: Assay, tmp_path: Path) -> None:
    def mark(*arguments: str) -> CompletedProcess[str]:
        return assay("cohort", "mark", "spring", "a b", *arguments)

    assert mark("--criterion", "clarity", "--mark", "4", "--of", "5").returncode == 0
    for arguments, words in [
        (("--criterion", "clarity", "--mark", "1", "--of", "inf"), "--of: inf is not more than 0"),
        (("--criterion", "clarity", "--mark", "0", "--of", "0"), "--of: 0 is not more than 0"),
        (("--criterion", "clarity", "--mark", "nan", "--of", "5"), "--mark: nan is not between 0 and 5"),
        (("--criterion", "clari\u202ety", "--note", "x"), "hide, reorder or control"),
        (("--criterion", "clarity"), "give --mark with --of, or --note, or both"),
        (("--note", "x"), "--criterion: say what the mark is for"),
    ]:
        done = mark(*arguments)
        assert (done.returncode, words in done.stderr) == (2, True), done.stderr
    assert assay("cohort", "mark", "spring", "nobody", "--criterion", "x", "--note", "y").returncode == 2
    (marked,) = [
        one["marks"]
        for one in json.loads(assay("cohort", "export", "spring", "--format", "json").stdout)["candidates"]
        if one["candidate"] == "a b"
    ]
    assert [(one["criterion"], one["mark"], one["by"]) for one in marked] == [("clarity", 4, "olga")]
    for _ in range(2):
        assert assay("cohort", "feedback", "spring", "--out", "told").returncode == 0
        assert len(list((tmp_path / "told").iterdir())) == len(CANDIDATES), "nobody's page is over another's"


@pytest.mark.usefixtures("graded")
def test_a_regrade_is_shown_decided_once_and_shown_again(assay: Assay, tmp_path: Path) -> None:
    challenges = tmp_path / "challenges"
    shutil.copytree(SAMPLES / "add-numbers", challenges / "add-numbers")
    hidden = next((challenges / "add-numbers/hidden_tests").glob("test_*.py"))
    hidden.write_text(hidden.read_text().replace("assert ", "assert True or "))

    def regrade(*arguments: str) -> CompletedProcess[str]:
        return assay("cohort", "regrade", "spring", "--challenges", challenges, *arguments)

    done = regrade("--reason", "the test was wrong", "--allow-unenforced")
    assert done.returncode == 0, done.stderr
    changed = "3 of 5 submissions came out otherwise"
    assert changed in done.stderr
    assert "nothing has taken effect" in done.stderr
    assert "is not decided yet" in regrade("--reason", "again").stderr
    done = regrade("--accept", "1")
    assert (done.returncode, changed in done.stderr) == (0, True)
    done = regrade("--show", "1")
    assert changed in done.stderr, "what it changed can be seen after it counts"
    for verb in ("--accept", "--drop"):
        done = regrade(verb, "1")
        assert (done.returncode, "was accepted before" in done.stderr) == (2, True)
    assert (regrade("--show", "7").returncode, regrade().returncode, regrade("--reason", " ").returncode) == (2, 2, 2)
    done = assay("cohort", "regrade", "spring", "--reason", "caf\udce9")
    assert (done.returncode, "is not UTF-8" in done.stderr) == (2, True)
    done = regrade("--reason", "once more", "--candidate", "a b", "--fresh-seeds", "--allow-unenforced")
    assert "0 of 1 submission" in done.stderr
    assert "regrade 2 is dropped" in regrade("--drop", "2").stderr
    assert assay("db", "check").returncode == 0


@pytest.mark.usefixtures("graded")
def test_status_close_backup_and_purge(assay: Assay, submissions: Path, tmp_path: Path) -> None:
    (stands,) = json.loads(assay("cohort", "status", "spring", "--json").stdout)
    assert (stands["graded"], stands["waiting"], stands["running"], stands["held"]) == (5, 0, 0, 0)
    assert "5 submissions graded" in assay("cohort", "resume", "spring").stderr
    assert assay("cohort", "close", "spring").returncode == 0
    assert "already" in assay("cohort", "close", "spring").stderr
    done = assay("cohort", "add", "spring", submissions)
    assert (done.returncode, done.stderr.count("cohort spring is closed")) == (2, 1)
    assert assay("db", "backup", "copy/store").returncode == 0
    assert assay("db", "backup", "copy/store").returncode == 2
    done = assay("cohort", "purge", "spring", "--yes")
    assert "5 submissions and 5 scorecards removed" in done.stderr
    assert "all whole" in assay("db", "check").stdout
    (tmp_path / "copy").chmod(0o755)
    again = assay("cohort", "status", "--json", state=tmp_path / "copy")
    assert json.loads(again.stdout)[0]["graded"] == 5
    assert "all whole" in assay("db", "check", state=tmp_path / "copy").stdout


WRONG_INPUT = [
    (("cohort", "status", "none"), 2, "there is no cohort 'none'"),
    (("cohort", "status", "caf\udce9"), 2, "is not UTF-8"),
    (("cohort", "run", "none"), 2, "there is no cohort 'none'"),
    (("cohort", "new", "../x", "-a", "adders.toml"), 2, "is no name for a cohort"),
    (("cohort", "new", "spring", "-a", "adders.toml", "--allow-uncertified"), 2, "there is a cohort 'spring' already"),
    (("cohort", "new", "autumn", "-a", "adders.toml"), 3, "with --allow-uncertified the cohort is made all the same"),
    (("cohort", "add", "spring", "nothing"), 2, "nothing"),
    (("cohort", "export", "spring", "--format", "xml"), 2, "xml"),
    (("cohort", "mark", "spring"), 2, "give a candidate with --criterion, or --file"),
    (("cohort", "compare", "spring", "ann", "-o", "x.html"), 2, "name two or three candidates"),
    (("replay", "0123"), 2, "no scorecard begins with '0123'"),
    (("verify", "nothing"), 2, "nothing"),
]


@pytest.mark.usefixtures("made")
def test_wrong_input_is_told_in_words_and_by_the_exit_code(assay: Assay) -> None:
    for arguments, code, words in WRONG_INPUT:
        done = assay(*arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert words in done.stderr, (arguments, done.stderr)
        assert "Traceback" not in done.stderr, arguments
