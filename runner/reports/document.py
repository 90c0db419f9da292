"""The scorecard as a JSON document, and the candidate's copy of a scorecard.

    {
      "format": 1,
      "digest": "<SHA-256 over format and scorecard, in canonical form>",
      "scorecard": { ... the fields of `assessments.scorecard.Scorecard` ... }
    }

The digest notices a changed figure; it is no signature, and whoever may write the file can write a new one.
"""

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, Literal, NoReturn

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated

from assessments.budget import Metric
from assessments.check import Check, CheckId, CheckResult, Visibility
from assessments.errors import UsageError
from assessments.measurement import Measurement
from assessments.outcome import Outcome
from assessments.scorecard import EngineRef, EnvironmentRef, Host, Scorecard
from assessments.submission import Digest
from runner.reports.text import shown

FORMAT: Final = 1
_PROBLEMS_SHOWN: Final = 20


@validated(frozen=True, config=ConfigDict(extra="forbid", strict=True, allow_inf_nan=False))
class _Document:
    """The file's outermost object. Its strictness holds for all the dataclasses inside it."""

    format: Literal[1]
    digest: Digest
    scorecard: Scorecard


def dump(scorecard: Scorecard) -> bytes:
    """Write a scorecard as a document: UTF-8, fields in the order of the domain, the same bytes every time.

    Everything beyond ASCII is escaped, for the document also goes to terminals. Lone surrogates, which JSON cannot
    carry, become visible escapes.
    """
    content = {"format": FORMAT, "scorecard": _plain(scorecard)}
    document = {"format": FORMAT, "digest": _digest(content), "scorecard": content["scorecard"]}
    return (json.dumps(document, indent=1, ensure_ascii=True, allow_nan=False) + "\n").encode("ascii")


def load(data: bytes, origin: str) -> Scorecard:
    """Read a document back. `origin` names it in errors.

    Raises UsageError with every problem found: no JSON, an unknown or missing field, a wrong type, a wrong digest.
    """
    name = shown(origin, 200).text
    content = _parse(data, name)
    try:
        document = _adapter().validate_json(data)
    except ValidationError as error:
        raise UsageError(_problems(error, name)) from error
    if _digest({"format": content["format"], "scorecard": content["scorecard"]}) != document.digest:
        raise UsageError(
            f"{name}: field 'digest': it does not match the content, so the document was changed after it was written; "
            "take the original again, or grade the submission again"
        )
    return document.scorecard


def for_candidate(scorecard: Scorecard) -> Scorecard:
    """The copy of a scorecard that a candidate may have, made only of fields that are named here.

    Everything that the submission could have used to carry hidden requests outside, or that tells one hidden check
    from another, is not among them: logs, runs, phases, durations, ids, faults and messages of checks that are not
    public; nor are seed, host and engine. Empty values stand in their place, and a failed check's `fault` is None.
    The same holds for budgets: without a public one, nothing of a plan's measurement is there, and of a public one's
    the seed and the words of wrong answers are left out, for those could carry requests of hidden checks.
    A public check is shown whole: the grader asks them before the submission has seen a hidden request. Where one is
    errored its message is left out, for then it tells of the grader's side.
    """
    taken = {result.check.id for result in scorecard.results if result.check.visibility is Visibility.PUBLIC}
    neutral = {skill: _neutral_ids(skill, taken) for skill in {result.check.skill for result in scorecard.results}}
    results = sorted(scorecard.results, key=_order_for_candidate)
    return Scorecard(
        id=scorecard.id,
        graded_at=scorecard.graded_at,
        candidate=scorecard.candidate,
        challenge=scorecard.challenge,
        submission=scorecard.submission,
        environment=EnvironmentRef(scorecard.environment.digest, scorecard.environment.python),
        engine=EngineRef(name="", version="", controls=(), unenforced_allowed=False),
        host=Host(Digest(""), system="", kernel="", machine="", cores=0, memory_bytes=0, assay=""),
        seed=0,
        status=scorecard.status,
        points=scorecard.points,
        skills=scorecard.skills,
        results=tuple(_result_for_candidate(result, neutral[result.check.skill]) for result in results),
        runs=(),
        phases=(),
        measurements=tuple(_measurements_for_candidate(scorecard)),
    )


def _order_for_candidate(result: CheckResult) -> tuple[int, str]:
    """Public checks as they stand, then the others by outcome: a place in the list must not name a check."""
    order = {Visibility.PUBLIC: 0, Visibility.AFTER: 1, Visibility.HIDDEN: 2}
    return order[result.check.visibility], "" if result.check.visibility is Visibility.PUBLIC else result.outcome


