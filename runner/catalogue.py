"""Finds challenges: the ones that ship, and an organisation's own packs."""

import difflib
import os
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from assessments.challenge import Challenge
from assessments.errors import UsageError
from assessments.manifest import read_challenge
from assessments.manifest.read import MANIFEST

VARIABLE = "ASSAY_CHALLENGES"


def roots(named: Path | None) -> tuple[Path, ...]:
    """Where to look, first one first: the folder given (or ASSAY_CHALLENGES), then what ships."""
    own = own_root(named)
    shipped = Path(str(resources.files("challenges")))
    return (own, shipped) if own else (shipped,)


def own_root(named: Path | None) -> Path | None:
    """An organisation's own folder of challenges: the one given, or ASSAY_CHALLENGES."""
    return named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)


def folders(named: Path | None) -> Iterator[Path]:
    """The folders of all challenges; of two with the same id the first one counts."""
    seen = set()
    for root in roots(named):
        if not root.is_dir():
            raise UsageError(f"{root}: is no folder of challenges; name one with --challenges or {VARIABLE}")
        for manifest in sorted(root.glob(f"*/{MANIFEST}")):
            if manifest.parent.name not in seen:
                seen.add(manifest.parent.name)
                yield manifest.parent


def find(name: str, named: Path | None) -> Challenge:
    """The challenge with this id, or in this folder. Raises UsageError if there is none, InvalidChallenge if broken."""
    if "/" in name or name in (".", ".."):
        return read_challenge(Path(name).resolve())
    known = {folder.name: folder for folder in folders(named)}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known) or 'none'}"
        raise UsageError(f"there is no challenge '{name}'; {hint}")
    return read_challenge(known[name])
