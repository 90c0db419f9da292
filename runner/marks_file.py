"""Reads people's marks by a rubric from a CSV file.

    candidate,criterion,mark,out_of,note
    ann,clarity,4.5,5,"names say what things are"
    ann,tests,,,"ask how she would test the cache"

A row without a mark is a note. `note` may be left out as a column, the others may not.
"""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from assessments.cohort import Mark
from runner.csv_file import Row, read_table, refuse
from runner.labels import label, label_problem, nearest, quoted

NOTE_CHARACTERS: Final = 4_000
LARGEST_MARK: Final = 1_000_000.0


def read_marks(path: Path, candidates: Collection[str], *, by: str, at: str) -> tuple[Mark, ...]:
    """The marks in a file, in its order, as given by `by` at `at` (RFC 3339, UTC), for the candidates there are.

    Raises UsageError with every problem: file, line, field and fix.
    """
    table = read_table(path, required=("candidate", "criterion", "mark", "out_of"), optional=("note",))
    problems = list(table.problems)
    # A name as the operator gave it, by the spelling it is compared in.
    known = {label(name): name for name in candidates}
    seen: dict[tuple[str, str], str] = {}
    marks = []
    for row in table.rows:
        mark, found = _mark(row, known, by, at)
        key = (mark.candidate, mark.criterion)
        if not found and key in seen:
            found.append(f"{row.where}: criterion: {quoted(mark.criterion)} is marked at {seen[key]} too; keep one")
        seen.setdefault(key, row.where)
        problems += found
        marks.append(mark)
    refuse(problems)
    return tuple(marks)


def _mark(row: Row, known: Mapping[str, str], by: str, at: str) -> tuple[Mark, list[str]]:
    """The row's mark, and what is wrong with it: then the mark is of no use."""
    name, criterion, note = label(row.cells["candidate"]), label(row.cells["criterion"]), row.cells["note"]
    problems = []
    if name not in known:
        problems.append(f"candidate: there is no candidate {quoted(name)}; {nearest(name, known)}")
    if wrong := label_problem(criterion):
        problems.append(f"criterion: {wrong}")
    if len(note) > NOTE_CHARACTERS:
        problems.append(f"note: has {len(note):,} characters; {NOTE_CHARACTERS:,} are the most")
    value = _number("mark", row.cells["mark"], problems)
    out_of = _number("out_of", row.cells["out_of"], problems)
    problems += _scale(row, value, out_of)
    mark = Mark(known.get(name, name), criterion, value, out_of, note, by, at)
    return mark, [f"{row.where}: {problem}" for problem in problems]


def _scale(row: Row, value: float | None, out_of: float | None) -> list[str]:
    """What is wrong with a mark and what it is out of, together."""
    marked, scaled = bool(row.cells["mark"]), bool(row.cells["out_of"])
    if marked and not scaled:
        return ["out_of: is empty; say what the best mark is, for without it the mark says nothing"]
    if not marked and not row.cells["note"]:
        return ["mark: is empty, and so is the note; give one of them, or take the row out"]
    if out_of == 0:
        return ["out_of: must be more than 0"]
    if value is not None and out_of is not None and value > out_of:
        return [f"mark: {value:g} is more than the {out_of:g} it is out of"]
    return []


def _number(field: str, text: str, problems: list[str]) -> float | None:
    """A figure of 0 or more; None where the cell is empty or, with a problem added, is no such figure."""
    if not text:
        return None
    try:
        # float() also reads digits of other scripts and underscores, which nobody types on purpose.
        number = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        number = math.nan
    if 0 <= number <= LARGEST_MARK:
        return number
    problems.append(f"{field}: {quoted(text)} is no number from 0 to {LARGEST_MARK:,.0f}; write it like 4 or 4.5")
    return None
