"""How well plain ways of searching find what the hidden questions ask for: python data/measure_retrieval.py 100

Needs the packages of environment/requirements.lock. For each seed a corpus is made as the checks make it, and searched
by the reference, with vectors alone, with words alone, and with whole documents as passages. The thresholds in
hidden_tests/test_retrieval.py stand well between the first two and the last two.
"""

import argparse
import random
import statistics
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from build_sample import DATA, load_oracle

sys.path.insert(0, str(DATA.parent / "solutions" / "accepted" / "reference"))

import index  # it is the reference's

CUT = index.passages


def whole(text: str) -> list[str]:
    return [text]


WAYS: dict[str, tuple[float, float, Callable[[str], list[str]]]] = {
    "reference": (1.0, index.WORDS_WEIGHT, CUT),
    "vectors alone": (1.0, 0.0, CUT),
    "words alone": (0.0, 1.0, CUT),
    "whole documents": (1.0, 0.0, whole),
}


def main(seeds: int) -> None:
    oracle = load_oracle().make_oracle(Path(DATA.parent), 0)
    embedder = index.Embedder()
    print(f"{'way':16} {'recall@5':>16} {'reciprocal rank':>16} {'in long':>16} {'by name, first':>16}")
    for way, (vectors, words, cut) in WAYS.items():
        index.passages, index.WORDS_WEIGHT = cut, words
        rows = [figures(oracle, embedder, random.Random(f"{seed}"), vectors) for seed in range(seeds)]
        columns = [f"{statistics.mean(one):.2f} ({min(one):.2f}-{max(one):.2f})" for one in zip(*rows, strict=True)]
        print(f"{way:16} " + " ".join(f"{column:>16}" for column in columns), flush=True)


def figures(oracle, embedder, rng: random.Random, vectors: float) -> tuple[float, ...]:
    """What the checks look at, for one corpus."""
    corpus = oracle.corpus(rng)
    shelf = index.Index(embedder)
    for one in corpus.documents:
        shelf.put(index.Document(one.id, one.title, one.text))
    shelf._refresh()
    shelf._vectors = shelf._vectors * vectors
    ranks = [rank(shelf, fact.asked(rng), document.id) for fact, document in corpus.general()]
    shown = [shows(shelf, fact.asked(rng), fact.statement) for fact, _ in corpus.in_long_documents()]
    firsts = [rank(shelf, fact.direct, document.id) == 1 for fact, document in corpus.at_sites()]
    return (
        share(place <= 5 for place in ranks),
        statistics.mean(1 / place for place in ranks),
        share(shown),
        share(firsts),
    )


def rank(shelf, query: str, wanted: str) -> int:
    documents = list(dict.fromkeys(hit.passage.document.id for hit in shelf.search(query)))
    return documents.index(wanted) + 1


def shows(shelf, query: str, statement: str) -> bool:
    """Whether the best passages of the first five documents hold the statement."""
    best = {}
    for hit in shelf.search(query):
        best.setdefault(hit.passage.document.id, hit.passage.text)
    return any(statement in " ".join(text.split()) for text in list(best.values())[:5])


def share(values: Iterable[bool]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="?", default=20)
    main(parser.parse_args().seeds)
