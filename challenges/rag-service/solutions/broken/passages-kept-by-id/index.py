"""The passages of one tenant: vectors for what a question means, words for the names and codes that vectors blur."""

import math
import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from chunking import passages
from embedding import Embedder

WORD = re.compile(r"\w+")
WORDS_WEIGHT = 0.3
PASSAGES_BY_ID: dict[str, list[str]] = {}


@dataclass(frozen=True)
class Document:
    id: str
    title: str
    text: str


@dataclass(frozen=True)
class Passage:
    document: Document
    text: str
    words: frozenset[str]


@dataclass(frozen=True)
class Hit:
    passage: Passage
    score: float


class Index:
    """Documents of one tenant. Every change is whole: a search sees a document's old passages or its new ones."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._documents: dict[str, tuple[Document, list[Passage], np.ndarray]] = {}
        self._passages: list[Passage] = []
        self._vectors = np.zeros((0, embedder.dimensions), dtype=np.float32)
        self._rarity: dict[str, float] = {}
        self._stale = False

    def __len__(self) -> int:
        return len(self._documents)

    def documents(self) -> list[Document]:
        return [entry[0] for _, entry in sorted(self._documents.items())]

    def put(self, document: Document) -> bool:
        """True if the document is new, False if it took the place of another."""
        # Fault: the cache is keyed by an id, which other tenants and other versions share.
        texts = PASSAGES_BY_ID.setdefault(document.id, passages(document.text) or [document.text])
        found = [Passage(document, text, _words(f"{document.title} {text}")) for text in texts]
        vectors = self._embedder.embed([f"{document.title}\n{text}" for text in texts])
        is_new = document.id not in self._documents
        self._documents[document.id] = (document, found, vectors)
        self._stale = True
        return is_new

    def delete(self, identifier: str) -> bool:
        """False if there is no such document."""
        self._stale = True
        return self._documents.pop(identifier, None) is not None

    def search(self, query: str, count: int | None = None) -> list[Hit]:
        """The best passages, best first; all of them unless a count is given."""
        self._refresh()
        if not self._passages:
            return []
        alike = self._vectors @ self._embedder.embed([query])[0]
        scores = alike + WORDS_WEIGHT * self._shared_words(query)
        best = np.argsort(-scores, kind="stable")[:count]
        return [Hit(self._passages[place], float(scores[place])) for place in best]

    def _shared_words(self, query: str) -> np.ndarray:
        """For each passage the share of the query's words that it holds, rare words counting more."""
        words = _words(query)
        unknown = math.log(len(self._passages) + 1)
        total = sum(self._rarity.get(word, unknown) for word in words) or 1.0
        rarity = self._rarity
        return np.array([sum(rarity[word] for word in words & one.words) / total for one in self._passages])

    def _refresh(self) -> None:
        if not self._stale:
            return
        entries = list(self._documents.values())
        self._passages = [passage for _, found, _ in entries for passage in found]
        empty = np.zeros((0, self._embedder.dimensions), dtype=np.float32)
        self._vectors = np.concatenate([empty, *(vectors for _, _, vectors in entries)])
        counts = Counter(word for passage in self._passages for word in passage.words)
        self._rarity = {word: math.log((len(self._passages) + 1) / count) for word, count in counts.items()}
        self._stale = False


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in WORD.findall(text))
