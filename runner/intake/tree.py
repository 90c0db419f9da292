"""The tree of a submission: gathered entry by entry from any format, then packed, digested, written.

Every reader (zip, tar, folder, git) asks `enter` for each entry before it looks at contents, and `reserve` before
it reads or inflates any. So the rules of names, counts and bytes are in one place and hold for all of them.
"""

import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from assessments.submission import Digest, FileEntry
from runner.intake import names
from runner.intake.limits import IntakeLimits, size_text
from runner.intake.problems import Problems, shown


@dataclass(frozen=True, slots=True)
class _Node:
    path: str
    folder: bool


class Tree:
    """Files gathered from one submission, with what was wrong with the others."""

    def __init__(self, origin: str, limits: IntakeLimits) -> None:
        self.limits = limits
        self._problems = Problems(origin)
        self._nodes: dict[str, _Node] = {}
        self._contents: dict[str, bytes] = {}
        self._left_out: set[str] = set()
        self._entries = 0
        self._room_bytes = limits.total_bytes

    @property
    def left_out(self) -> tuple[str, ...]:
        """The topmost tool droppings that were passed over, sorted."""
        return tuple(sorted(self._left_out))

    def enter(self, path: str, *, folder: bool) -> str | None:
        """Check an entry's path by itself and against the others: the path, or None if its contents are not wanted.

        Raises InvalidSubmission at once when there are more entries than allowed.
        """
        self._entries += 1
        self._check_count(self._entries)
        faults = list(names.unsafe(path))
        if not faults:
            dropping = names.left_out(path)
            if dropping is not None:
                self._left_out.add(dropping)
                return None
            faults = list(names.oversize(path, self.limits)) or self._clashes(path, folder=folder)
        for fault in faults:
            self.refuse(path, fault)
        return None if faults else path

    def _clashes(self, path: str, *, folder: bool) -> list[str]:
        """Claim `path` and the folders above it; what is wrong if one of them is taken by something else."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            node = _Node("/".join(parts[:depth]), folder or depth < len(parts))
            known = self._nodes.setdefault(names.collision_key(node.path), node)
            self._check_count(len(self._nodes))
            if known.path != node.path:
                return [f"differs from {shown(known.path)} only in capitals or in Unicode form. Rename one of the two."]
            if known.folder != node.folder:
                return ["is (or lies below) a name that is both a file and a folder. Rename one of the two."]
            if known is not node and not node.folder:
                return ["is in there twice. Keep one of the two."]
        return []

    def _check_count(self, count: int) -> None:
        if count > self.limits.entries:
            self.stop(
                f"holds more than {self.limits.entries} files and folders. Leave out what is not yours to hand in,"
                " such as virtual environments, caches and data."
            )

    def reserve(self, path: str, size_bytes: int) -> None:
        """Set room aside for contents before they are read; raises InvalidSubmission when there is none left."""
        if size_bytes > self._room_bytes:
            self.stop(
                f"would bring the submission to more than {size_text(self.limits.total_bytes)} unpacked."
                " Leave out data, models and environments.",
                entry=path,
            )
        self._room_bytes -= size_bytes

    def keep(self, path: str, contents: bytes) -> None:
        """Take in the contents of a path that `enter` allowed."""
        self._contents[path] = contents

    def refuse(self, entry: str | None, what: str) -> None:
        """Note a problem and go on, to find the others too."""
        self._problems.add(entry, what)

    def stop(self, what: str, entry: str | None = None) -> NoReturn:
        """Raise InvalidSubmission now: reading on would cost too much or make no sense."""
        self._problems.stop(entry, what)

    def raise_if_refused(self) -> None:
        """Raise InvalidSubmission with every problem noted so far, if any."""
        self._problems.raise_if_any()

    def finish(self) -> dict[str, bytes]:
        """The contents by path, sorted; raises InvalidSubmission if anything was refused or there is no file."""
        self.raise_if_refused()
        if not self._contents:
            self.stop("holds no files. Hand in the folder that has your work in it.")
        return dict(sorted(self._contents.items()))


def file_entries(contents: Mapping[str, bytes]) -> tuple[FileEntry, ...]:
    """Size and digest of each file, sorted by path."""
    return tuple(FileEntry(path, len(data), sha256(data)) for path, data in sorted(contents.items()))


def tree_digest(files: tuple[FileEntry, ...]) -> Digest:
    """SHA-256 over a line of path, NUL, size, NUL, digest for each file in order (no path holds NUL or newline)."""
    lines = (f"{file.path}\0{file.size_bytes}\0{file.digest}\n" for file in files)
    return sha256("".join(lines).encode())


def sha256(data: bytes) -> Digest:
    return Digest(hashlib.sha256(data).hexdigest())


def pack(contents: Mapping[str, bytes]) -> bytes:
    """A tar that depends on nothing but paths and contents: sorted, no times, no owners, mode 0644."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive:
        for path, data in sorted(contents.items()):
            member = tarfile.TarInfo(path)
            member.size = len(data)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()
