"""A cohort for other programs: one function a format."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from assessments.errors import InfrastructureError, UsageError
from runner.cohort.pages import Standing, scorecard_of, standing_of
from runner.insights.ranking import rank
from runner.reports.cohort_exports import cohort_csv, cohort_json, results_csv
from runner.reports.junit import junit
from runner.results import SCORECARD, SIGNATURE, slug
from runner.signed import signature_document
from runner.store import scorecards
from runner.store.cohorts import Kept
from runner.store.store import Store

_SCORECARDS: Final = "scorecards"
_EXTENSIONS: Final = {"zip": "zip", "tar.gz": "tar.gz"}


def export_cohort(store: Store, kept: Kept, kind: str, out: Path | None) -> bytes | None:
    """The cohort in this format; None for scorecards, which are written into the folder `out`.

    Raises UsageError where there must be a folder, InfrastructureError where it cannot be written.
    """
    standing = standing_of(store, kept)
    if kind != _SCORECARDS:
        return FORMATS[kind](store, standing)
    if out is None:
        raise UsageError("--out: name a folder for the scorecards")
    try:
        _write_scorecards(store, standing, out)
    except OSError as error:
        raise InfrastructureError(f"{out}: could not be written: {error.strerror}") from error
    return None


def places(standing: Standing) -> Mapping[str, tuple[int, int]]:
    """Candidate -> best and worst place."""
    ranking = rank(standing.candidates, standing.kept.cohort.assessment)
    return {one.candidate.name: (one.place_best, one.place_worst) for one in ranking}


def _json(_store: Store, standing: Standing) -> bytes:
    return cohort_json(standing.kept.cohort, standing.candidates, places(standing))


def _csv(_store: Store, standing: Standing) -> bytes:
    return cohort_csv(standing.kept.cohort, standing.candidates, places(standing))


def _results(_store: Store, standing: Standing) -> bytes:
    return results_csv(standing.kept.cohort, standing.candidates)


def _junit(store: Store, standing: Standing) -> bytes:
    return junit([scorecard_of(store, one.scorecard) for one in standing.counting if one.scorecard])


def _write_scorecards(store: Store, standing: Standing, out: Path) -> None:
    """A folder a scorecard, as `assay grade` leaves it but for the pages, so that `verify` and `replay` read it."""
    for one in standing.counting:
        if one.scorecard is None:
            continue
        folder = out / f"{slug(one.candidate)}-{one.challenge}-{one.scorecard.id[:8]}"
        folder.mkdir(parents=True, exist_ok=True)
        with store.database.reading() as connection:
            kept = scorecards.kept_scorecard(connection, one.scorecard.id)
        submission = scorecard_of(store, one.scorecard).submission
        name = f"submission.{_EXTENSIONS.get(submission.format, 'tar')}"
        (folder / SCORECARD).write_bytes(kept.document)
        (folder / SIGNATURE).write_bytes(signature_document(store.signer.verifier.id, kept.signature))
        (folder / name).write_bytes(store.artefacts.get(submission.digest))


FORMATS: Final[Mapping[str, Callable[[Store, Standing], bytes]]] = MappingProxyType(
    {"json": _json, "csv": _csv, "results": _results, "junit": _junit}
)
KINDS: Final = (*FORMATS, _SCORECARDS)
