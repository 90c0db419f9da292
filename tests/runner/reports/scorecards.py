"""Realistic scorecards and sources for the tests of reports, and ones where every free string is a given text."""

import random
from dataclasses import replace

from assessments.budget import Arrivals, Budget, Metric, Plan, Ruling, Scenario
from assessments.check import Check, CheckId, CheckResult, Visibility
from assessments.measurement import Block, Isolation, Measurement, Noise, Side
from assessments.observation import Breach, Excerpt, Exchange, SandboxRun, Usage
from assessments.outcome import FAULTS, Fault, Outcome
from assessments.scorecard import (
    ChallengeRef,
    Control,
    EngineRef,
    EnvironmentRef,
    Host,
    Phase,
    Scorecard,
    score,
    skill_scores,
    status,
)
from assessments.submission import Digest, FileEntry, Submission

SKILLS = ("correctness", "robustness", "api-design", "concurrency", "operations")

STARTER_MAIN = '''\
"""The service. It starts and answers /live; the rest is yours."""

import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/live":
            self.send_response(200)
            self.end_headers()
            return
        self.send_error(501, "not written yet")

    def do_POST(self):
        self.send_error(501, "not written yet")


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
'''

SUBMITTED_MAIN = '''\
"""Churn predictions over HTTP."""

import os
import time
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from model import Model

LIMIT = 64  # rows of one batch
started = time.monotonic()
counts: dict[str, int] = {}


class Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tenure_months: Annotated[int, Field(ge=0, le=600)]
    monthly_charge: float
    contract: str
    tickets: int = 0


class Batch(BaseModel):
    rows: list[Row]


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.model = Model.load("/assets/model/churn.onnx")
    yield


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
def ready(request: Request) -> Response:
    return Response(status_code=200 if request.app.state.model else 503)


@app.post("/predict")
def predict(row: Row, request: Request) -> dict[str, float]:
    counts["predict"] = counts.get("predict", 0) + 1
    return {"probability": request.app.state.model.predict([row.model_dump()])[0]}


@app.post("/predict/batch")
def batch(body: Batch, request: Request) -> dict[str, list[float]]:
    if len(body.rows) > LIMIT:
        raise ValueError(f"a batch has at most {LIMIT} rows")
    # The model is quicker on sorted contracts.
    rows = sorted((row.model_dump() for row in body.rows), key=lambda row: row["contract"])
    return {"probabilities": request.app.state.model.predict(rows)}


@app.get("/metrics")
def metrics() -> Response:
    lines = [f'requests_total{{path="{path}"}} {count}' for path, count in counts.items()]
    return Response("\\n".join(lines), media_type="text/plain")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="info")
'''

SUBMITTED_MODEL = '''\
"""The model behind one small class, so that the service knows nothing of ONNX."""

import numpy as np
import onnxruntime as ort

COLUMNS = ("tenure_months", "monthly_charge", "tickets")


class Model:
    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session

    @classmethod
    def load(cls, path: str) -> "Model":
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        return cls(ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]))

    def predict(self, rows: list[dict]) -> list[float]:
        features = np.array([[row[name] for name in COLUMNS] for row in rows], dtype=np.float32)
        return [float(p) for p in self._session.run(None, {"features": features})[1][:, 1]]
'''

