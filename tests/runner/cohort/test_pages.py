"""What a cohort leaves for people: pages, exports, and what candidates are told."""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from assessments.errors import UsageError
from runner.cohort.add import Added
from runner.cohort.exports import KINDS, export_cohort
from runner.cohort.feedback import write_feedback
from runner.cohort.pages import similar_pairs, standing_of, write_pages
from runner.cohort.progress import Event
from runner.cohort.purge import purge
from runner.cohort.replay import from_folder, from_store
from runner.recompute import differences
from runner.signed import scorecard as check_signature
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.check import check
from runner.store.cohorts import Kept
from runner.store.store import Store

HandIn = Callable[..., Added]
Graded = Callable[..., tuple[Counts, list[Event]]]
WRONG = "print(0)\n"
HOSTILE = "<script>alert(1)</script>"
REPOSITORY = Path(__file__).resolve().parents[3]
LONG = (REPOSITORY / "challenges/inference-api/solutions/accepted/reference/validation.py").read_text()
COPIED = "# mine alone\n" + re.sub(r"\bproblems?\b", "mistake", LONG)


@pytest.fixture
def done(store: Store, kept: Kept, hand_in: HandIn, graded: Graded) -> Kept:
    hand_in("ann")
    hand_in(HOSTILE, WRONG)
    hand_in("cem", LONG)
    hand_in("dan", COPIED)
    graded()
    return kept


def test_the_page_links_to_a_report_of_each_submission_and_names_run_nothing(
    store: Store, done: Kept, tmp_path: Path
) -> None:
    page = write_pages(store, done, tmp_path / "pages", print)
    text = page.read_text("utf-8")
    reports = sorted((tmp_path / "pages/reports").iterdir())
    assert len(reports) == 4
    assert all(f"reports/{report.name}" in text for report in reports)
    assert HOSTILE not in text
    assert all(HOSTILE not in report.read_text("utf-8") for report in reports)
    written = [report.stat().st_mtime_ns for report in reports]
    write_pages(store, done, tmp_path / "pages", print)
    assert [report.stat().st_mtime_ns for report in reports] == written, "a scorecard never changes, nor its report"


def test_submissions_that_are_alike_are_a_click_away_side_by_side(store: Store, done: Kept, tmp_path: Path) -> None:
    page = write_pages(store, done, tmp_path / "pages", print)
    (both,) = (tmp_path / "pages/alike").iterdir()
    assert f'<a href="alike/{both.name}">side by side</a>' in page.read_text("utf-8")
    text = both.read_text("utf-8")
    assert ">cem<" in text
    assert ">dan<" in text
    write_pages(store, done, tmp_path / "other", print, reports=False)
    assert [path.name for path in (tmp_path / "other").glob("*/*")] == []


def test_code_that_is_alike_is_found_whatever_its_names_are(store: Store, done: Kept) -> None:
    (pair,) = similar_pairs(store, standing_of(store, done))["add-numbers"]
    assert (pair.first, pair.second) == ("cem", "dan")
    assert pair.share > 0.8


def test_every_export_holds_everybody(store: Store, done: Kept, tmp_path: Path) -> None:
    exported = {kind: export_cohort(store, done, kind, tmp_path / kind) for kind in KINDS}
    document = json.loads(exported["json"] or b"")
    assert {one["candidate"] for one in document["candidates"]} == {"ann", HOSTILE, "cem", "dan"}
    rows = list(csv.DictReader(io.StringIO((exported["csv"] or b"").decode("utf-8-sig"))))
    assert next(row["candidate"] for row in rows) == "ann"
    assert len(list(csv.DictReader(io.StringIO((exported["results"] or b"").decode("utf-8-sig"))))) == 4
    assert (exported["junit"] or b"").count(b"<testcase ") == 4
    folders = list((tmp_path / "scorecards").iterdir())
    assert len(folders) == 4
    for folder in folders:
        recorded = from_folder(folder)
        signature = (folder / "signature.json").read_bytes()
        written = (folder / "scorecard.json").read_bytes()
        assert check_signature(written, signature, store.signer.verifier).problems == ()
        assert check_signature(written.replace(b"1.0.0", b"1.0.1"), signature, store.signer.verifier).problems != ()
        assert differences(recorded.scorecard) == ()
        assert from_store(store, recorded.scorecard.id) == recorded
    with pytest.raises(UsageError, match="name a folder"):
        export_cohort(store, done, "scorecards", None)


def test_candidates_are_told_of_themselves_alone_and_once_all_are_graded(
    store: Store, kept: Kept, hand_in: HandIn, graded: Graded, tmp_path: Path
) -> None:
    hand_in("ann")
    hand_in("bob", WRONG)
    with pytest.raises(UsageError, match="2 candidates are not graded yet"):
        write_feedback(store, kept, tmp_path / "told")
    graded()
    assert write_feedback(store, kept, tmp_path / "told") == 2
    pages = {
        page.parent.name.rpartition("-")[0]: page.read_text("utf-8")
        for page in (tmp_path / "told").glob("*/index.html")
    }
    assert set(pages) == {"ann", "bob"}
    assert "bob" not in pages["ann"]
    assert "sum-is-right" not in pages["ann"], "a hidden check's name"


def test_a_purge_leaves_no_name_and_no_bytes_and_a_log_that_holds(store: Store, done: Kept) -> None:
    purged = purge(store, done, doing_now())
    assert (purged.submissions, purged.scorecards) == (4, 4)
    found = check(store)
    assert found.problems == ()
    assert (found.submissions, found.scorecards, found.unclaimed) == (0, 0, 0)
    assert standing_of(store, done).candidates == ()
