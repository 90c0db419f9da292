"""Loads what a challenge's author wrote for the grader's side besides the tests: oracle, companions and judges."""

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ORACLE = Path("hidden_tests") / "oracle.py"
COMPANIONS = Path("hidden_tests") / "companions.py"
JUDGES = Path("hidden_tests") / "judges.py"


def load_oracle(challenge_folder: Path, seed: int) -> Any:
    """The value of `make_oracle(challenge_folder, seed)`. Raises FileNotFoundError if there is none."""
    return _function(challenge_folder / ORACLE, "make_oracle")(challenge_folder, seed)


def companion_maker(challenge_folder: Path, seed: int) -> Callable[[], Any]:
    """Makes new companions by id, each time it is called. Raises FileNotFoundError if the challenge has none."""
    make = _function(challenge_folder / COMPANIONS, "make_companions")
    return lambda: make(challenge_folder, seed)


def load_judges(challenge_folder: Path) -> Mapping[str, Callable[[Any], object]]:
    """The value of `make_judges(challenge_folder)`, by check. Raises FileNotFoundError if there is none."""
    return {
        str(check): judge
        for check, judge in _function(challenge_folder / JUDGES, "make_judges")(challenge_folder).items()
    }


def _function(path: Path, name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"assay_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        msg = f"{path}: there is no such file; {name} is to stand in it"
        raise FileNotFoundError(msg)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)
