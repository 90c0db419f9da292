import csv
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.cohort import AttemptState, Cohort, CohortSubmission, Mark, PinnedChallenge, candidates
from assessments.scorecard_summary import summary_of
from assessments.submission import Digest
from runner.reports.cohort_exports import RESULT_COLUMNS, cohort_csv, cohort_json, results_csv

AT = "2026-11-24T10:00:00Z"
ASSESSMENT = Assessment(
    path=Path("role.toml"),
    id="ai-engineer",
    version="1.0.0",
    title="AI engineer",
    summary="Serves models.",
    window_hours=48,
    attempts=2,
    pass_mark=PassMark(0.7, 0.05),
    feedback=Feedback.PAGE,
    parts=(Part("inference-api", 3), Part("model-monitoring", 1)),
    skill_weights={"operations": 2},
)
COHORT = Cohort(
    "autumn", ASSESSMENT, (PinnedChallenge("inference-api", "1.0.0", Digest("ab12" * 16)),), AT, None, certified=True
)
MARKS = (
    Mark("ann", "clarity", 3.5, 5, "reads well", "eve", "2026-11-25T10:00:00Z"),
    Mark("ann", "clarity", 4.5, 5, "read again", "eve", "2026-11-26T10:00:00Z"),
)


def submission(number, who, card, challenge="inference-api"):
    state = AttemptState.ENDED if card else AttemptState.WAITING
    return CohortSubmission(number, who, challenge, Digest("4be1" * 16), AT, "w.zip", state, "", card)


def taking_part(cards, names=("bob", "ann"), marks=MARKS):
    good, fair = summary_of(cards.all_passed()), summary_of(cards.measured())
    handed_in = [submission(place, name, good if name == "ann" else fair) for place, name in enumerate(names)]
    handed_in.append(submission(99, names[0], None, "model-monitoring"))
    return candidates(ASSESSMENT, handed_in, marks)


def read(table):
    assert table.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(table.decode("utf-8-sig"), newline=""), strict=True))


def test_a_row_a_candidate_in_the_order_of_places(cards):
    rows = read(cohort_csv(COHORT, taking_part(cards), {"ann": (2, 2), "bob": (1, 1)}))
    assert [(row["place_best"], row["place_worst"], row["candidate"]) for row in rows] == [
        ("1", "1", "bob"),
        ("2", "2", "ann"),
    ]
    ann = rows[1]
    assert (ann["share_low"], ann["challenge.inference-api.low"], ann["challenge.model-monitoring.high"]) == (
        "0.75",
        "1.0",
        "0.0",
    )
    assert ann["skill.api-design.low"] == "1.0"
    assert ann["standing"] == "passed"
    assert float(rows[0]["share_high"]) > float(rows[0]["share_low"])


def test_a_persons_marks_are_set_apart_and_the_newest_stands(cards):
    table = cohort_csv(COHORT, taking_part(cards), {})
    ann, bob = read(table)
    assert (ann["rubric.clarity"], ann["rubric.clarity.out_of"]) == ("4.5", "5")
    assert (bob["rubric.clarity"], bob["place_best"]) == ("", "")
    assert [name for name in ann if "clarity" in name] == ["rubric.clarity", "rubric.clarity.out_of"]


def test_a_row_a_check_of_each_scorecard_that_counts(cards):
    people = taking_part(cards)
    rows = read(results_csv(COHORT, people))
    assert tuple(rows[0]) == RESULT_COLUMNS
    checks = [
        figure
        for each in people
        for one in each.submissions.values()
        if one.scorecard
        for figure in one.scorecard.checks
    ]
    assert len(rows) == len(checks)
    measured = [row for row in rows if row["ratio"]]
    assert measured
    assert {row["candidate"] for row in measured} == {"bob"}
    assert all(float(row["limit"]) > 0 for row in measured)
    assert sum(float(row["points"]) for row in rows) == pytest.approx(sum(each.points for each in checks))


def test_the_header_stands_alone_where_there_is_nothing(cards):
    assert read(results_csv(COHORT, ())) == []
    assert results_csv(COHORT, ()).decode("utf-8-sig") == ",".join(RESULT_COLUMNS) + "\r\n"
    assert json.loads(cohort_json(COHORT, (), {}))["candidates"] == []


FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\uff1d1", '=HYPERLINK("http://evil")')


