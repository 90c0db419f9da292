"""The grader's own folder: data sets that hidden tests make, to be given to sandboxes as inputs."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from graders.checks.errors import ChallengeError

Inputs = Mapping[str, Path | Mapping[str, bytes]]
"""By name at /inputs: a folder directly below the scratch, or files by relative path."""


@dataclass
class Scratch:
    """`folder` is empty at first, and everybody's to read."""

    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def names(self, inputs: Inputs) -> dict[str, str]:
        """By the name at /inputs, the name of the folder below the scratch. Files that are none yet are written first.

        Raises ChallengeError for a folder that lies elsewhere.
        """
        return {name: self._name(given) for name, given in inputs.items()}

    def _name(self, given: Path | Mapping[str, bytes]) -> str:
        if isinstance(given, Path):
            if given.parent != self.folder:
                msg = f"{given} does not lie directly below the scratch folder, and can be no input"
                raise ChallengeError(msg)
            return given.name
        name = f"files-{next(self._numbers)}"
        for path, content in given.items():
            steps = PurePosixPath(path)
            if steps.is_absolute() or ".." in steps.parts:
                msg = f"{path!r} is no path inside a folder"
                raise ChallengeError(msg)
            target = self.folder / name / steps
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        (self.folder / name).mkdir(exist_ok=True)
        return name