def _result_for_candidate(result: CheckResult, neutral_ids: Iterator[CheckId]) -> CheckResult:
    check = result.check
    ours = result.outcome is Outcome.ERRORED
    match check.visibility:
        case Visibility.PUBLIC:
            return CheckResult(
                check=check,
                outcome=result.outcome,
                fault=result.fault,
                sentence=result.sentence,
                message="" if ours else result.message,
                evidence=() if ours else result.evidence,
                duration_s=result.duration_s,
                ruling=None if ours else result.ruling,
            )
        case Visibility.AFTER | Visibility.HIDDEN:
            return CheckResult(
                check=Check(next(neutral_ids), check.points, check.skill, check.visibility, time_limit_s=0.0),
                outcome=result.outcome,
                fault=None,
                sentence=result.sentence if check.visibility is Visibility.AFTER else "",
                message="",
                evidence=(),
                duration_s=0.0,
            )


def _measurements_for_candidate(scorecard: Scorecard) -> Iterator[Measurement]:
    """The measurements that decided public budgets, without what only others read of them."""
    public = set(_metrics(result for result in scorecard.results if _is_open(result)))
    withheld = set(_metrics(result for result in scorecard.results if not _is_open(result))) - public
    for measurement in scorecard.measurements:
        plan = measurement.plan.id
        if plan in {of for of, _ in public}:
            yield dataclasses.replace(
                measurement,
                seed=0,
                calibration={
                    metric: value for metric, value in measurement.calibration.items() if (plan, metric) not in withheld
                },
                blocks=tuple(
                    dataclasses.replace(
                        block,
                        failures=dict.fromkeys(block.failures, ""),
                        cpu_s=None if (plan, Metric.CPU) in withheld else block.cpu_s,
                        memory_bytes=None if (plan, Metric.MEMORY) in withheld else block.memory_bytes,
                    )
                    for block in measurement.blocks
                ),
            )


def _is_open(result: CheckResult) -> bool:
    """Whether a candidate may know what was measured for this check."""
    return result.check.visibility is Visibility.PUBLIC and result.outcome is not Outcome.ERRORED


def _metrics(results: Iterable[CheckResult]) -> Iterator[tuple[str, str]]:
    """Plan and metric of each budget among the checks."""
    for result in results:
        budget = result.ruling.budget if result.ruling else result.check.budget
        if budget is not None:
            yield budget.plan, budget.metric


def _neutral_ids(skill: str, taken: set[CheckId]) -> Iterator[CheckId]:
    number = 0
    while True:
        number += 1
        neutral = CheckId(f"{skill}-{number}")
        if neutral not in taken:
            yield neutral


@cache
def _adapter() -> TypeAdapter[_Document]:
    return TypeAdapter(_Document)


def _plain(value: object) -> object:
    """The domain's values as what JSON knows."""
    if isinstance(value, str):
        return str.encode(value, "utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        # JSON's keys are text, also in the digest, where 10 comes before 2.
        return {_key(key): _plain(value[key]) for key in sorted(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _plain_field(field, value) for field in dataclasses.fields(value)}
    return value


def _plain_field(field: "dataclasses.Field[object]", owner: object) -> object:
    value = getattr(owner, field.name)
    # A whole number in a field of floats is read back as a float: written as one, it gives the same bytes again.
    if field.type is float:
        return float(value)
    if field.type == float | None:
        # JSON has no infinity, and a figure that is none is None.
        return float(value) if value is not None and math.isfinite(value) else None
    if field.type == Mapping[str, float]:
        return {_key(key): float(value[key]) for key in sorted(value)}
    return _plain(value)


def _key(key: object) -> str:
    return str.encode(str(key), "utf-8", "backslashreplace").decode()


def _digest(content: object) -> Digest:
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return Digest(hashlib.sha256(canonical.encode("ascii")).hexdigest())


def _parse(data: bytes, name: str) -> dict[str, object]:
    """The document as the digest sees it. A key that stands twice is a problem: readers differ over which counts."""
    try:
        content = json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        reason = shown(str(error) or "nested too deeply", 200).text
        raise UsageError(f"{name}: this is not a scorecard document ({reason}); take the original again") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT or "scorecard" not in content:
        raise UsageError(
            f"{name}: field 'format': expected {FORMAT} and a 'scorecard' beside it; "
            "give the JSON document of one scorecard, or use the version of Assay that wrote it"
        )
    return content


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return content


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not a number in JSON")


def _problems(error: ValidationError, name: str) -> tuple[str, ...]:
    """Problems worded for people; what was given is not repeated, for it may be long and anybody's."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    problems = [
        f"{name}: field '{shown('.'.join(map(str, problem['loc'])), 200).text}': {problem['msg']}; "
        "take the original document again, or the version of Assay that wrote it"
        for problem in found[:_PROBLEMS_SHOWN]
    ]
    rest = len(found) - len(problems)
    return (*problems, f"{name}: and {rest} problems more") if rest else tuple(problems)
