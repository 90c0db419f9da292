"""What belongs to one tenant and to nobody else: documents, and what was spent."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from embedding import Embedder
from index import Document, Index
from llm import Usage


@dataclass
class Tenant:
    index: Index
    prompt_tokens: int = 0
    completion_tokens: int = 0

    def spend(self, usage: Usage) -> None:
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens


@dataclass
class Tenants:
    """All tenants. One that has put no document yet is as good as one that does not exist."""

    embedder: Embedder
    _by_name: dict[str, Tenant] = field(default_factory=dict)

    def get(self, name: str) -> Tenant:
        return self._by_name.get(name) or Tenant(Index(self.embedder))

    def get_or_add(self, name: str) -> Tenant:
        return self._by_name.setdefault(name, Tenant(Index(self.embedder)))

    def together(self) -> Tenant:
        total = Tenant(Index(self.embedder))
        for tenant in self._by_name.values():
            total.spend(Usage(tenant.prompt_tokens, tenant.completion_tokens))
        return total

    def load(self, path: Path) -> int:
        """Put the documents of a file with one JSON object a line; returns how many there were."""
        lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines:
            row = json.loads(line)
            self.get_or_add(row["tenant"]).index.put(Document(row["id"], row["title"], row["text"]))
        return len(lines)
