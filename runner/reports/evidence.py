"""Checks with the exchanges they rest on, and sandbox runs with their logs, ready to be shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from assessments.check import CheckResult, Visibility
from assessments.observation import Breach, Excerpt, Exchange, SandboxRun
from assessments.outcome import FAULTS, Outcome, Owner
from runner.reports import wording
from runner.reports.budget import Budget
from runner.reports.text import Text, ends, share, shown, visible, weight

MARKS: Final = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "≈", Outcome.ERRORED: "!"}
"""A sign for each outcome, so that none is told by its colour alone."""
_EXCHANGE_FRAME_BYTES: Final = 1_000
_LARGEST_EXCHANGE: Final = 6_000
_LARGEST_PASSED_EXCHANGE: Final = 1_600
_HEADER_BYTES: Final = len("<div><dt></dt><dd></dd></div>\n")
_MOST_HEADERS: Final = 16
_OWNERS: Final = {
    Owner.CANDIDATE: "It counts against the submission.",
    Owner.CHALLENGE: "It is the challenge's fault: no points are lost, and its author must look.",
    Owner.INFRASTRUCTURE: "It is the grading machine's fault: no points are lost, and a rerun is due.",
}
_BREACHES: Final = {
    Breach.TIME: "stopped at the time limit",
    Breach.MEMORY: "stopped at the memory limit",
    Breach.OUTPUT: "stopped at the output limit",
}
_SIGNALS: Final = {6: "SIGABRT", 9: "SIGKILL", 11: "SIGSEGV", 15: "SIGTERM"}


@dataclass(frozen=True, slots=True)
class ExchangeView:
    """One exchange. `asked`: the companion that the submission asked, if it was not asked itself."""

    asked: Text
    request: Text
    answer: Text
    elapsed: str
    request_body: Text
    headers: tuple[tuple[Text, Text], ...]
    response_body: Text


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check. `number` makes its anchor; `known` is False where the reader may know no more than the outcome."""

    number: int
    mark: str
    outcome: str
    sentence: Text
    points: str
    skill: Text
    id: Text
    visibility: str
    known: bool
    message: Text
    meaning: str
    owner: str
    duration: str
    exchanges: tuple[ExchangeView, ...]
    exchanges_note: str


@dataclass(frozen=True, slots=True)
class LogView:
    """One stream of a run. `tail` holds the end where the middle is left out; `note` tells what never was kept."""

    name: str
    head: Text
    tail: Text
    note: str


@dataclass(frozen=True, slots=True)
class RunView:
    purpose: Text
    ending: str
    healthy: bool
    wall: str
    wall_share: str
    cpu: str
    memory: str
    memory_share: str
    oom_kills: str
    logs: tuple[LogView, ...]


def sentence(result: CheckResult) -> str:
    """What the check shows, or a stand-in where the reader may not know it."""
    return result.sentence or f"A hidden check of {result.check.skill}"


def earned(result: CheckResult, *, in_part: bool = False) -> str:
    """The points of one check. `in_part`: the reader may not know what part of them a failed check keeps."""
    possible = wording.points(result.check.points)
    match result.outcome:
        case Outcome.FAILED if in_part:
            return f"less than {possible}"
        case Outcome.PASSED | Outcome.FAILED:
            return f"{wording.points(result.points_earned)} of {possible}"
        case Outcome.INCONCLUSIVE | Outcome.ERRORED:
            return f"? of {possible}"


def message(result: CheckResult) -> str:
    """What was expected and what came instead; for a budget that has no such words, what its measurement says."""
    return result.message or (result.ruling.why if result.ruling else "")


def check_views(
    results: Sequence[CheckResult], budget: Budget, *, all_known: bool, parts_withheld: bool = False
) -> tuple[CheckView, ...]:
    """The checks in their order. Where there are too many, passed ones are left out before others.

    Unless `all_known`, the reader is a candidate and knows the public ones only. `parts_withheld`: some of the others
    keep a part of their points, and which ones and how much is not told.
    """
    passed_last = sorted(range(len(results)), key=lambda index: results[index].outcome is Outcome.PASSED)
    kept = sorted(passed_last[: budget.checks])
    messages = share(
        [min(weight(message(results[index])) + weight(results[index].sentence), 2_400) for index in kept],
        budget.message_bytes,
    )
    exchanges = _exchange_limits([results[index] for index in kept], budget.evidence_bytes)
    return tuple(
        _check_view(index, results[index], message_bytes, limits, all_known=all_known, parts_withheld=parts_withheld)
        for index, message_bytes, limits in zip(kept, messages, exchanges, strict=True)
    )


