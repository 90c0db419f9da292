"""A cohort for spreadsheets and programs: two tables in CSV, and one JSON document that holds both.

    cohort_csv     a row a candidate: place, standing, shares of the whole, of challenges and of skills, rubric marks
    results_csv    a row a check of each scorecard that counts
    cohort_json    {"format": 1, "cohort": {...}, "candidates": [...], "results": [...]}, fields as in the tables

Shares go from 0 to 1: a low one is earned for certain, a high one if all that is undecided were passed. A skill's
share is of its points over all scorecards that count. Places are 1 for the best: two where it is too close to call,
none where none is given. An empty cell, or null, is what is not known or was not measured.

CSV is UTF-8 with a byte order mark, for spreadsheets take it for another encoding without one. A text that they would
run as a formula has an apostrophe before it; numbers are never touched. JSON has texts as they are, in ASCII; only
lone surrogates, which it cannot carry, are written as visible escapes.
"""

import csv
import io
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from assessments.assessment_result import PartResult, ShareRange
from assessments.cohort import Candidate, Cohort, Mark
from assessments.skill_points import share_range, skill_points
from runner.reports.text import shown

FORMAT: Final = 1
RUBRIC: Final = "rubric."
"""What a column of a person's marks begins with: they are no part of the score."""
RESULT_COLUMNS: Final = (
    *("candidate", "challenge", "submission", "scorecard", "check", "skill"),
    *("outcome", "fault", "points", "earned", "ratio", "limit", "duration_s"),
)

