"""Reads an assessment's file: its bytes in, an `Assessment` or a full list of problems out."""

from pathlib import Path

from assessments.assessment import Assessment, Part, PassMark
from assessments.errors import InvalidAssessment
from assessments.manifest.assessment_schema import AssessmentManifest
from assessments.manifest.toml_file import read_toml


def read_assessment(path: Path) -> Assessment:
    """The assessment in this file. Raises InvalidAssessment that names file, field and fix of every problem."""
    manifest = read_toml(
        path,
        AssessmentManifest,
        InvalidAssessment,
        absent="name an assessment's .toml, or one of those that `assay assessment list` knows",
        described_by="assay assessment schema",
    )
    if manifest.id != path.stem:
        raise InvalidAssessment(f"{path}: id: is '{manifest.id}', the file is '{path.name}'; make them the same")
    return Assessment(
        path=path,
        id=manifest.id,
        version=manifest.version,
        title=manifest.title,
        summary=manifest.summary,
        window_hours=manifest.window_hours,
        attempts=manifest.attempts,
        pass_mark=PassMark(manifest.pass_mark.share, manifest.pass_mark.doubt),
        feedback=manifest.feedback,
        parts=tuple(Part(part.id, part.weight) for part in manifest.challenges),
        skill_weights=manifest.skills,
    )
