"""The model on the grader's side: what the kit's answerer says, and everything that can go wrong with it, on cue."""

import importlib.util
import json
import sys
import time
import tomllib
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from graders.companions import Answer, Asked

JSON_HEADERS = {"Content-Type": "application/json"}
EVENT_HEADERS = {"Content-Type": "text/event-stream"}
KEPT = 2000
STRAY = "source-9471"
"""A passage that nobody gave the model."""


@dataclass(frozen=True)
class Seen:
    """One request to the model. `prompt` is None where the request made no sense, `said` where it got no completion."""

    at_s: float
    prompt: Any
    stream: bool
    said: str | None
    obeyed: bool
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Fault:
    """What is wrong with one answer. All of it off is an answer like any other."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay_s: float = 0.0
    cut_after: int | None = None
    stray: bool = False
    source: bool = True
    misquote: bool = False


class Llm:
    """The companion `llm`. Faults are used up by the requests that follow, one each."""

    def __init__(self, answerer: ModuleType, topics: list[dict[str, Any]]) -> None:
        self._answerer = answerer
        self._model = answerer.Answerer(topics)
        self._faults: deque[Fault] = deque()
        self._number = 0
        self.seen: deque[Seen] = deque(maxlen=KEPT)
        self.delay_s = 0.0
        """How long every answer takes."""
        self.pause_s = 0.0
        """Between the pieces of a stream."""

    # Cues

    def fail(self, status: int, times: int = 1, retry_after_s: int | None = None) -> None:
        """Refuse the next requests with this status."""
        headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
        body = json.dumps({"error": {"type": "server_error", "code": None, "message": "try again"}}).encode()
        self._faults += [Fault(status=status, headers=headers, body=body)] * times

    def garble(self, body: bytes) -> None:
        """Answer the next request with status 200 and this."""
        self._faults.append(Fault(body=body))

    def cut(self, pieces: int = 0) -> None:
        """Drop the next request's connection, in a stream after so many pieces."""
        self._faults.append(Fault(cut_after=pieces))

    def stall(self, delay_s: float, times: int = 1) -> None:
        """Answer the next requests after this time."""
        self._faults += [Fault(delay_s=delay_s)] * times

    def cite_stray(self, beside_the_source: bool) -> None:
        """Cite a passage that was not given; with the true one, or alone."""
        self._faults.append(Fault(stray=True, source=beside_the_source))

    def misquote(self) -> None:
        """Answer with a sentence that is not in the passage cited: another number."""
        self._faults.append(Fault(misquote=True))

    def be_well(self) -> None:
        """Forget all faults and delays."""
        self._faults.clear()
        self.delay_s = self.pause_s = 0.0

    # Answering

    def answer(self, request: Asked) -> Answer:
        at_s = time.monotonic()
        if request.target.split("?")[0] != "/v1/chat/completions":
            return self._refusal(404, {"error": {"type": "invalid_request_error", "message": "no such path"}})
        if request.method != "POST":
            return self._refusal(405, {"error": {"type": "invalid_request_error", "message": "POST is wanted"}})
        fault = self._faults.popleft() if self._faults else Fault()
        try:
            body = json.loads(request.body)
            prompt = self._answerer.read_prompt(body)
        except (ValueError, RecursionError, self._answerer.Refused) as error:
            self.seen.append(Seen(at_s, None, False, None, False, 0, 0))
            refused = error if isinstance(error, self._answerer.Refused) else None
            return self._refusal(400, refused.body() if refused else {"error": {"message": "not JSON"}})
        stream = body.get("stream") is True
        if fault.body is not None:
            self.seen.append(Seen(at_s, prompt, stream, None, False, prompt.tokens, 0))
            return Answer(fault.status, {**JSON_HEADERS, **fault.headers}, fault.body, delay_s=fault.delay_s)
        return self._completion(at_s, prompt, stream, fault)

    def _completion(self, at_s: float, prompt: Any, stream: bool, fault: Fault) -> Answer:
        completion = self._model.complete(prompt)
        text = _twisted(completion, fault)
        tokens = self._answerer.count_tokens(text)
        whole = fault.cut_after is None
        seen = Seen(at_s, prompt, stream, text if whole else None, completion.obeyed, prompt.tokens, tokens)
        self.seen.append(seen)
        self._number += 1
        usage = {
            "prompt_tokens": prompt.tokens,
            "completion_tokens": tokens,
            "total_tokens": prompt.tokens + tokens,
        }
        say = self._answerer.streamed if stream else self._answerer.whole
        return Answer(
            200,
            EVENT_HEADERS if stream else JSON_HEADERS,
            say(f"chatcmpl-{self._number}", text, usage),
            delay_s=self.delay_s + fault.delay_s,
            pause_s=self.pause_s,
            cut_after=fault.cut_after,
        )

    @staticmethod
    def _refusal(status: int, document: Any) -> Answer:
        return Answer(status, JSON_HEADERS, json.dumps(document).encode())


def _twisted(completion: Any, fault: Fault) -> str:
    """The completion's text, with what the fault does to it. A model without an answer has nothing to twist."""
    if completion.source is None:
        return str(completion.text)
    sentence = completion.sentence
    if fault.misquote:
        sentence = "".join(str((int(one) + 3) % 10) if one in "0123456789" else one for one in sentence)
    sources = [completion.source.id] if fault.source else []
    return " ".join([sentence, *(f"[{one}]" for one in [*sources, *([STRAY] if fault.stray else [])])])


def load_answerer(challenge_folder: Path) -> ModuleType:
    """The kit's own model: there is one, so that what candidates try is what they are graded with."""
    path = challenge_folder / "public_tests" / "answerer.py"
    spec = importlib.util.spec_from_file_location("rag_service_answerer", path)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def make_companions(challenge_folder: Path, seed: int) -> dict[str, Llm]:
    """A model that nobody has asked yet. It knows what questions mean, and no answers: those are in the prompts."""
    data = challenge_folder / "data"
    files = (data / "hidden" / "topics.toml", data / "sample" / "topics.toml")
    topics = [topic for path in files for topic in tomllib.loads(path.read_text(encoding="utf-8"))["topics"]]
    return {"llm": Llm(load_answerer(challenge_folder), topics)}
