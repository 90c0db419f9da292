"""How much of the page each part may take, in bytes of HTML or in entries."""

from dataclasses import dataclass
from typing import Final

PAGE_BYTES: Final = 300_000
"""No page is this large or larger, whatever was handed in."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Bounds of a page's parts. Those of bytes count text as it stands in the page, escaped."""

    source_bytes: int = 110_000
    diff_bytes: int = 50_000
    log_bytes: int = 30_000
    evidence_bytes: int = 50_000
    message_bytes: int = 36_000
    checks: int = 120
    runs: int = 40
    files: int = 80
    plans: int = 6
    rulings: int = 24

    def scaled(self, factor: float) -> "Budget":
        """The same parts, each `factor` of its size."""
        return Budget(
            source_bytes=int(self.source_bytes * factor),
            diff_bytes=int(self.diff_bytes * factor),
            log_bytes=int(self.log_bytes * factor),
            evidence_bytes=int(self.evidence_bytes * factor),
            message_bytes=int(self.message_bytes * factor),
            checks=int(self.checks * factor),
            runs=int(self.runs * factor),
            files=int(self.files * factor),
            plans=int(self.plans * factor),
            rulings=int(self.rulings * factor),
        )
