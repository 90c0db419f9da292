"""Where the parts of the store lie below a state folder."""

from pathlib import Path


def store_folder(state: Path) -> Path:
    return state / "store"


def keys_folder(state: Path) -> Path:
    return store_folder(state) / "keys"
