"""Weighs groups that are not ours more for a while: an engine's containers are no further than the group they are in.

What the groups weighed before is noted in the run's folder first, so that a sweep can put it back for a dead run.
"""

import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

RECORD = "weights"


@dataclass
class Preference:
    """The weights that one run has raised. `record` is where they are noted."""

    record: Path
    _before: dict[str, str] = field(default_factory=dict, init=False)

    def prefer(self, weights: Iterable[Path], most: int) -> None:
        """Set each of these files to `most`. Raises OSError where that is not allowed."""
        for file in weights:
            weight = file.read_text().strip()
            if weight != str(most):
                self._before.setdefault(str(file), weight)
                self.record.write_text(json.dumps(self._before))
                file.write_text(str(most))

    def restore(self) -> None:
        """Put everything back. Idempotent."""
        put_back(self.record)
        self._before.clear()


def put_back(record: Path) -> None:
    """Restore the weights that are noted here, and forget the note. Nothing happens where there is none."""
    try:
        noted = json.loads(record.read_text())
    except (FileNotFoundError, ValueError):
        return
    for file, weight in noted.items():
        with contextlib.suppress(OSError):  # the group has gone by now
            Path(file).write_text(weight)
    record.unlink(missing_ok=True)
