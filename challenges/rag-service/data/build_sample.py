"""Makes the sample corpus that the kit holds and the service loads: python data/build_sample.py, from anywhere.

data/sample/corpus.jsonl     documents of the tenant `sample`, one a line
data/sample/questions.json   questions about them, with the answer and the document it is in
data/oracle/facts.toml       the same facts for the grader
"""

import importlib.util
import json
import random
import sys
from pathlib import Path
from types import ModuleType

DATA = Path(__file__).resolve().parent
SEED = 2026
SITES = ("Marlwick", "Tessarin", "Quarrow", "Belvane", "Ostrum", "Hadleck")
ALONE = 6
SHOWN = 8


def main(into: Path = DATA) -> None:
    oracle = load_oracle()
    rng = random.Random(SEED)
    topics = oracle.read_topics(DATA / "sample" / "topics.toml")
    general = [oracle.drawn(topic, rng) for topic in topics if not topic.has_site]
    documents = [
        oracle.short_document(rng, fact, f"page-{number:02}") for number, fact in enumerate(general[:ALONE], 1)
    ]
    pairs = [tuple(general[start : start + 2]) for start in range(ALONE, len(general), 2)]
    documents += [oracle.long_document(rng, pair, f"handbook-{number}") for number, pair in enumerate(pairs, 1)]
    for topic in topics:
        if topic.has_site:
            placed = [oracle.drawn(topic, rng, site) for site in SITES]
            documents += [oracle.short_document(rng, fact, f"{topic.id}-{fact.site.lower()}") for fact in placed]
    (into / "sample").mkdir(parents=True, exist_ok=True)
    (into / "oracle").mkdir(parents=True, exist_ok=True)
    write_corpus(into / "sample" / "corpus.jsonl", documents)
    write_questions(into / "sample" / "questions.json", documents, topics, rng)
    write_facts(into / "oracle" / "facts.toml", documents)


def write_corpus(path: Path, documents: list) -> None:
    rows = [{"tenant": "sample", "id": one.id, **one.body} for one in documents]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_questions(path: Path, documents: list, topics: tuple, rng: random.Random) -> None:
    stated = [(fact, document) for document in documents for fact in document.facts]
    rows = [
        {"question": fact.asked(rng), "answer": fact.statement, "document_id": document.id}
        for fact, document in stated[:SHOWN]
    ]
    nowhere = next(topic for topic in topics if topic.has_site)
    rows.append({"question": nowhere.direct.format(site="Wexcombe"), "answer": None, "document_id": None})
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def write_facts(path: Path, documents: list) -> None:
    lines = ["# What the documents of ../sample/corpus.jsonl state. Made by build_sample.py."]
    for document in documents:
        for fact in document.facts:
            site = f'site = "{fact.site}"\n' if fact.site else ""
            lines.append(
                f'\n[[facts]]\ndocument = "{document.id}"\ntopic = "{fact.topic.id}"\nn = {fact.n}\n{site}'.rstrip()
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def load_oracle() -> ModuleType:
    path = DATA.parent / "hidden_tests" / "oracle.py"
    spec = importlib.util.spec_from_file_location("rag_service_oracle", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
