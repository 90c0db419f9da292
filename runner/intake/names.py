"""The rules of paths: which names a submission may hold, the same for every format.

A path is relative, in UTF-8, with forward slashes, and looks to everybody like what it is: no control or
invisible characters, nothing that another system would read as a separator or as a way up, no trailing dots or
spaces (which some systems drop). Names that are odd but harmless stay as they are: `-rf`, `@file`, `conftest.py`,
also names that only Windows reserves (`aux.py`), since a submission is only ever unpacked on Linux.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from runner.intake.limits import IntakeLimits

LEFT_OUT_NAMES: Final = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".venv",
        "venv",
        "node_modules",
        "__pycache__",
        ".pytest_cache",
        ".mypy_cache",
        ".ruff_cache",
        ".hypothesis",
        ".tox",
        ".nox",
        ".ipynb_checkpoints",
        ".DS_Store",
        "__MACOSX",
        "Thumbs.db",
        "desktop.ini",
    }
)
"""What tools leave behind. Files and folders of these names are no part of a submission, in any format."""

LEFT_OUT_PREFIX: Final = "._"
"""AppleDouble files, which macOS puts beside every file it packs."""

_DRIVE: Final = re.compile(r"[A-Za-z]:")
_INVISIBLE_CATEGORIES: Final = frozenset({"Cf", "Zl", "Zp"})


def tidy(name: str) -> tuple[str, bool]:
    """A packed name without the `./` and the `/` that packers add, and whether it ended in `/`. "." is the root."""
    ended = name.endswith("/") and name != "/"
    return (name.removesuffix("/") if ended else name).removeprefix("./"), ended


def left_out(path: str) -> str | None:
    """The topmost tool dropping that `path` is or lies in, as a path; None if it is part of the submission."""
    parts = path.split("/")
    for depth, part in enumerate(parts, start=1):
        if part in LEFT_OUT_NAMES or part.startswith(LEFT_OUT_PREFIX):
            return "/".join(parts[:depth])
    return None


def collision_key(path: str) -> str:
    """Equal for two paths that some file system or reader would take for the same."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())


def unsafe(path: str) -> Iterator[str]:
    """What makes a path dangerous or misleading, each with its cure."""
    if not path:
        yield "has an empty name. Give every file a name."
        return
    yield from _unsafe_characters(path)
    if path.startswith("/"):
        yield "is an absolute path. Pack the files with paths relative to the submission's folder."
    if _DRIVE.match(path):
        yield "starts with a drive letter. Pack the files with paths relative to the submission's folder."
    parts = path.removeprefix("/").split("/")
    if ".." in parts:
        yield 'has ".." in its path and may lead out of the submission. Pack the files from inside their folder.'
    if "" in parts or "." in parts:
        yield 'has an empty part or "." in its path. Pack it again with an ordinary tool.'
    if any(part.endswith((".", " ")) and part not in {".", ".."} for part in parts):
        yield "has a part that ends in a dot or a space, which some systems drop. Rename it."


def _unsafe_characters(path: str) -> Iterator[str]:
    categories = {unicodedata.category(character) for character in path}
    if "Cs" in categories:
        yield "has a name that is not UTF-8. Rename it, or pack it with a tool that writes UTF-8."
        return
    if "Cc" in categories:
        yield "has a control character in its name. Rename it."
    if categories & _INVISIBLE_CATEGORIES:
        yield "has an invisible or text-direction character in its name. Rename it."
    if "\\" in path:
        yield "has a backslash in its name. Pack it with a tool that writes forward slashes, or rename it."
    elif _reads_as_another_path(path):
        yield "has a character that other systems read as a slash or as dots. Rename it."


def _reads_as_another_path(path: str) -> bool:
    """Whether a part turns into something else than one plain name once it is normalised (such as U+2025 to "..")."""
    for part in path.split("/"):
        normal = unicodedata.normalize("NFKC", part)
        if normal != part and (normal in {"", ".", ".."} or any(mark in normal for mark in "/\\\0")):
            return True
    return False


def oversize(path: str, limits: IntakeLimits) -> Iterator[str]:
    """Which limits of length and depth a path is over."""
    parts = path.split("/")
    if len(parts) > limits.depth:
        yield f"lies {len(parts)} levels deep; at most {limits.depth} are allowed. Make the folders flatter."
    if _bytes(path) > limits.path_bytes:
        yield f"has a path of {_bytes(path)} bytes; at most {limits.path_bytes} are allowed. Shorten it."
    longest = max(map(_bytes, parts))
    if longest > limits.name_bytes:
        yield f"has a name of {longest} bytes; at most {limits.name_bytes} are allowed. Shorten it."


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
