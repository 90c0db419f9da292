"""A grading is written whole or not at all, once, and read back only if it is what was written."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.challenge import Challenge
from assessments.errors import AssayError, InfrastructureError, UsageError
from runner.bench import Bench
from runner.grade import Graded, Order, grade
from runner.results import read_result, write_result

Written = Callable[[], Path]


@pytest.fixture
def graded(bench: Bench, sum_challenge: Challenge) -> Graded:
    reference = sum_challenge.folder / "solutions/accepted/reference"
    return grade(Order(reference, "../../Ada / Lovelace", unenforced_allowed=True), sum_challenge, bench)


@pytest.fixture
def folder(graded: Graded, sum_challenge: Challenge, tmp_path: Path, bench: Bench) -> Path:
    return write_result(tmp_path / "out", graded, sum_challenge.folder / "starter", bench.signer)


def test_what_was_written_is_read_back(graded: Graded, folder: Path) -> None:
    scorecard, sources = read_result(folder)
    assert scorecard == graded.scorecard
    assert sources.submitted == graded.received.contents
    assert list(sources.starter) == ["main.py"]


def test_a_label_cannot_lead_out_of_the_folder(folder: Path, tmp_path: Path) -> None:
    assert folder.parent == tmp_path / "out"
    assert folder.name.startswith("Ada-Lovelace-")


def test_another_submission_beside_a_scorecard_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "submission.tar").unlink()
    shutil.copy(copy / "starter.tar", copy / "submission.tar")
    with pytest.raises(UsageError, match=r"is not what scorecard\.json was made from"):
        read_result(copy)


def test_a_scorecard_alone_is_still_a_report_without_sources(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "scorecard.json", tmp_path)
    _, sources = read_result(tmp_path)
    assert not sources.submitted


def test_a_folder_that_cannot_be_written_leaves_nothing(
    graded: Graded, sum_challenge: Challenge, tmp_path: Path, bench: Bench
) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InfrastructureError, match="could not be written"):
        write_result(tmp_path / "file", graded, sum_challenge.folder / "starter", bench.signer)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_taken_away_and_a_living_ones_is_not(
    graded: Graded, sum_challenge: Challenge, tmp_path: Path, bench: Bench
) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".unfinished-{dead.pid}-x").mkdir()
    (tmp_path / f".unfinished-{os.getppid()}-x").mkdir()
    folder = write_result(tmp_path, graded, sum_challenge.folder / "starter", bench.signer)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f".unfinished-{os.getppid()}-x", folder.name]


def test_errors_are_all_ones_a_person_can_mend(tmp_path: Path) -> None:
    with pytest.raises(AssayError, match="name a scorecard"):
        read_result(tmp_path)


def test_a_wrapped_archive_and_one_larger_than_intake_takes_packed_are_read_back(
    bench: Bench, sum_challenge: Challenge, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.mkdir()
    shutil.copy(sum_challenge.folder / "solutions/accepted/reference/main.py", large)
    (large / "weights.bin").write_bytes(bytes(25_000_000))
    wrapped = Path(shutil.make_archive(str(tmp_path / "wrapped"), "zip", tmp_path, "large"))
    for submission in (large, wrapped):
        graded = grade(Order(submission, submission.name, unenforced_allowed=True), sum_challenge, bench)
        folder = write_result(tmp_path / "out", graded, sum_challenge.folder / "starter", bench.signer)
        assert set(read_result(folder)[1].submitted) == {"main.py", "weights.bin"}
