"""Texts as vectors: token vectors of wordllama, weighted so that common tokens count little, then averaged."""

import importlib.util
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

FUNCTION_WORDS = (
    "a an and are as at be by can do does for from get have how i if in is it long many may me much must my of on or "
    "our so that the their there they this to up we what when where which who with you your"
)
FUNCTION_WEIGHT = 0.2


class Vectors:
    def __init__(self) -> None:
        spec = importlib.util.find_spec("wordllama")
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin).parent
        weights = load_file(home / "weights" / "l2_supercat_256.safetensors")
        self._tokens = weights["embedding.weight"].astype(np.float32)
        self._split = Tokenizer.from_file(str(home / "tokenizers" / "l2_supercat_tokenizer_config.json"))
        self._weights = np.ones((len(self._tokens), 1), dtype=np.float32)
        self._weights[self._ids(f"{FUNCTION_WORDS} {FUNCTION_WORDS.title()} . , ? !")] = FUNCTION_WEIGHT

    def of(self, text: str) -> np.ndarray:
        """A vector of length 1; zeros for a text without tokens."""
        ids = self._ids(text)
        total = (self._tokens[ids] * self._weights[ids]).sum(axis=0)
        length = float(np.linalg.norm(total))
        return total / length if length else total

    def _ids(self, text: str) -> list[int]:
        return self._split.encode(text, add_special_tokens=False).ids
