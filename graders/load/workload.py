"""What is asked of a service under load, and how its answer is told right from wrong."""

from collections.abc import Callable
from dataclasses import dataclass

from graders.http.messages import Request, Response


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a block, and the judge of its answer."""

    request: Request
    judge: Callable[[Response], None]
    """Raises AssertionError or BadAnswer for a wrong answer. Anything else that it raises is the challenge's fault."""
