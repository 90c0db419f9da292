"""Documents by tenant. A unit of search is a sentence with the one before it, read together with the title."""

import re
import threading
from dataclasses import dataclass, field

import numpy as np

from vectors import Vectors

SENTENCE = re.compile(r"[^\n]+?(?:[.!?](?=\s)|$|(?=\n))")


@dataclass(frozen=True)
class Unit:
    document_id: str
    title: str
    text: str


@dataclass(frozen=True)
class Found:
    unit: Unit
    score: float


@dataclass
class Shelf:
    """The documents of one tenant, and what it has spent."""

    titles: dict[str, str] = field(default_factory=dict)
    units: dict[str, list[Unit]] = field(default_factory=dict)
    vectors: dict[str, np.ndarray] = field(default_factory=dict)
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Corpus:
    """All shelves, behind one lock: requests come on many threads."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._lock = threading.Lock()
        self._shelves: dict[str, Shelf] = {}

    def put(self, tenant: str, identifier: str, title: str, text: str) -> bool:
        """Whether the document is new."""
        units = [Unit(identifier, title, part) for part in parts(text)]
        rows = np.stack([self._vectors.of(f"{title}. {unit.text}") for unit in units])
        with self._lock:
            shelf = self._shelves.setdefault(tenant, Shelf())
            is_new = identifier not in shelf.titles
            shelf.titles[identifier] = title
            shelf.units[identifier] = units
            shelf.vectors[identifier] = rows
        return is_new

    def delete(self, tenant: str, identifier: str) -> bool:
        with self._lock:
            shelf = self._shelf(tenant)
            shelf.units.pop(identifier, None)
            shelf.vectors.pop(identifier, None)
            return shelf.titles.pop(identifier, None) is not None

    def titles(self, tenant: str) -> list[tuple[str, str]]:
        with self._lock:
            return sorted(self._shelf(tenant).titles.items())

    def search(self, tenant: str, query: str) -> list[Found]:
        """All units, best first."""
        with self._lock:
            shelf = self._shelf(tenant)
            units = [unit for identifier in shelf.titles for unit in shelf.units[identifier]]
            rows = [shelf.vectors[identifier] for identifier in shelf.titles]
        if not units:
            return []
        scores = np.concatenate(rows) @ self._vectors.of(query)
        return [Found(units[place], float(scores[place])) for place in np.argsort(-scores, kind="stable")]

    def spend(self, tenant: str, prompt_tokens: int, completion_tokens: int) -> None:
        with self._lock:
            shelf = self._shelf(tenant)
            shelf.prompt_tokens += prompt_tokens
            shelf.completion_tokens += completion_tokens

    def spent(self, tenant: str) -> tuple[int, int]:
        with self._lock:
            shelf = self._shelf(tenant)
            return shelf.prompt_tokens, shelf.completion_tokens

    def _shelf(self, tenant: str) -> Shelf:
        return self._shelves.get(tenant) or Shelf()


def parts(text: str) -> list[str]:
    """Each sentence or heading with the one before it, verbatim."""
    spans = [(found.start(), found.end()) for found in SENTENCE.finditer(text) if found[0].strip()]
    starts = [spans[max(place - 1, 0)][0] for place in range(len(spans))]
    return [text[start:end].strip() for start, (_, end) in zip(starts, spans, strict=True)] or [text.strip()]
