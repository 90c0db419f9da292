"""What the submission asked a companion, as evidence for the report: faults on cue are said to be the companion's."""

from assessments.observation import Exchange
from graders.companions.messages import Answer, Asked
from graders.http.client import observed


def witnessed(companion: str, asked: Asked, answer: Answer, thought_s: float) -> Exchange:
    """The exchange as the companion means it, known before the first byte is sent. Pure.

    `thought_s`: how long it took to decide on the answer, in seconds; the waits that the answer asks for are added.
    """
    pieces = [answer.body] if isinstance(answer.body, bytes) else list(answer.body)
    sent = pieces if answer.cut_after is None else pieces[: answer.cut_after]
    pauses = max(len(sent) - 1, 0)
    error = None
    if answer.raw is not None:
        error = "the companion sent bytes that need be no HTTP, on cue"
    elif len(sent) < len(pieces):
        error = f"the companion cut the connection after {len(sent)} of {len(pieces)} pieces, on cue"
    return observed(
        method=asked.method,
        path=asked.target,
        request_body=asked.body,
        status=None if answer.raw is not None else answer.status,
        response_headers={} if answer.raw is not None else answer.headers,
        response_body=answer.raw if answer.raw is not None else b"".join(sent),
        elapsed_s=thought_s + answer.delay_s + pauses * answer.pause_s,
        error=error,
        companion=companion,
    )
