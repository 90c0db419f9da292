"""Finds assessments: the roles that ship, and an organisation's own; and the challenges to hold them against."""

import difflib
import os
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path

from assessments.assessment import Assessment
from assessments.assessment_lint import assessment_problems
from assessments.challenge import Challenge
from assessments.errors import AssayError, UsageError
from assessments.manifest import read_challenge
from assessments.manifest.read_assessment import read_assessment
from runner import catalogue

VARIABLE = "ASSAY_ASSESSMENTS"


def files(named: Path | None) -> Iterator[Path]:
    """The files of all assessments: of the folder given (or ASSAY_ASSESSMENTS), then those that ship."""
    own = named or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    seen = set()
    for root in (*([own] if own else []), Path(str(resources.files("assessments") / "roles"))):
        if not root.is_dir():
            raise UsageError(f"{root}: is no folder of assessments; name one with --assessments or {VARIABLE}")
        for path in sorted(root.glob("*.toml")):
            if path.stem not in seen:
                seen.add(path.stem)
                yield path


def find(name: str, named: Path | None) -> Assessment:
    """The assessment with this id, or in this file. Raises UsageError if there is none, InvalidAssessment if broken."""
    if "/" in name or name.endswith(".toml"):
        return read_assessment(Path(name))
    known = {path.stem: path for path in files(named)}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known) or 'none'}"
        raise UsageError(f"there is no assessment '{name}'; {hint}")
    return read_assessment(known[name])


def challenges_of(assessment: Assessment, challenges: Path | None) -> Mapping[str, Challenge]:
    """Those of its challenges that there are and that can be read."""
    wanted = {part.challenge for part in assessment.parts}
    folders = (folder for folder in catalogue.folders(challenges) if folder.name in wanted)
    return {challenge.id: challenge for challenge in map(read_challenge, folders)}


def lint(path: Path, challenges: Path | None) -> tuple[str, ...]:
    """Every problem of the assessment in this file, with file, field and fix."""
    try:
        assessment = read_assessment(path)
        found = challenges_of(assessment, challenges)
    except AssayError as error:
        return error.problems
    return tuple(f"{path}: {problem}" for problem in assessment_problems(assessment, found))
