"""Loads a challenge's oracle: the author's own computation of what is right, on the grader's side only."""

import importlib.util
from pathlib import Path
from typing import Any

ORACLE = Path("hidden_tests") / "oracle.py"


def load_oracle(challenge_folder: Path, seed: int) -> Any:
    """The value of `make_oracle(challenge_folder, seed)`. Raises FileNotFoundError if there is none."""
    path = challenge_folder / ORACLE
    spec = importlib.util.spec_from_file_location("assay_oracle", path)
    if spec is None or spec.loader is None or not path.is_file():
        msg = f"{path}: there is no such file; a check that uses the oracle fixture needs it"
        raise FileNotFoundError(msg)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.make_oracle(challenge_folder, seed)
