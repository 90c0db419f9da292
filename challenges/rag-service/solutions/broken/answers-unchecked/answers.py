"""From what the model says to what we answer: only what a passage that it was given bears out."""

import re
from dataclasses import dataclass, field

from index import Passage
from llm import Usage
from prompt import Prompt

MARKER = re.compile(r"\s*\[([A-Za-z0-9_.:#-]{1,64})\]")
NO_ANSWER = "NO_ANSWER"


@dataclass(frozen=True)
class Reply:
    answer: str | None = None
    citations: list[Passage] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)

    def body(self) -> dict:
        return {
            "answered": self.answer is not None,
            "answer": self.answer,
            "citations": [{"document_id": one.document.id, "quote": one.text} for one in self.citations],
            "usage": {
                "prompt_tokens": self.usage.prompt_tokens,
                "completion_tokens": self.usage.completion_tokens,
            },
        }


def read_reply(said: str, prompt: Prompt, usage: Usage) -> Reply:
    """The model's answer, or none if it has none or none that its sources bear out."""
    answer = MARKER.sub("", said).strip()
    cited = [prompt.sources[identifier] for identifier in MARKER.findall(said) if identifier in prompt.sources]
    supported = [passage for passage in dict.fromkeys(cited) if _holds(passage, "")]  # Fault: any text will do.
    if not answer or answer == NO_ANSWER or not supported:
        return Reply(usage=usage)
    return Reply(answer, supported, usage)


def _holds(passage: Passage, answer: str) -> bool:
    """Whether the answer stands in the passage word for word; white space does not count."""
    return " ".join(answer.split()) in " ".join(passage.text.split())
