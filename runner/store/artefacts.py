"""Bytes by their SHA-256. The same bytes are kept once; what is read back is what was put in, or an error.

artefacts/<first two digits>/<the other 62>
"""

import contextlib
import hashlib
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assessments.errors import InfrastructureError
from assessments.submission import Digest

_UNFINISHED = ".unfinished-"


def digest_of(content: bytes) -> Digest:
    """The SHA-256 of these bytes."""
    return Digest(hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class Artefacts:
    """A folder of them."""

    folder: Path

    def put(self, content: bytes) -> Digest:
        """Keep these bytes; they are on disk when this returns. Raises InfrastructureError: then nothing is kept."""
        digest = digest_of(content)
        path = self.path(digest)
        try:
            if not _holds(path, content):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                _write_whole(path, content)
        except OSError as error:
            msg = f"{self.folder}: {_worded(error)}; nothing of this submission was kept, so hand it in again then"
            raise InfrastructureError(msg) from error
        return digest

    def get(self, digest: Digest) -> bytes:
        """The bytes with this digest. Raises InfrastructureError where they are gone, or not the same any more."""
        try:
            content = self.path(digest).read_bytes()
        except OSError as error:
            raise InfrastructureError(f"{self.path(digest)}: cannot be read: {error.strerror}") from error
        if digest_of(content) != digest:
            raise InfrastructureError(f"{self.path(digest)}: was changed; put back a copy from a backup")
        return content

    def has(self, digest: Digest) -> bool:
        return self.path(digest).is_file()

    def remove(self, digest: Digest) -> None:
        self.path(digest).unlink(missing_ok=True)

    def path(self, digest: Digest) -> Path:
        return self.folder / digest[:2] / digest[2:]

    def digests(self) -> Iterator[Digest]:
        """All that there are."""
        for path in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
            if not path.name.startswith(_UNFINISHED):
                yield Digest(path.parent.name + path.name)

    def remove_unfinished(self) -> None:
        """Take away what a process that died while it wrote has left. Only while nobody else writes."""
        for path in self.folder.glob(f"*/{_UNFINISHED}*"):
            path.unlink(missing_ok=True)


def _holds(path: Path, content: bytes) -> bool:
    """Whether these very bytes are there. A file that a disk has damaged is no copy, and is written anew."""
    try:
        return path.read_bytes() == content
    except FileNotFoundError:
        return False


def _write_whole(path: Path, content: bytes) -> None:
    """The file under its name, with all of its bytes on disk, or no file."""
    handle, name = tempfile.mkstemp(prefix=_UNFINISHED, dir=path.parent)
    unfinished = Path(name)
    with contextlib.ExitStack() as unless_done:
        unless_done.callback(unfinished.unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), 0o400)
            os.fsync(file.fileno())
        unfinished.rename(path)
        unless_done.pop_all()
    for folder in (path.parent, path.parent.parent):  # the name must be on disk, too
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _worded(error: OSError) -> str:
    return f"{error.strerror}" if error.strerror else type(error).__name__
