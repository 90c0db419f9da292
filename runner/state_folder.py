"""Where a user's state lies; what is in it, `runner.bench` draws."""

import os
from pathlib import Path


def default_state() -> Path:
    """Where this user's state lies."""
    named = os.environ.get("ASSAY_STATE")
    if named:
        return Path(named).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/assay")
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "assay"