def run_views(runs: Sequence[SandboxRun], budget: Budget) -> tuple[RunView, ...]:
    """The runs in their order, as many as the budget lists, their logs sharing its bytes."""
    runs = runs[: budget.runs]
    streams = [stream for run in runs for stream in (run.stdout, run.stderr)]
    wanted = [weight(visible(stream.text[: budget.log_bytes], lines=True)) for stream in streams]
    limits = iter(share(wanted, budget.log_bytes))
    longest = max((run.wall_s for run in runs), default=0.0)
    largest = max((run.usage.peak_memory_bytes or 0 for run in runs), default=0)
    return tuple(_run_view(run, longest, largest, (next(limits), next(limits))) for run in runs)


def bar_width(value: float, whole: float) -> str:
    """The width of a bar, 0 to 100, in the form SVG takes."""
    return f"{100 * min(max(value / whole, 0.0), 1.0):.1f}" if whole > 0 else "0"


def _check_view(
    index: int,
    result: CheckResult,
    message_bytes: int,
    limits: Mapping[int, int],
    *,
    all_known: bool,
    parts_withheld: bool,
) -> CheckView:
    check = result.check
    consequence = FAULTS[result.fault] if result.fault else None
    shown_sentence = shown(sentence(result), max(message_bytes // 2, 120))
    known = all_known or check.visibility is Visibility.PUBLIC
    return CheckView(
        number=index + 1,
        mark=MARKS[result.outcome],
        outcome=result.outcome.value,
        sentence=shown_sentence,
        points=earned(result, in_part=parts_withheld and not known),
        skill=shown(check.skill, 60),
        id=shown(check.id, 80),
        visibility=check.visibility.value if check.visibility is not Visibility.AFTER else "shown after grading",
        known=known,
        message=shown(message(result), max(message_bytes - weight(shown_sentence.text), 0), lines=True),
        meaning=consequence.meaning if consequence else "",
        owner=_OWNERS[consequence.owner] if consequence else "",
        duration=wording.seconds(result.duration_s) if known else "",
        exchanges=tuple(_exchange_view(result.evidence[place], limits[place]) for place in sorted(limits)),
        exchanges_note=_left_out(len(result.evidence) - len(limits)),
    )


def _left_out(number: int) -> str:
    return f"{wording.count(number, 'more exchange')} left out" if number > 0 else ""


def _exchange_limits(results: Sequence[CheckResult], total: int) -> tuple[Mapping[int, int], ...]:
    """For each check, the bytes of each exchange that is shown, by its place.

    Those of checks that did not pass come first, and what the submission was asked before what it asked itself.
    """

    def rank(pair: tuple[int, int]) -> tuple[bool, bool, int, int]:
        index, place = pair
        return results[index].outcome is Outcome.PASSED, bool(results[index].evidence[place].companion), place, index

    every = ((index, place) for index, result in enumerate(results) for place in range(len(result.evidence)))
    order = sorted(every, key=rank)[: total // (2 * _EXCHANGE_FRAME_BYTES)]
    wanted = [_wanted(results[index], results[index].evidence[place]) for index, place in order]
    limits: list[dict[int, int]] = [{} for _ in results]
    for (index, place), given in zip(order, share(wanted, total), strict=True):
        limits[index][place] = given
    return tuple(limits)


def _wanted(result: CheckResult, exchange: Exchange) -> int:
    largest = _LARGEST_PASSED_EXCHANGE if result.outcome is Outcome.PASSED else _LARGEST_EXCHANGE
    return min(_EXCHANGE_FRAME_BYTES + sum(_weights(exchange)), largest)


def _weights(exchange: Exchange) -> tuple[int, int, int, int]:
    """What the request line, the bodies and the headers take in the page when nothing is cut.

    Taken from the text as it will be seen: an escape is longer than what it stands for.
    """
    return (
        weight(visible(f"{exchange.method} {exchange.path}"[:_LARGEST_EXCHANGE])),
        weight(visible(exchange.request_body.text[:_LARGEST_EXCHANGE], lines=True)),
        weight(visible(exchange.response_body.text[:_LARGEST_EXCHANGE], lines=True)),
        _headers_weight(list(exchange.response_headers.items())[:_MOST_HEADERS]),
    )


def _exchange_view(exchange: Exchange, limit_bytes: int) -> ExchangeView:
    limits = share(_weights(exchange), limit_bytes - _EXCHANGE_FRAME_BYTES)
    line_bytes, request_bytes, response_bytes, headers_bytes = limits
    return ExchangeView(
        asked=shown(exchange.companion, 60),
        request=shown(f"{exchange.method} {exchange.path}", min(line_bytes, 400)),
        answer=_answer(exchange),
        elapsed=wording.seconds(exchange.elapsed_s),
        request_body=_body(exchange.request_body, request_bytes),
        headers=_headers(exchange.response_headers, headers_bytes),
        response_body=_body(exchange.response_body, response_bytes),
    )


def _answer(exchange: Exchange) -> Text:
    if exchange.error is not None:
        return shown(f"no answer: {exchange.error}", 400)
    return Text(f"status {exchange.status}" if exchange.status is not None else "no status")


def _headers(headers: Mapping[str, str], limit_bytes: int) -> tuple[tuple[Text, Text], ...]:
    rows = []
    for name, value in list(headers.items())[:_MOST_HEADERS]:
        row = (shown(name, 80), shown(value, 240))
        limit_bytes -= _headers_weight([(row[0].text, row[1].text)])
        if limit_bytes < 0:
            break
        rows.append(row)
    rest = len(headers) - len(rows)
    return (*rows, (Text("…"), Text(f"{wording.count(rest, 'more header')} left out"))) if rest else tuple(rows)


def _headers_weight(headers: Iterable[tuple[str, str]]) -> int:
    return sum(weight(name) + weight(value) + _HEADER_BYTES for name, value in headers)


def _body(body: Excerpt, limit_bytes: int) -> Text:
    text = shown(body.text, limit_bytes, lines=True)
    if body.cut and not text.note:
        return Text(text.text, f"cut: the whole has {wording.size(body.total_bytes)}")
    return text


def _run_view(run: SandboxRun, longest_s: float, largest_bytes: int, limits: tuple[int, int]) -> RunView:
    usage = run.usage
    return RunView(
        purpose=shown(run.purpose, 200),
        ending=_ending(run),
        healthy=run.breach is None,
        wall=wording.seconds(run.wall_s),
        wall_share=bar_width(run.wall_s, longest_s),
        cpu=wording.seconds(usage.cpu_s) if usage.cpu_s is not None else "not measured",
        memory=wording.size(usage.peak_memory_bytes) if usage.peak_memory_bytes is not None else "not measured",
        memory_share=bar_width(usage.peak_memory_bytes or 0, largest_bytes),
        oom_kills=f"{usage.oom_kills:,}" if usage.oom_kills is not None else "not measured",
        logs=tuple(
            _log_view(name, stream, limit)
            for name, stream, limit in zip(("stdout", "stderr"), (run.stdout, run.stderr), limits, strict=True)
            if stream.text or stream.total_bytes
        ),
    )


def _ending(run: SandboxRun) -> str:
    if run.breach is not None:
        return _BREACHES[run.breach]
    if run.exit_code is None:
        return "ended by the engine"
    if run.exit_code > 128:
        signal = run.exit_code - 128
        return f"ended by {_SIGNALS.get(signal, f'signal {signal}')}"
    return f"exit code {run.exit_code}"


def _log_view(name: str, stream: Excerpt, limit_bytes: int) -> LogView:
    head, tail = ends(stream.text, limit_bytes)
    note = f"not all of its {wording.size(stream.total_bytes)} were kept" if stream.cut else ""
    return LogView(name, head, tail, note)
