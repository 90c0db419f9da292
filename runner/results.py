"""Where gradings are written, each once and whole.

<out>/<candidate>-<scorecard id, first 8>/
  scorecard.json     the document everything else is made from
  submission.<ext>   the exact bytes that were graded
  signature.json     that this host's key signed it
  starter.tar        what the candidate started from, for the difference
  report.html        for the interviewer
  candidate.html     for the candidate
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from assessments.errors import InfrastructureError, UsageError
from assessments.scorecard import Scorecard
from runner.challenge_files import author_files
from runner.grade import Graded
from runner.intake import pack, unpack
from runner.reports import document
from runner.reports.html import Audience, Sources, render
from runner.signed import sign_scorecard
from runner.store.signing import Signer

SCORECARD = "scorecard.json"
SIGNATURE = "signature.json"
_SUBMISSION = "submission"
_STARTER = "starter.tar"
_UNFINISHED = ".unfinished-"
_EXTENSIONS = {"zip": "zip", "tar.gz": "tar.gz"}
_PAGES = {Audience.INTERVIEWER: "report.html", Audience.CANDIDATE: "candidate.html"}


def write_result(out: Path, graded: Graded, starter: Path, signer: Signer) -> Path:
    """Write a grading's folder and give its path.

    Raises InfrastructureError (then nothing has been written), and InvalidChallenge for a starter that cannot be read.
    """
    scorecard = graded.scorecard
    folder = out / f"{slug(scorecard.candidate)}-{scorecard.id[:8]}"
    started_from = author_files(starter)
    sources = Sources(graded.received.contents, started_from)
    extension = _EXTENSIONS.get(scorecard.submission.format, "tar")
    files = {
        SCORECARD: document.dump(scorecard),
        f"{_SUBMISSION}.{extension}": graded.received.archive,
        SIGNATURE: sign_scorecard(scorecard, signer),
        _STARTER: pack(started_from),
        **{name: render(scorecard, sources, audience).encode() for audience, name in _PAGES.items()},
    }
    try:
        _write_whole(folder, files)
    except OSError as error:
        raise InfrastructureError(f"{folder}: could not be written: {error.strerror}; nothing is there") from error
    return folder


def read_result(path: Path) -> tuple[Scorecard, Sources]:
    """A grading read back from its folder, or from the scorecard in it; the submission's bytes must match its digest.

    Raises UsageError, or InvalidSubmission for bytes that intake would refuse; both name the file and the fix.
    """
    file = _scorecard_file(path)
    scorecard = document.load(scorecard_bytes(path), str(file))
    archive, submission = kept_archive(file), scorecard.submission
    if archive is None:
        return scorecard, Sources({}, {})
    if hashlib.sha256(archive).hexdigest() != submission.digest:
        raise UsageError(
            f"{file.parent}: the submission is not what {file.name} was made from; put the right one there"
        )
    names = tuple(entry.path for entry in submission.files)
    submitted = unpack(archive, submission.format, submission.origin, required_files=names).contents
    starter = file.parent / _STARTER
    started_from = unpack(starter.read_bytes(), "tar", _STARTER).contents if starter.is_file() else {}
    return scorecard, Sources(submitted, started_from)


def scorecard_bytes(path: Path) -> bytes:
    """The document of a grading's folder, or this file's bytes. Raises UsageError."""
    file = _scorecard_file(path)
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}; name a scorecard or its folder") from error


def _scorecard_file(path: Path) -> Path:
    return path / SCORECARD if path.is_dir() else path


def signature_beside(path: Path) -> bytes | None:
    """The signature that stands beside a scorecard; None where there is none."""
    file = (path if path.is_dir() else path.parent) / SIGNATURE
    return file.read_bytes() if file.is_file() else None


def kept_archive(scorecard: Path) -> bytes | None:
    """The submission's bytes as they lie beside a scorecard; None where they do not."""
    kept = sorted(scorecard.parent.glob(f"{_SUBMISSION}.*"))
    return kept[0].read_bytes() if kept else None


def slug(candidate: str) -> str:
    """A folder name from a label nobody vouches for."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", candidate).strip(".-")[:60] or "candidate"


def _write_whole(folder: Path, files: Mapping[str, bytes]) -> None:
    """All files, on disk, under the folder's name: or no folder of that name at all."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(folder.parent)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=folder.parent))
    try:
        for name, content in files.items():
            with (unfinished / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            (unfinished / name).chmod(0o444)
        unfinished.chmod(0o755)
        _fsync(unfinished)
        unfinished.rename(folder)
        _fsync(folder.parent)
    except OSError:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _remove_unfinished(out: Path) -> None:
    """Take away what a runner that was killed while it wrote has left here."""
    for path in out.glob(f"{_UNFINISHED}*"):
        owner = path.name.removeprefix(_UNFINISHED).partition("-")[0]
        if not Path("/proc", owner).exists():
            shutil.rmtree(path, ignore_errors=True)


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
