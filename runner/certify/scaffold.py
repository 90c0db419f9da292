"""A new challenge to start from: small, whole and sound, so that an author changes what works.

The templates are the folders below `template/`, one for each kind of entry; `$name` and `$title` are filled in, and
`.template` is taken off each file's name.
"""

import re
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from assessments.challenge import EntryKind
from assessments.errors import UsageError

_SUFFIX = ".template"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAME_CHARS = 60


def new_challenge(name: str, kind: EntryKind, parent: Path) -> Path:
    """Write the folder `parent/name`. Raises UsageError for a name that is none, and where something is already."""
    if not _NAME.fullmatch(name) or len(name) > _NAME_CHARS:
        raise UsageError(f"{name}: a challenge's name is lower-case words joined by hyphens, such as serve-a-model")
    folder = parent / name
    if folder.exists():
        raise UsageError(f"{folder}: is there already; choose another name")
    values = {"name": name, "title": name.replace("-", " ").capitalize()}
    for path, text in template(kind):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(Template(text).safe_substitute(values), "utf-8")
    return folder


def template(kind: EntryKind) -> Iterator[tuple[str, str]]:
    """The files of a template: path and text."""
    root = resources.files("runner.certify") / "template" / kind.value
    yield from sorted(_files(root, ""))


def _files(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{prefix}{entry.name.removesuffix(_SUFFIX)}", entry.read_text("utf-8")