@pytest.mark.parametrize("name", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_run_is_inert(cards, name):
    marks = (Mark(name, name, 1, 5, name, name, AT),)
    for table in (
        cohort_csv(COHORT, taking_part(cards, (name, "ann"), marks), {}),
        results_csv(COHORT, taking_part(cards, (name, "ann"), marks)),
    ):
        for line in csv.reader(io.StringIO(table.decode("utf-8-sig"), newline="")):
            for cell in line:
                assert not re.match(r"\s*[=+\-@\uff1d]", cell)


@given(name=st.text(st.characters(codec=None), min_size=1, max_size=30))
def test_no_name_breaks_a_table_or_the_document(cards, name):
    people = candidates(ASSESSMENT, [submission(1, name, None)], [Mark(name, "c", None, None, name, name, AT)])
    (row,) = read(cohort_csv(COHORT, people, {name: (1, 1)}))
    assert not re.match(r"\s*[=+\-@\t\r]", row["candidate"])
    assert row["place_best"] == "1"
    Document.model_validate_json(cohort_json(COHORT, people, {}), strict=True)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


Share = Annotated[float, Field(ge=0, le=1)]


class Range(Strict):
    low: Share
    high: Share


class Place(Strict):
    best: int
    worst: int


class OneChallenge(Strict):
    challenge: str
    share: Range
    submission: str | None
    received_at: str | None
    state: Literal["waiting", "running", "held", "ended"] | None
    scorecard: str | None


class OneMark(Strict):
    criterion: str
    mark: float | None
    out_of: float | None
    note: str
    by: str
    at: str


class OneCandidate(Strict):
    candidate: str
    place: Place | None
    standing: Literal["passed", "not-passed", "too-close-to-call"]
    graded: bool
    share: Range
    challenges: list[OneChallenge]
    skills: dict[str, Range]
    submissions: int
    marks: list[OneMark]


class OneResult(Strict):
    candidate: str
    challenge: str
    submission: str
    scorecard: str
    check: str
    skill: str
    outcome: Literal["passed", "failed", "inconclusive", "errored"]
    fault: str | None
    points: float
    earned: float
    ratio: float | None
    limit: float | None
    duration_s: float


class OneMarkToReach(Strict):
    share: Share
    doubt: Share


class OneAssessment(Strict):
    id: str
    version: str
    title: str
    pass_mark: OneMarkToReach
    weights: dict[str, Share]
    skill_weights: dict[str, float]


class Pinned(Strict):
    id: str
    version: str
    digest: str


class About(Strict):
    name: str
    created_at: str
    closed_at: str | None
    certified: bool
    assessment: OneAssessment
    challenges: list[Pinned]


class Document(Strict):
    format: Literal[1]
    cohort: About
    candidates: list[OneCandidate]
    results: list[OneResult]


def test_the_document_holds_both_tables_and_nothing_undocumented(cards):
    people = taking_part(cards)
    data = cohort_json(COHORT, people, {"ann": (1, 2), "bob": (1, 2)})
    document = Document.model_validate_json(data)
    assert data.isascii()
    assert [each.candidate for each in document.candidates] == ["ann", "bob"]
    assert document.candidates[0].place == Place(best=1, worst=2)
    assert [mark.mark for mark in document.candidates[0].marks] == [3.5, 4.5]
    assert document.candidates[1].challenges[1].state == "waiting"
    assert len(document.results) == len(read(results_csv(COHORT, people)))
    assert list(document.results[0].model_dump()) == list(RESULT_COLUMNS)


def test_the_same_cohort_gives_the_same_bytes(cards):
    people = taking_part(cards)
    assert len({cohort_json(COHORT, some, {}) for some in (people, people[::-1])}) == 1
    assert len({cohort_csv(COHORT, some, {}) for some in (people, people[::-1])}) == 1


def test_a_figure_that_is_none_is_empty(cards):
    card = summary_of(cards.scorecard())
    endless = replace(card, checks=(replace(card.checks[0], ratio=float("inf"), limit=2.0),))
    people = candidates(ASSESSMENT, [submission(1, "ann", endless)])
    assert read(results_csv(COHORT, people))[0]["ratio"] == ""
    assert json.loads(cohort_json(COHORT, people, {}))["results"][0]["ratio"] is None
