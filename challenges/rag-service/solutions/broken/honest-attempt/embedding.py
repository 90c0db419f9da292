"""The embedding model: static token vectors from the package wordllama, mean-pooled.

The package's own loader looks for its tokenizer in a folder that does not exist, and then on the network; so its two
files are read directly. That also starts twice as fast.
"""

import importlib.util
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

WEIGHTS = "weights/l2_supercat_256.safetensors"
TOKENIZER = "tokenizers/l2_supercat_tokenizer_config.json"


class Embedder:
    """Turns texts into vectors of length 1. Holds no state between calls."""

    def __init__(self) -> None:
        found = importlib.util.find_spec("wordllama")
        if found is None or found.origin is None:
            raise RuntimeError("the package wordllama is not installed")
        folder = Path(found.origin).parent
        self._vectors = load_file(folder / WEIGHTS)["embedding.weight"]
        self._tokenizer = Tokenizer.from_file(str(folder / TOKENIZER))
        self.dimensions = self._vectors.shape[1]

    def embed(self, texts: list[str]) -> np.ndarray:
        """One row for each text; a text without a known token is all zeros."""
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, encoding in zip(rows, self._tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
            if encoding.ids:
                mean = self._vectors[encoding.ids].mean(axis=0, dtype=np.float32)
                row[:] = mean / max(float(np.linalg.norm(mean)), 1e-9)
        return rows
