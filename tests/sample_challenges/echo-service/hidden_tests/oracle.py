"""What is right, computed on the grader's side."""

from pathlib import Path


def make_oracle(challenge_folder: Path, seed: int) -> dict[str, str]:
    """The words of both assets."""
    del seed
    folder = challenge_folder / "data"
    return {name: (folder / name / "word.txt").read_text().strip() for name in ("words", "other-words")}
