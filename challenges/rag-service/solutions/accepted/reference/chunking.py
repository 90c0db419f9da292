"""Cuts documents into passages: whole sentences, never across a paragraph, short enough to be about one thing."""

import re

MAX_WORDS = 45
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[^a-z])|\n+")
PARAGRAPH_END = re.compile(r"\n\s*\n")


def passages(text: str) -> list[str]:
    """Verbatim parts of the text, in its order."""
    found = []
    for start, end in _paragraphs(text):
        found += _of_paragraph(text, start, end)
    return found


def _paragraphs(text: str) -> list[tuple[int, int]]:
    cuts = [(match.start(), match.end()) for match in PARAGRAPH_END.finditer(text)]
    return _between(0, len(text), cuts)


def _of_paragraph(text: str, start: int, end: int) -> list[str]:
    """Sentences gathered up to the word limit; one longer sentence stays whole."""
    cuts = [(match.start(), match.end()) for match in SENTENCE_END.finditer(text, start, end)]
    sentences = _between(start, end, cuts)
    gathered: list[tuple[int, int]] = []
    for first, last in sentences:
        if gathered and len(text[gathered[-1][0] : last].split()) <= MAX_WORDS:
            gathered[-1] = (gathered[-1][0], last)
        else:
            gathered.append((first, last))
    return [text[first:last].strip() for first, last in gathered]


def _between(start: int, end: int, cuts: list[tuple[int, int]]) -> list[tuple[int, int]]:
    edges = [start, *(edge for cut in cuts for edge in cut), end]
    spans = [(edges[index], edges[index + 1]) for index in range(0, len(edges), 2)]
    return [(first, last) for first, last in spans if last > first]
