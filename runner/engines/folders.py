"""Folders with the mode that is asked for, whatever the umask of whoever runs Assay."""

from pathlib import Path

PASSABLE = 0o711
"""Box users may pass through, and see nothing of what else is there."""
READABLE = 0o755


def make_folder(folder: Path, mode: int) -> Path:
    """Make a folder and what is missing above it; folders that are there already stay as they are."""
    for part in (*reversed(folder.parents), folder):
        if not part.exists():
            part.mkdir(exist_ok=True)
            part.chmod(mode if part == folder else READABLE)
    return folder
