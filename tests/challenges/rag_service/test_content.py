"""What the challenge's files say about each other holds."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from assessments.manifest import read_challenge
from runner.certify.kit import kit_contents


def test_the_starter_has_the_references_own_way_to_embed(challenge: Path) -> None:
    """The package's own loader wants a network: a candidate must not lose an hour to that."""
    given = (challenge / "starter" / "embedding.py").read_bytes()
    assert given == (challenge / "solutions" / "accepted" / "reference" / "embedding.py").read_bytes()


def test_the_sample_is_what_its_script_makes(challenge: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(challenge / "data" / "build_sample.py"), str(tmp_path)], check=True, timeout=60)
    for name in ("sample/corpus.jsonl", "sample/questions.json", "oracle/facts.toml"):
        assert (tmp_path / name).read_bytes() == (challenge / "data" / name).read_bytes()


def test_the_sample_corpus_states_what_the_grader_takes_it_to(challenge: Path, oracle: Any) -> None:
    lines = (challenge / "data" / "sample" / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    assert len(oracle.sample) >= len(texts) > 15
    for fact in oracle.sample:
        assert sum(fact.statement in text for text in texts) == 1


def test_the_kit_shows_no_hidden_topic(challenge: Path, oracle: Any) -> None:
    shown = [path for folder in ("data/sample", "public_tests", "starter") for path in (challenge / folder).iterdir()]
    kit = "\n".join(path.read_text(encoding="utf-8") for path in [*shown, challenge / "brief.md"] if path.is_file())
    assert len(oracle.topics) > 40
    assert not [topic.id for topic in oracle.topics if topic.title in kit.splitlines() or topic.direct in kit]


def test_no_line_of_the_hidden_tests_is_in_the_kit(challenge: Path) -> None:
    """Lines long enough to tell; topics are another test's matter."""
    kit = kit_contents(read_challenge(challenge))
    shown = {line.strip() for content in kit.values() for line in content.decode().splitlines()}
    sources = [path.read_text(encoding="utf-8") for path in (challenge / "hidden_tests").glob("*.py")]
    hidden = {line.strip() for source in sources for line in source.splitlines()}
    assert not {line for line in hidden & shown if len(line) > 40 and not line.startswith(("from ", "import "))}