# id, points, skill, visibility, sentence
CHECKS = (
    ("predict-matches-model", 4, 0, "public", "A single prediction equals the model's, to six decimals."),
    ("batch-matches-model", 4, 0, "hidden", "A batch of 50 rows gives what 50 single predictions give."),
    ("batch-keeps-order", 3, 0, "hidden", "The answers of a batch stand in the order of its rows."),
    ("repeat-is-identical", 2, 0, "after", "The same request twice gives the same answer, byte for byte."),
    ("model-can-be-replaced", 3, 0, "hidden", "The service predicts with whichever model is mounted, not with a copy."),
    (
        "rejects-missing-field",
        2,
        1,
        "public",
        "A row without a required field is answered with 422 and names the field.",
    ),
    ("rejects-wrong-type", 2, 1, "hidden", "Text where a number belongs is answered with 422."),
    ("rejects-nan", 2, 1, "hidden", "NaN and Infinity in a row are answered with 4xx, never with a number."),
    ("rejects-large-batch", 3, 1, "after", "A batch over the limit is answered with 413 and the limit."),
    ("survives-broken-json", 2, 1, "hidden", "After malformed JSON the next good request is answered as before."),
    ("survives-large-body", 2, 1, "hidden", "A body of 20 MB is refused before it is read as a whole."),
    ("errors-are-json", 2, 2, "public", "Every error answer is JSON with a code and a message for people."),
    ("unknown-path-is-404", 1, 2, "public", "An unknown path is answered with 404."),
    ("wrong-method-is-405", 1, 2, "after", "A wrong method is answered with 405 and says which are allowed."),
    ("content-type-is-set", 1, 2, "hidden", "Answers carry the content type of what they hold."),
    ("version-is-told", 2, 2, "public", "GET /version tells the model's name and digest."),
    ("parallel-answers-are-right", 4, 3, "hidden", "64 requests at once each get the answer to their own row."),
    ("slow-body-blocks-nobody", 3, 3, "hidden", "A client that sends its body slowly delays no other client."),
    ("many-connections", 2, 3, "hidden", "200 connections that stay open leave room for more."),
    ("ready-in-time", 2, 4, "public", "The service is ready within 10 seconds of its start."),
    ("not-ready-without-model", 2, 4, "hidden", "Without a model the service is alive and not ready."),
    ("sigterm-finishes-requests", 3, 4, "after", "On SIGTERM requests in flight are answered before the process ends."),
    ("memory-stays-flat", 2, 4, "hidden", "Memory after 2,000 requests is within 10 MB of that after 200."),
    ("metrics-count-requests", 2, 4, "hidden", "The counters of /metrics grow by the requests that were sent."),
)


def excerpt(text, total_bytes=None):
    return Excerpt(text, len(text.encode("utf-8", "replace")) if total_bytes is None else total_bytes)


def exchange(
    method="POST",
    path="/predict",
    body='{"tenure_months": 14, "monthly_charge": 70.35, "contract": "monthly"}',
    status=200,
    answer='{"probability": 0.518734}',
    elapsed_s=0.0043,
    error=None,
    headers=None,
    companion="",
):
    return Exchange(
        method=method,
        path=path,
        request_body=excerpt(body),
        status=status,
        response_headers=headers
        or {"content-type": "application/json", "content-length": str(len(answer)), "server": "uvicorn"},
        response_body=excerpt(answer),
        elapsed_s=elapsed_s,
        error=error,
        companion=companion,
    )


def check(name="predict-matches-model", points=4.0, skill="correctness", visibility="hidden", time_limit_s=20.0):
    return Check(CheckId(name), float(points), skill, Visibility(visibility), time_limit_s)


def result(fault=None, outcome=None, sentence="A sentence.", message="", evidence=(), duration_s=0.021, **about):
    """One result; the outcome follows from the fault unless it is given."""
    if outcome is None:
        outcome = FAULTS[fault].outcome if fault else Outcome.PASSED
    return CheckResult(check(**about), outcome, fault, sentence, message, tuple(evidence), duration_s)