Places = Mapping[str, tuple[int, int]]
"""Best and worst place, by candidate."""
_Plain = str | int | float | bool | None
_CELL_BYTES: Final = 4_000
_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What makes a formula of a cell, in full width too. Tabs and returns, which do as well, are made visible before."""


def cohort_csv(cohort: Cohort, candidates: Sequence[Candidate], places: Places) -> bytes:
    """One row a candidate, by place and then by name.

    A criterion's columns have its newest mark; `cohort_json` has them all, with their notes.
    """
    skills = sorted({skill for each in candidates for skill in skill_points(each)})
    criteria = sorted({mark.criterion for each in candidates for mark in each.marks})
    columns = (
        *("place_best", "place_worst", "candidate", "standing", "share_low", "share_high"),
        *(f"challenge.{part.challenge}.{end}" for part in cohort.assessment.parts for end in ("low", "high")),
        *(f"skill.{skill}.{end}" for skill in skills for end in ("low", "high")),
        "submissions",
        *(f"{RUBRIC}{criterion}{end}" for criterion in criteria for end in ("", ".out_of")),
    )
    return _csv(columns, (_row(each, places) for each in _ordered(candidates, places)))


def results_csv(cohort: Cohort, candidates: Sequence[Candidate]) -> bytes:
    """One row a check result: by candidate, then as the assessment and the manifests have them."""
    return _csv(RESULT_COLUMNS, _results(cohort, candidates))


def cohort_json(cohort: Cohort, candidates: Sequence[Candidate], places: Places) -> bytes:
    """The cohort as one document in ASCII, the same bytes for the same cohort."""
    document = {
        "format": FORMAT,
        "cohort": _about(cohort),
        "candidates": [_candidate(each, places) for each in _ordered(candidates, places)],
        "results": list(_results(cohort, candidates)),
    }
    return (json.dumps(_carried(document), indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def _ordered(candidates: Sequence[Candidate], places: Places) -> list[Candidate]:
    """By place, those without one last; then by name, so that the order of arrival tells nothing."""
    return sorted(candidates, key=lambda each: (places.get(each.name, (math.inf, math.inf)), each.name))


def _row(candidate: Candidate, places: Places) -> dict[str, _Plain]:
    best, worst = places.get(candidate.name, (None, None))
    row: dict[str, _Plain] = {
        "place_best": best,
        "place_worst": worst,
        "candidate": candidate.name,
        "standing": candidate.result.standing,
        "share_low": candidate.result.share.low,
        "share_high": candidate.result.share.high,
        "submissions": len(candidate.submissions) + candidate.superseded,
    }
    shares = {f"challenge.{part.challenge}": part.share for part in candidate.result.parts}
    shares |= {f"skill.{skill}": share_range(points) for skill, points in skill_points(candidate).items()}
    for name, share in shares.items():
        row |= {f"{name}.low": share.low, f"{name}.high": share.high}
    for mark in sorted(candidate.marks, key=lambda mark: mark.at):
        row |= {f"{RUBRIC}{mark.criterion}": mark.value, f"{RUBRIC}{mark.criterion}.out_of": mark.out_of}
    return row


def _results(cohort: Cohort, candidates: Sequence[Candidate]) -> Iterator[dict[str, _Plain]]:
    for candidate in sorted(candidates, key=lambda each: each.name):
        for part in cohort.assessment.parts:
            submission = candidate.submissions.get(part.challenge)
            card = submission.scorecard if submission else None
            if card is None:
                continue
            for figure in card.checks:
                values = (
                    *(candidate.name, part.challenge, card.submission, card.id, figure.check, figure.skill),
                    *(figure.outcome, figure.fault, figure.points, figure.earned),
                    *(_finite(figure.ratio), _finite(figure.limit), _finite(figure.duration_s)),
                )
                yield dict(zip(RESULT_COLUMNS, values, strict=True))


def _about(cohort: Cohort) -> dict[str, object]:
    assessment = cohort.assessment
    return {
        "name": cohort.name,
        "created_at": cohort.created_at,
        "closed_at": cohort.closed_at,
        "certified": cohort.certified,
        "assessment": {
            "id": assessment.id,
            "version": assessment.version,
            "title": assessment.title,
            "pass_mark": {"share": assessment.pass_mark.share, "doubt": assessment.pass_mark.doubt},
            "weights": {part.challenge: assessment.part_share(part) for part in assessment.parts},
            "skill_weights": dict(sorted(assessment.skill_weights.items())),
        },
        "challenges": [{"id": each.id, "version": each.version, "digest": each.digest} for each in cohort.challenges],
    }


def _candidate(candidate: Candidate, places: Places) -> dict[str, object]:
    place = places.get(candidate.name)
    return {
        "candidate": candidate.name,
        "place": {"best": place[0], "worst": place[1]} if place else None,
        "standing": candidate.result.standing,
        "graded": candidate.graded,
        "share": _share(candidate.result.share),
        "challenges": [_part(candidate, part) for part in candidate.result.parts],
        "skills": {skill: _share(share_range(points)) for skill, points in skill_points(candidate).items()},
        "submissions": len(candidate.submissions) + candidate.superseded,
        "marks": [_mark(mark) for mark in candidate.marks],
    }


def _part(candidate: Candidate, part: PartResult) -> dict[str, object]:
    submission = candidate.submissions.get(part.challenge)
    return {
        "challenge": part.challenge,
        "share": _share(part.share),
        "submission": submission.digest if submission else None,
        "received_at": submission.received_at if submission else None,
        "state": submission.state if submission else None,
        "scorecard": part.scorecard,
    }


def _mark(mark: Mark) -> dict[str, object]:
    return {
        "criterion": mark.criterion,
        "mark": mark.value,
        "out_of": mark.out_of,
        "note": mark.note,
        "by": mark.by,
        "at": mark.at,
    }


def _share(share: ShareRange) -> dict[str, float]:
    return {"low": share.low, "high": share.high}


def _finite(value: float | None) -> float | None:
    """JSON has no infinity, and a figure that is none is None."""
    return value if value is not None and math.isfinite(value) else None


def _carried(value: object) -> object:
    """The document with texts that JSON can carry."""
    if isinstance(value, str):
        return str.encode(value, "utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_carried(key): _carried(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_carried(each) for each in value]
    return value


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, _Plain]]) -> bytes:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow([_cell(column) for column in columns])
    for row in rows:
        writer.writerow([_cell(row.get(column)) for column in columns])
    return table.getvalue().encode("utf-8-sig")


def _cell(value: _Plain) -> str | int | float:
    """A number as one; a text on one line, with nothing in it that hides or that a spreadsheet would run."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = shown(value, _CELL_BYTES).text
        return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
    # Beyond what binary fractions are off by, so that 0.1 + 0.2 reads as 0.3.
    return round(value, 9) if isinstance(value, float) else value
