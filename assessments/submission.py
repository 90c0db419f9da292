"""A submission: the exact bytes a candidate handed in, addressed by their SHA-256."""

from dataclasses import dataclass
from typing import NewType

Digest = NewType("Digest", str)
"""A SHA-256 as 64 lower-case hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a submission; `path` is relative, with forward slashes, and safe to join to a folder."""

    path: str
    size_bytes: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class Submission:
    """What was handed in.

    `digest` is over the archive's bytes as received; for a folder or a git revision, over the archive that
    intake made of it. `tree_digest` is over the sorted paths and contents, the same however they were packed.
    """

    digest: Digest
    tree_digest: Digest
    origin: str
    """The name it came under (a file or folder name, a revision): for people, never a path to follow."""
    format: str
    """folder, zip, tar, tar.gz or git."""
    files: tuple[FileEntry, ...]

    @property
    def total_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)
