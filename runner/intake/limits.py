"""The limits of a submission: what intake reads at most, whatever comes in."""

from dataclasses import dataclass
from typing import Final

MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class IntakeLimits:
    """Upper bounds, each of which a submission may just reach.

    `archive_bytes` is the size of the file handed in; `total_bytes` that of all contents together;
    `entries` counts files and folders, those in tool droppings included; `depth` counts the parts of a path,
    the file's own name among them; `path_bytes` and `name_bytes` are lengths in UTF-8 of a path and of one part.
    """

    archive_bytes: int = 20 * MEBIBYTE
    total_bytes: int = 50 * MEBIBYTE
    entries: int = 2000
    depth: int = 16
    path_bytes: int = 240
    name_bytes: int = 120


DEFAULT_LIMITS: Final = IntakeLimits()


def size_text(size_bytes: int) -> str:
    """A size for people: bytes up to 10 KiB, then KiB, then MiB."""
    if size_bytes < 10 * 1024:
        return f"{size_bytes} bytes"
    if size_bytes < 10 * MEBIBYTE:
        return f"{size_bytes / 1024:.0f} KiB"
    return f"{size_bytes / MEBIBYTE:.0f} MiB"