_FAILURES = {
    "batch-keeps-order": (
        Fault.WRONG_ANSWER,
        "Row 3 of the batch was expected to get 0.118202 and got 0.874411, which is the answer to row 17.",
        [
            exchange(
                path="/predict/batch",
                body='{"rows": [{"tenure_months": 2, "monthly_charge": 99.1, "contract": "yearly", "tickets": 0}, '
                '{"tenure_months": 51, "monthly_charge": 20.0, "contract": "monthly", "tickets": 4}]}',
                answer='{"probabilities": [0.874411, 0.118202]}',
            )
        ],
    ),
    "rejects-nan": (
        Fault.WRONG_ANSWER,
        "Expected a status of 4xx for a row with NaN; got 200 with a probability of 0.5.",
        [
            exchange(
                body='{"tenure_months": 14, "monthly_charge": NaN, "contract": "monthly"}',
                answer='{"probability": 0.5}',
            )
        ],
    ),
    "rejects-large-batch": (
        Fault.WRONG_ANSWER,
        "Expected status 413 for a batch of 65 rows; got 500.",
        [
            exchange(
                path="/predict/batch",
                body='{"rows": [' + '{"tenure_months": 1}, ' * 40,
                status=500,
                answer="Internal Server Error",
                elapsed_s=0.012,
                headers={"content-type": "text/plain; charset=utf-8"},
            )
        ],
    ),
    "sigterm-finishes-requests": (
        Fault.NO_ANSWER,
        "Three of eight requests in flight were cut off when the service got SIGTERM.",
        [
            exchange(
                status=None,
                answer="",
                error="the connection was closed before the answer was complete",
                elapsed_s=0.731,
                headers={},
            )
        ],
    ),
    "slow-body-blocks-nobody": (Fault.CHECK_CRASHED, "ZeroDivisionError in the check: float division by zero", []),
}


def realistic_results():
    results = []
    for name, points, skill, visibility, sentence in CHECKS:
        fault, message, evidence = _FAILURES.get(name, (None, "", [exchange()]))
        about = {"name": name, "points": points, "skill": SKILLS[skill], "visibility": visibility}
        outcome = None
        if name == "memory-stays-flat":
            outcome, message = (
                Outcome.INCONCLUSIVE,
                "Memory differed by 9.1 to 11.8 MB over three tries: too close to say.",
            )
        results.append(result(fault, outcome, sentence, message, evidence, 0.012 + points * 0.06, **about))
    return tuple(results)


def sandbox_run(
    purpose="the shared service",
    exit_code=143,
    breach=None,
    wall_s=9.84,
    memory=96 << 20,
    cpu_s=2.31,
    stdout="",
    stderr="INFO:     Uvicorn running on http://127.0.0.1:8000 (Press CTRL+C to quit)\n",
):
    return SandboxRun(
        purpose,
        exit_code,
        breach,
        wall_s,
        Usage(memory, cpu_s, 0 if memory else None),
        excerpt(stdout),
        excerpt(stderr),
    )


def realistic_runs():
    log = "".join(
        f'INFO:     127.0.0.1:{41000 + n} - "POST /predict HTTP/1.1" {200 if n % 7 else 422}\n' for n in range(60)
    )
    trace = (
        "ERROR:    Exception in ASGI application\nTraceback (most recent call last):\n"
        '  File "/submission/main.py", line 55, in batch\n'
        '    raise ValueError(f"a batch has at most {LIMIT} rows")\nValueError: a batch has at most 64 rows\n'
    )
    return (
        sandbox_run(stderr="INFO:     Started server process [7]\n" + log + trace + log),
        sandbox_run("model-can-be-replaced: service with model-b", 143, wall_s=1.22, memory=88 << 20, cpu_s=0.9),
        sandbox_run("not-ready-without-model: service", 1, wall_s=0.91, memory=61 << 20, cpu_s=0.7),
        sandbox_run("memory-stays-flat: service", None, Breach.TIME, wall_s=20.0, memory=131 << 20, cpu_s=12.4),
        sandbox_run(
            "sigterm-finishes-requests: service", 143, wall_s=1.74, memory=90 << 20, cpu_s=1.0, stdout="shutting down\n"
        ),
    )


def sources():
    """What was submitted, and the starter it began from."""
    starter = {
        "main.py": STARTER_MAIN.encode(),
        "README.md": b"# Your service\n\nRun `python main.py`.\n",
        "public_tests/test_public.py": b"def test_live(http):\n    assert http.get('/live').status == 200\n",
        "notes.txt": b"Delete me.\n",
    }
    submitted = {
        "main.py": SUBMITTED_MAIN.encode(),
        "model.py": SUBMITTED_MODEL.encode(),
        "README.md": b"# Churn service\n\nRun `python main.py`.\nBatches hold 64 rows at most.\n",
        "public_tests/test_public.py": starter["public_tests/test_public.py"],
        "cache/warm.bin": b"\x00\x01\x02" * 700,
    }
    return submitted, starter


