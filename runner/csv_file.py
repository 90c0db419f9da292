"""Reads a table that a person made: CSV with a header, UTF-8 with or without a byte order mark, of bounded size."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assessments.errors import UsageError
from runner.labels import nearest, quoted

LARGEST_BYTES: Final = 4 << 20
PROBLEMS_SHOWN: Final = 50


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column, stripped; a column that the file does not have is empty."""

    where: str
    """For people: "marks.csv line 3"."""
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """The rows that are whole, and what is wrong with the others."""

    rows: tuple[Row, ...]
    problems: tuple[str, ...]


def read_table(path: Path, *, required: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """The table in a file. Blank lines are no rows.

    Raises UsageError for a file that cannot be read or whose header is wrong, with every problem of the header:
    without it no row means anything.
    """
    reader = csv.reader(io.StringIO(_text(path), newline=""), strict=True)
    header: list[str] | None = None
    rows, problems = [], []
    line = 1
    try:
        for cells in reader:
            where, line = f"{path} line {line}", reader.line_num + 1
            if not any(cell.strip() for cell in cells):
                continue
            if header is None:
                header = _header(where, cells, required, optional)
            elif len(cells) != len(header):
                problems.append(
                    f"{where}: has {len(cells)} cells, the header {len(header)}; quote a text that has commas"
                )
            else:
                named = zip(header, cells, strict=True)
                rows.append(Row(where, {**dict.fromkeys(optional, ""), **{name: cell.strip() for name, cell in named}}))
    except csv.Error as error:
        problems.append(f"{path} line {reader.line_num}: is not CSV from here on ({error}); mend its quotes")
    if header is None:
        raise UsageError(problems or f"{path}: is empty; its first line must be {','.join(required)}")
    return Table(tuple(rows), tuple(problems))


def refuse(problems: Sequence[str]) -> None:
    """Raise UsageError with what was found, if anything was: all of it, or as much as a person reads."""
    if problems:
        rest = len(problems) - PROBLEMS_SHOWN
        raise UsageError([*problems[:PROBLEMS_SHOWN], *([f"and {rest:,} problems more"] if rest > 0 else [])])


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}; name a CSV file") from error
    if len(data) > LARGEST_BYTES:
        raise UsageError(f"{path}: is larger than {LARGEST_BYTES >> 20} MiB; split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{path} line {line}: is not UTF-8; save the file as CSV in UTF-8") from error
    if "\0" in text:
        raise UsageError(f"{path}: holds NUL characters, so it is no CSV; save it as CSV in UTF-8")
    return text


def _header(where: str, cells: list[str], required: Sequence[str], optional: Sequence[str]) -> list[str]:
    known, header = (*required, *optional), [cell.strip().lower() for cell in cells]
    if len(header) == 1 and any(mark in header[0] for mark in ";\t"):
        raise UsageError(f"{where}: its columns are not set apart by commas; save the file as CSV with commas")
    problems = [
        f"{where}: column {quoted(name)}: is not known; {nearest(name, known)}" for name in header if name not in known
    ]
    problems += [f"{where}: column '{name}': stands twice; keep one" for name in known if header.count(name) > 1]
    problems += [
        f"{where}: column '{name}': is missing; the first line must name the columns: {', '.join(known)}"
        for name in required
        if name not in header
    ]
    refuse(problems)
    return header
