"""The grader's own knowledge: invented facts, documents that state them, and questions about them, all from a seed.

What is right is known here before anything is asked, so that nobody needs to judge a text: a statement is a sentence
with a number drawn from the seed, and an answer is right when it holds that sentence. The embedding model of the
environment is not there on the grader's side, and not needed.
"""

import random
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

SHORT_DOCUMENTS = 20
LONG_DOCUMENTS = 8
FACTS_A_LONG_DOCUMENT = 2
SITES = 5

_ONSETS = ("b", "br", "d", "dr", "f", "g", "gr", "k", "kl", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ei", "au")
_CODAS = ("", "l", "n", "r", "s", "x", "ck", "rn", "lm", "nt")

_FILLER = (
    "The wording of this part was last looked at in spring and found to be clear.",
    "Whoever finds a mistake here is asked to tell the author of the page.",
    "Older versions are kept for reference and are not to be relied on.",
    "This part applies to everybody unless an agreement in writing says otherwise.",
    "Exceptions are rare, and are written down together with the reason.",
    "A short summary is on the first page of the folder.",
    "The person in charge is named in the list at the end.",
    "Nothing in this part replaces what the law says.",
    "The board confirmed this arrangement without a vote against it.",
    "Where two parts seem to disagree, the newer one counts.",
    "An example from last year showed that the rule works in practice.",
    "The next review is planned and will be announced in the usual way.",
    "Some readers asked for a simpler text, and this is the result.",
    "Translations are made for convenience, and the original is binding.",
    "Managers explain this part to new members of their team.",
    "The terms used here are explained in the glossary.",
    "Please read the whole part before you ask about a detail.",
    "In case of doubt the stricter reading is the right one.",
    "The background was described at length in an earlier circular.",
    "This paragraph was moved here from another part, with no change.",
    "Comments are welcome and are collected until the end of the quarter.",
    "A printed copy can be had on request.",
)


@dataclass(frozen=True, slots=True)
class Topic:
    """What a fact can be about. `low` and `high` bound its number; the texts hold {n}, and {site} if `has_site`."""

    id: str
    title: str
    statement: str
    direct: str
    asked: tuple[str, ...]
    low: int
    high: int
    has_site: bool


@dataclass(frozen=True, slots=True)
class Fact:
    """A topic with a number, and where the topic needs it an invented place."""

    topic: Topic
    n: int
    site: str = ""

    @property
    def title(self) -> str:
        return self.topic.title.format(site=self.site)

    @property
    def statement(self) -> str:
        return self.topic.statement.format(n=self.n, site=self.site)

    @property
    def direct(self) -> str:
        """The question in the words of the statement."""
        return self.topic.direct.format(site=self.site)

    def asked(self, rng: random.Random) -> str:
        """The question in other words."""
        return rng.choice(self.topic.asked).format(site=self.site)

    def changed(self, rng: random.Random) -> "Fact":
        """The same with another number."""
        others = [n for n in range(self.topic.low, self.topic.high + 1) if n != self.n]
        return replace(self, n=rng.choice(others))


@dataclass(frozen=True, slots=True)
class Document:
    """What is sent to the service, and what it states."""

    id: str
    title: str
    text: str
    facts: tuple[Fact, ...]

    @property
    def body(self) -> dict[str, str]:
        return {"title": self.title, "text": self.text}


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents of one tenant, and facts of the same kind that none of them states."""

    documents: tuple[Document, ...]
    absent: tuple[Fact, ...]

    def general(self) -> Iterator[tuple[Fact, Document]]:
        """Facts that belong to no place, each with its document."""
        return ((fact, document) for document in self.documents for fact in document.facts if not fact.site)

    def at_sites(self) -> Iterator[tuple[Fact, Document]]:
        """Facts about an invented place: that the place is named is what tells their documents apart."""
        return ((fact, document) for document in self.documents for fact in document.facts if fact.site)

    def in_long_documents(self) -> Iterator[tuple[Fact, Document]]:
        return ((fact, document) for document in self.documents for fact in document.facts if len(document.facts) > 1)


@dataclass(frozen=True, slots=True)
class Oracle:
    """Makes documents and questions. `sample` is the corpus that the service loads by itself."""

    topics: tuple[Topic, ...]
    sample: tuple[Fact, ...]

    def fact(self, rng: random.Random) -> Fact:
        """Some fact that belongs to no place."""
        return self.facts(rng, 1)[0]

    def facts(self, rng: random.Random, count: int) -> list[Fact]:
        """Facts about `count` different things."""
        general = [topic for topic in self.topics if not topic.has_site]
        return [drawn(topic, rng) for topic in rng.sample(general, count)]

    def document(self, rng: random.Random, fact: Fact) -> Document:
        """A short document that states one fact."""
        return short_document(rng, fact, _identifier(rng))

    def documents(self, rng: random.Random, facts: Sequence[Fact]) -> list[Document]:
        return [self.document(rng, fact) for fact in facts]

    def tenant(self, rng: random.Random) -> str:
        """A tenant nobody has heard of."""
        return f"{name(rng).lower()}-{rng.getrandbits(32):08x}"

    def corpus(self, rng: random.Random) -> Corpus:
        """Some fifty documents about all there is to be asked."""
        in_short = SHORT_DOCUMENTS
        stated = in_short + LONG_DOCUMENTS * FACTS_A_LONG_DOCUMENT
        general = [topic for topic in self.topics if not topic.has_site]
        facts = [drawn(topic, rng) for topic in rng.sample(general, len(general))]
        documents = [short_document(rng, fact, _identifier(rng)) for fact in facts[:in_short]]
        for start in range(in_short, stated, FACTS_A_LONG_DOCUMENT):
            documents.append(long_document(rng, tuple(facts[start : start + FACTS_A_LONG_DOCUMENT]), _identifier(rng)))
        sites = _names(rng, SITES)
        absent = facts[stated:]
        for topic in self.topics:
            if topic.has_site:
                placed = [drawn(topic, rng, site) for site in sites]
                documents += [short_document(rng, fact, _identifier(rng)) for fact in placed[1:]]
                absent.append(placed[0])
        rng.shuffle(documents)
        return Corpus(tuple(documents), tuple(absent))


def name(rng: random.Random) -> str:
    """An invented name of two or three syllables."""
    syllables = [rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_CODAS) for _ in range(rng.choice((2, 3)))]
    return "".join(syllables).capitalize()


def filler(rng: random.Random, count: int) -> str:
    """Sentences that say nothing."""
    return " ".join(rng.sample(_FILLER, count))


def _names(rng: random.Random, count: int) -> list[str]:
    """Different names, none of which begins like another."""
    names: list[str] = []
    while len(names) < count:
        one = name(rng)
        if all(one[:3] != other[:3] for other in names):
            names.append(one)
    return names


def _identifier(rng: random.Random) -> str:
    return f"doc-{rng.getrandbits(40):010x}"


def drawn(topic: Topic, rng: random.Random, site: str = "") -> Fact:
    return Fact(topic, rng.randint(topic.low, topic.high), site)


def short_document(rng: random.Random, fact: Fact, identifier: str) -> Document:
    before, after = filler(rng, 1), filler(rng, 2)
    return Document(identifier, fact.title, f"{before} {fact.statement}\n\n{after}", (fact,))


def long_document(rng: random.Random, facts: tuple[Fact, ...], identifier: str) -> Document:
    """Facts under their headings, far apart, in text that says nothing."""
    parts = []
    for fact in facts:
        parts += [filler(rng, 7) for _ in range(3)]
        parts.append(f"{fact.title}\n{fact.statement} {filler(rng, 2)}")
    parts += [filler(rng, 7) for _ in range(2)]
    return Document(identifier, f"Handbook, part {rng.randint(1, 99)}", "\n\n".join(parts), facts)


def read_topics(path: Path) -> tuple[Topic, ...]:
    """The topics of a file like data/hidden/topics.toml."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["topics"]
    return tuple(
        Topic(
            id=row["id"],
            title=row["title"],
            statement=row["statement"],
            direct=row["direct"],
            asked=tuple(row["asked"]),
            low=row["n"][0],
            high=row["n"][1],
            has_site=row.get("site", False),
        )
        for row in rows
    )


def read_sample(data: Path) -> tuple[Fact, ...]:
    """The facts of the sample corpus, as data/build_sample.py wrote them down."""
    topics = {topic.id: topic for topic in read_topics(data / "sample" / "topics.toml")}
    rows = tomllib.loads((data / "oracle" / "facts.toml").read_text(encoding="utf-8"))["facts"]
    return tuple(Fact(topics[row["topic"]], row["n"], row.get("site", "")) for row in rows)


def make_oracle(challenge_folder: Path, seed: int) -> Oracle:
    """The oracle fixture's value. What depends on the seed is drawn by the checks, from random numbers of their own."""
    data = challenge_folder / "data"
    return Oracle(read_topics(data / "hidden" / "topics.toml"), read_sample(data))