def submission(files=None, origin="ada-lovelace.zip"):
    entries = tuple(
        FileEntry(path, len(content), Digest("c" * 64))
        for path, content in sorted((sources()[0] if files is None else files).items())
    )
    return Submission(Digest("4be1" * 16), Digest("90fa" * 16), origin, "zip", entries)


def scorecard(results=None, candidate="Ada Lovelace", enforced=True, **changes):
    """A finished scorecard whose points, skills and status follow from its results."""
    results = realistic_results() if results is None else tuple(results)
    skills = tuple(dict.fromkeys([*SKILLS, *(each.check.skill for each in results)]))
    controls = (
        Control("network", True, "a network namespace with loopback only"),
        Control("root file system", True, "read-only mounts of bubblewrap"),
        Control("system calls", True, "a seccomp filter of 94 allowed calls"),
        Control("memory", enforced, "cgroup v2 memory.max" if enforced else "needs a delegated cgroup (v2)"),
        Control("processes", enforced, "cgroup v2 pids.max" if enforced else "needs a delegated cgroup (v2)"),
        Control("output", True, "a counting reader"),
    )
    card = Scorecard(
        id="2026-11-23-7f3a90c1",
        graded_at="2026-11-23T16:58:12Z",
        candidate=candidate,
        challenge=ChallengeRef("inference-api", "1.0.0", "Serve a trained model", Digest("ab12" * 16), 0.6),
        submission=submission(),
        environment=EnvironmentRef(Digest("77de" * 16), "3.11.2"),
        engine=EngineRef("bubblewrap", "0.11.0", controls, not enforced),
        host=Host(Digest("e0c4" * 16), "Debian GNU/Linux 12", "6.1.0-18-amd64", "x86_64", 2, 8 << 30, "0.1.0"),
        seed=20261123,
        status=status(results),
        points=score(results),
        skills=skill_scores(skills, results),
        results=results,
        runs=realistic_runs(),
        phases=(
            Phase("intake", 0.021),
            Phase("environment", 0.004),
            Phase("workspace", 0.038),
            Phase("start of the service", 0.812),
            Phase("checks", 9.43),
            Phase("scoring", 0.002),
        ),
    )
    return replace(card, **changes)


def all_passed():
    return scorecard([replace(each, outcome=Outcome.PASSED, fault=None, message="") for each in realistic_results()])


def hostile(text, path=None):
    """A scorecard and sources in which `text` stands in every field that a submission or an operator can fill."""
    bad = exchange(method=text, path=text, body=text, answer=text, error=text, headers={text: text}, companion=text)
    results = [
        result(
            fault,
            sentence=text,
            message=text,
            evidence=[bad, replace(bad, error=None)],
            name=f"check-{place}",
            visibility=visibility,
            skill=text if place == 3 else SKILLS[place % 3],
        )
        for place, (fault, visibility) in enumerate(
            [(Fault.WRONG_ANSWER, "public"), (None, "public"), (Fault.DIED, "after"), (Fault.CHECK_CRASHED, "hidden")]
        )
    ]
    under_load = ruled(replace(ruling(plan=text, ratio=1.6), why=text), sentence=text, name="budget")
    results.append(replace(under_load, message=text))
    answers = [9_000] * 20
    seen = measurement(
        block("candidate", 0, answers, {3: text, 4: text + "2"}),
        block("reference", 0, answers),
        of=plan(text),
        ended=text,
        isolation=Isolation(False, (), None, False, text),
    )
    path = text if path is None else path
    content = text.encode("utf-8", "surrogatepass")
    submitted = {path: content, f"{path}.py": content, "main.py": content, "both.py": b"a = 1\n" + content}
    starter = {"both.py": b"a = 1\n", "main.py": b"pass\n" + content}
    card = scorecard(
        results,
        candidate=text,
        submission=submission(submitted, origin=text),
        runs=(sandbox_run(purpose=text, stdout=text, stderr=text),),
        phases=(Phase(text, 1.0),),
        measurements=(seen,),
    )
    return card, submitted, starter


