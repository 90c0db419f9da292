"""Keeps the answers of a block within bounds until it is over, and only then has them judged."""

from collections.abc import Callable

from graders.http.messages import BadAnswer, Response

MAX_KEPT_BYTES = 64 * 1024 * 1024
_PER_HEADER_BYTES = 200
"""What the smallest header costs us in objects: a peer must not fill the memory with a million of them."""
_SENTENCE_CHARS = 400

Judge = Callable[[Response], None]


class Answers:
    """Answers by their place in the block. Judging them during the block would delay its requests."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Judge, Response]] = {}
        self._kept_bytes = 0

    def keep(self, place: int, judge: Judge, response: Response) -> None:
        """Raises BadAnswer once the block's answers add up to more than any honest service says."""
        cost_bytes = _cost_bytes(response)
        if self._kept_bytes + cost_bytes > MAX_KEPT_BYTES:
            raise BadAnswer(f"the answers of this block add up to more than {MAX_KEPT_BYTES >> 20} MiB")
        self._kept_bytes += cost_bytes
        self._kept[place] = judge, response

    def drop(self, place: int) -> None:
        """That answer was none after all."""
        self._kept.pop(place, None)

    def judged(self) -> dict[int, str]:
        """Judge all of them, once. A sentence for each wrong one; what else a judge raises is the challenge's fault."""
        failures: dict[int, str] = {}
        while self._kept:
            place, (judge, response) = self._kept.popitem()
            try:
                judge(response)
            except (AssertionError, BadAnswer) as error:
                failures[place] = sentence(str(error) or "the answer is wrong")
        return failures


def sentence(text: str) -> str:
    """`text` on one line, and bounded."""
    return " ".join(text[: _SENTENCE_CHARS * 4].split())[:_SENTENCE_CHARS]


def _cost_bytes(response: Response) -> int:
    headers = sum(len(name) + len(value) + _PER_HEADER_BYTES for name, value in response.headers.items())
    return len(response.body) + headers
