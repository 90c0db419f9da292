"""Whether anything hidden is in the kit, by what is in it and not by how it was made.

Files are compared whole, and texts by runs of consecutive lines that say something: one line that two files share (an
import, a bracket, a default) is nothing; four in a row were copied.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Final

from assessments.challenge import Challenge
from assessments.errors import InvalidChallenge
from runner.certify.kit import kit_contents
from runner.challenge_files import author_files

_HIDDEN_TEXT: Final = ("hidden_tests", "judge_data")
_SOLUTIONS: Final = "solutions"
_DATA: Final = "data"

_LINES_IN_A_ROW = 4
_TELLING_CHARS = 12
"""A shorter line, without its white space, says nothing."""
_TELLING_BYTES = 40
"""A shorter file may be the same by chance."""

_Run = tuple[bytes, ...]


def leaks(challenge: Challenge) -> tuple[str, ...]:
    """Each file of the kit that holds something hidden, with what it holds; or why the kit cannot be made."""
    try:
        return tuple(f"{challenge.folder}: {leak}" for leak in _leaks(challenge))
    except InvalidChallenge as error:
        return error.problems


def _leaks(challenge: Challenge) -> Iterator[str]:
    kit = kit_contents(challenge)
    yield from _shown_folders(challenge)
    hidden = {
        f"{part}/{path}": content
        for part in (*_HIDDEN_TEXT, _SOLUTIONS, _DATA)
        if (challenge.folder / part).is_dir()
        for path, content in author_files(challenge.folder / part).items()
        if not _is_shown(challenge, f"{part}/{path}")
    }
    yield from _same_files(kit, hidden)
    yield from _same_lines(kit, hidden)


def _shown_folders(challenge: Challenge) -> Iterator[str]:
    """Assets that a candidate gets, and that hold or lie in what no candidate may get."""
    secret = [*_HIDDEN_TEXT, _SOLUTIONS, *(asset.folder for asset in challenge.assets if asset.hidden)]
    for asset in challenge.assets:
        for folder in secret if not asset.hidden else ():
            mine, other = PurePosixPath(asset.folder), PurePosixPath(folder)
            if mine.is_relative_to(other) or other.is_relative_to(mine):
                yield f"assets: '{asset.name}' shows {mine}, and {other} is hidden; keep them apart"


def _is_shown(challenge: Challenge, path: str) -> bool:
    """Whether a file of the data is a shown asset's, and so in the kit on purpose."""
    shown = [asset.folder for asset in challenge.assets if not asset.hidden]
    return any(PurePosixPath(path).is_relative_to(folder) for folder in shown)


def _same_files(kit: Mapping[str, bytes], hidden: Mapping[str, bytes]) -> Iterator[str]:
    by_content = {content: path for path, content in hidden.items() if len(content) >= _TELLING_BYTES}
    for path, content in kit.items():
        if content in by_content and not _started_from(path, by_content[content]):
            yield f"the kit's {path} is {by_content[content]}, which is hidden; take it out"


def _started_from(shown: str, hidden: str) -> bool:
    """A solution begins with the starter: what both have is the candidate's already."""
    return shown.startswith("starter/") and hidden.startswith(f"{_SOLUTIONS}/")


def _same_lines(kit: Mapping[str, bytes], hidden: Mapping[str, bytes]) -> Iterator[str]:
    runs: dict[_Run, str] = {}
    for path, content in hidden.items():
        if not path.startswith(f"{_DATA}/"):  # numbers and names of features recur in data
            runs |= dict.fromkeys(_runs(content), path)
    for path, content in kit.items():
        found = next(((run, runs[run]) for run in _runs(content) if not _common(path, runs.get(run))), None)
        if found:
            first = found[0][0].decode("utf-8", "replace")[:60]
            yield f"the kit's {path} has lines of {found[1]}, which is hidden, from {first!r} on; reword one of them"


def _common(shown: str, hidden: str | None) -> bool:
    """Whether a run of the kit is nowhere hidden, or in both for a good reason."""
    return hidden is None or _started_from(shown, hidden)


def _runs(content: bytes) -> Iterator[_Run]:
    if b"\0" in content:
        return
    lines = [line.strip() for line in content.splitlines()]
    telling = [line for line in lines if len(line.replace(b" ", b"")) >= _TELLING_CHARS]
    for start in range(len(telling) - _LINES_IN_A_ROW + 1):
        yield tuple(telling[start : start + _LINES_IN_A_ROW])