def canaries(text):
    """A scorecard in which `text` stands in every field that a candidate must not see."""
    secret = exchange(method=text, path=text, body=text, answer=text, error=text, headers={text: text})
    results = [
        result(Fault.WRONG_ANSWER, sentence=text, message=text, evidence=[secret], name=text, visibility="hidden"),
        result(None, sentence=text, message=text, evidence=[secret], name=f"{text}-2", visibility="hidden"),
        result(
            Fault.DIED, sentence="Seen after.", message=text, evidence=[secret], name=f"{text}-3", visibility="after"
        ),
        result(
            Fault.CHECKS_DIFFER, sentence="Public.", message=text, evidence=[secret], name="broken", visibility="public"
        ),
        result(
            Fault.WRONG_ANSWER,
            sentence="Public too.",
            message="Got 1.",
            evidence=[exchange()],
            name="open",
            visibility="public",
        ),
    ]
    hidden = ruled(replace(ruling(plan=text), why=text), "hidden", text, name=f"{text}-4")
    after = ruled(replace(ruling(plan=text), why=text), "after", "Under load.", name=f"{text}-5")
    shown = ruled(ruling(plan="shown"), "public", "Shown.", name="shown")
    results += [hidden, after, shown]
    answers = block("candidate", 0, [9_000] * 20, {3: text})
    digest = Digest(text)
    return scorecard(
        results,
        runs=(sandbox_run(purpose=text, stdout=text, stderr=text),),
        phases=(Phase(text, 1.0),),
        engine=EngineRef(text, text, (Control(text, False, text),), True),
        host=Host(digest, text, text, text, 2, 1, text),
        measurements=(measurement(answers, of=plan(text), ended=text), measurement(answers, of=plan("shown"))),
    )


def plan(name="predict-open", scenario="open", **changes):
    made = Plan(name, Scenario(scenario), Arrivals.POISSON, 40.0, 32, 2.5, 3.0, 2.0, 12, 40)
    return replace(made, **changes)


def noise(foreign_cpu_s=0.021, steal_s=0.0, lag_s=0.00012, seconds=2.52):
    return Noise(seconds, foreign_cpu_s, steal_s, 0.004, 0.002, lag_s)


def block(side, pair, latencies_us, failures=None, session=0, **changes):
    """One block with so many requests at even distances."""
    intended = tuple(place * 25_000 for place in range(len(latencies_us)))
    made = Block(
        Side(side), session, pair, intended, tuple(us + 40 for us in intended), tuple(latencies_us), failures or {},
        0.0031 * len(latencies_us), 92 << 20, noise(),
    )  # fmt: skip
    return replace(made, **changes)


def measurement(*blocks, of=None, **changes):
    isolation = Isolation(True, (2, 3), 1, True, "the cgroup's freezer")
    made = Measurement(of or plan(), 20261123, isolation, {"p95": 0.0119}, tuple(blocks))
    return replace(made, **changes)


def loaded(name="predict-open", scenario="open", pairs=30, requests=100, slower=1.7, failing=0.004, sessions=2):
    """What a plan of load sees: latencies with a long tail, the submission's `slower` times the reference's."""
    dice = random.Random(f"{name} {scenario}")
    blocks = []
    for pair in range(pairs):
        session = pair * sessions // pairs
        for side, factor in dice.sample([("candidate", slower), ("reference", 1.0)], 2):
            latencies = [int(factor * (5_200 + 1e6 * dice.lognormvariate(-6.2, 0.75))) for _ in range(requests)]
            # Every eighth of the submission's blocks a stall delays a row of requests.
            if side == "candidate" and pair % 8 == 5:
                latencies[40:52] = [190_000 - 14_000 * step for step in range(12)]
            failures = {
                place: "expected 0.518734, got 0.118202" for place in range(requests)
                if side == "candidate" and dice.random() < failing
            }  # fmt: skip
            usage = {
                "cpu_s": requests * factor**0.8 * dice.uniform(0.0029, 0.0034),
                "memory_bytes": int((88 + 60 * (side == "candidate") + pair * 0.4) * (1 << 20)),
                "noise": noise(dice.uniform(0.004, 0.05), dice.choice([0.0, 0.0, 0.003]), dice.uniform(4e-5, 3e-4)),
            }
            blocks.append(block(side, pair, latencies, failures, session, **usage))
    return measurement(*blocks, of=plan(name, scenario))


