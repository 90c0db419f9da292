"""Reads what to add to a cohort: a CSV file, or a folder of submissions.

    submissions.csv                      paths are relative to its folder
      candidate,challenge,path,revision
      ann,inference-api,ann/service.zip,
      bob,inference-api,repos/bob,v1.0   a git repository at a revision

    submissions/                         a folder
      ann/inference-api.zip              <candidate>/<challenge>, an archive
      bob/inference-api/                 or a folder

    submissions/                         a folder whose submissions are all of one given challenge
      ann.zip                            <candidate>, an archive
      bob/                               or a folder

Archives are .zip, .tar, .tar.gz and .tgz. Nothing of a submission is opened here.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from assessments.errors import UsageError
from runner.csv_file import Row, read_table, refuse
from runner.labels import label, label_problem, natural, nearest, quoted

_ARCHIVES: Final = (".tar.gz", ".tgz", ".tar", ".zip")
_LAYOUT: Final = "a folder is laid out as <candidate>/<challenge>.zip, or as <candidate>.zip where a challenge is given"


@dataclass(frozen=True, slots=True)
class Listed:
    """One submission to be handed in."""

    candidate: str
    challenge: str
    path: Path
    revision: str | None
    """Of a git repository; None for a folder or an archive as it is."""
    where: str
    """For messages: "submissions.csv line 3", or the path."""


@dataclass(frozen=True, slots=True)
class _Sought:
    """What the listing is held against."""

    challenges: Collection[str]
    challenge: str | None
    """The one that all submissions are of, where it is given."""
    say: Callable[[str], None]


def _silent(_: str) -> None:
    return


def read_submissions(
    path: Path,
    challenges: Collection[str],
    *,
    challenge: str | None = None,
    say: Callable[[str], None] = _silent,
) -> tuple[Listed, ...]:
    """The submissions that a CSV file lists, in its order, or that a folder holds, in people's order of names.

    `challenges` are the ids there are; `say` is told of every hidden file that is ignored. Raises UsageError with
    every problem: where, field and fix.
    """
    sought = _Sought(challenges, challenge, say)
    if challenge is not None and challenge not in challenges:
        raise UsageError(f"there is no challenge {quoted(challenge)}; {nearest(challenge, challenges)}")
    if path.is_dir():
        problems: list[str] = []
        listed = tuple(_of_folder(path, sought, problems))
    else:
        table = read_table(path, required=_required(challenge), optional=_optional(challenge))
        problems = list(table.problems)
        listed = tuple(_of_row(path.parent, row, challenge) for row in table.rows)
    if not listed and not problems:
        raise UsageError(f"{path}: holds no submission; {_LAYOUT}")
    for one in listed:
        problems += _problems(one, challenges)
    problems += _twice(listed)
    refuse(problems)
    return listed


def _required(challenge: str | None) -> tuple[str, ...]:
    return ("candidate", "path") if challenge else ("candidate", "challenge", "path")


def _optional(challenge: str | None) -> tuple[str, ...]:
    return ("challenge", "revision") if challenge else ("revision",)


def _of_row(folder: Path, row: Row, challenge: str | None) -> Listed:
    named = row.cells["challenge"] or challenge or ""
    # A path that is empty would be the folder of the file itself.
    path = folder / row.cells["path"] if row.cells["path"] else Path()
    return Listed(label(row.cells["candidate"]), named, path, row.cells["revision"] or None, row.where)


def _of_folder(folder: Path, sought: _Sought, problems: list[str]) -> Iterator[Listed]:
    for entry in _entries(folder, sought, problems):
        if sought.challenge is not None:
            yield from _one(entry, _stem(entry), sought.challenge, problems)
        elif entry.is_dir():
            inside = _entries(entry, sought, problems)
            if not inside:
                problems.append(f"{entry}: holds no submission; put one in it, or take it away")
            for each in inside:
                yield from _one(each, entry.name, _stem(each), problems)
        else:
            problems.append(f"{entry}: is no folder of a candidate; {_LAYOUT}")


def _entries(folder: Path, sought: _Sought, problems: list[str]) -> list[Path]:
    """What is in a folder, by name; hidden files, which systems and editors leave, are said and passed over."""
    try:
        found = sorted(folder.iterdir(), key=lambda path: natural(path.name))
    except OSError as error:
        problems.append(f"{folder}: cannot be read: {error.strerror}; mend its permissions")
        return []
    for path in found:
        if path.name.startswith("."):
            sought.say(f"{path}: is hidden, and ignored")
    return [path for path in found if not path.name.startswith(".")]


def _one(path: Path, candidate: str, challenge: str | None, problems: list[str]) -> Iterator[Listed]:
    """The submission at a path, if it can be one."""
    if path.is_symlink():
        problems.append(f"{path}: is a link; put what it points to in its place")
    elif not path.is_dir() and not path.name.lower().endswith(_ARCHIVES):
        problems.append(
            f"{path}: is neither a folder nor an archive ({', '.join(_ARCHIVES)}); pack it, or take it away"
        )
    else:
        yield Listed(label(candidate), challenge or "", path, None, str(path))


def _stem(path: Path) -> str:
    """The name without an archive's ending; a folder may have dots in its name."""
    if not path.is_dir():
        for ending in _ARCHIVES:
            if path.name.lower().endswith(ending):
                return path.name[: -len(ending)]
    return path.name


def _problems(one: Listed, challenges: Collection[str]) -> Iterator[str]:
    if wrong := label_problem(one.candidate):
        yield f"{one.where}: candidate: {wrong}"
    if one.challenge not in challenges:
        fix = nearest(one.challenge, challenges)
        yield f"{one.where}: challenge: there is no challenge {quoted(one.challenge)}; {fix}"
    if one.path == Path():
        yield f"{one.where}: path: is empty; name a folder or an archive, from the file's own folder on"
    elif not _exists(one.path):
        yield f"{one.where}: path: there is no {quoted(str(one.path))}; paths start in the file's own folder"
    elif one.revision is not None and not one.path.is_dir():
        yield f"{one.where}: revision: {quoted(str(one.path))} is no folder; a revision is of a git repository's folder"
    elif not one.path.is_dir() and not one.path.name.lower().endswith(_ARCHIVES):
        yield f"{one.where}: path: is neither a folder nor an archive ({', '.join(_ARCHIVES)}); pack it"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        # A name that is too long for any file, or a folder that may not be looked into.
        return False


def _twice(listed: tuple[Listed, ...]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for one in listed:
        key = (one.candidate, one.challenge)
        if key in seen:
            whose = f"{quoted(one.candidate)} has {quoted(one.challenge)}"
            yield f"{one.where}: {whose} at {seen[key]} too; keep one of them"
        seen.setdefault(key, one.where)