def started(name="start-up", starts=12, slower=2.4):
    """What a plan of starts sees."""
    dice = random.Random(name)
    blocks = [
        block(side, pair, [int(factor * 1e6 * dice.uniform(0.52, 0.61))], cpu_s=0.4 * factor, memory_bytes=None)
        for pair in range(starts)
        for side, factor in dice.sample([("candidate", slower), ("reference", 1.0)], 2)
    ]
    return measurement(*blocks, of=plan(name, "start-up"))


def ruling(metric="p95", plan="predict-open", outcome="failed", ratio=1.72, limit=1.5, gone_at=2.5, **changes):
    why = f"The submission's figure is {ratio} times the reference's; the limit is {limit} times."
    bounds = Budget(plan, Metric(metric), limit, None, gone_at, 0.01)
    share = 1.0 if outcome == "passed" else max(0.0, min(1.0, (gone_at - ratio) / (gone_at - limit)))
    made = Ruling(
        bounds, Outcome(outcome), 0.0121, 0.0121 * ratio, ratio, ratio * 0.94, ratio * 1.07, 28, 2, share, why
    )
    return replace(made, **changes)


def ruled(verdict=None, visibility="public", sentence="Under load the service keeps to its budget.", **about):
    """The result of a check that is a budget; what it measured follows from `ruling`."""
    verdict = verdict or ruling()
    fault = Fault.TIME_LIMIT if verdict.outcome is Outcome.FAILED else None
    message = "" if verdict.outcome is Outcome.PASSED else verdict.why
    made = result(fault, verdict.outcome, sentence, message, skill="operations", visibility=visibility, **about)
    return replace(made, check=replace(made.check, budget=verdict.budget), ruling=verdict)


def measured(visibility="public"):
    """A realistic scorecard with three measurements and six budgets, of every outcome."""
    opened, closed, start = "predict-open", "predict-closed", "start-up"
    megabytes = {"reference": 96.0 * (1 << 20), "candidate": 155.0 * (1 << 20)}
    rulings = (
        ("p95-under-load", "Under 40 requests a second, 95% of the answers come nearly as fast as the reference's.",
         ruling("p95", opened)),
        ("p99-under-load", "Under 40 requests a second, 99% of the answers come within thrice the reference's time.",
         ruling("p99", opened, "inconclusive", 2.9, 3.0, 5.0, reference=0.0164, candidate=0.0476, low=2.61, high=3.34,
                why="The interval, 2.61 to 3.34 times, holds the limit of 3 times, and 9 of 30 pairs were void.")),
        ("cpu-per-answer", "An answer costs no more than twice the reference's CPU time.",
         ruling("cpu", opened, "passed", 1.51, 2.0, 4.0, reference=0.00315, candidate=0.00476,
                why="The submission's CPU time is 1.51 times the reference's, for certain below 2 times.")),
        ("memory-under-load", "Peak memory stays within one and a half of the reference's.",
         ruling("memory", closed, "failed", 1.62, 1.5, 2.0, **megabytes, low=1.58, high=1.66)),
        ("throughput", "Eight callers at once get at least half the reference's answers a second.",
         ruling("throughput", closed, "passed", 1.44, 2.0, 3.0, reference=310.4, candidate=215.6,
                why="The reference gives 1.44 times as many answers, for certain fewer than 2 times.")),
        ("starts-quickly", "The service is ready within twice the reference's time.",
         ruling("start-up", start, "failed", 2.41, 2.0, 2.4, reference=0.561, candidate=1.352, low=2.3, high=2.5)),
    )  # fmt: skip
    budgets = [ruled(each, visibility, sentence, name=name, points=3) for name, sentence, each in rulings]
    return scorecard(
        [*realistic_results(), *budgets],
        measurements=(loaded(opened), loaded(closed, "closed", slower=1.4, failing=0), started(start)),
    )
