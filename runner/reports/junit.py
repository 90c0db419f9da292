"""Scorecards as JUnit XML, which nearly every CI system shows: a suite for a scorecard, a case for a check.

    <testsuites>
      <testsuite id package name timestamp hostname tests failures errors skipped time>
        <properties> digests, seed, engine, points </properties>
        <testcase classname="<challenge>.<skill>" name="<check>" time>
          <failure | error | skipped>     failed | errored | inconclusive; nothing where it passed
        </testcase>
        <system-out/> <system-err/>       always empty: what a submission printed stays in its own report

It holds to Ant's schema, the strictest in use. Hidden checks stand in it by name: it is for who runs the assessment.
Untrusted text is made visible and bounded before it goes in, so that nothing XML forbids ever reaches the writer.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from assessments.check import CheckResult
from assessments.outcome import FAULTS, Outcome
from assessments.scorecard import Scorecard
from runner.reports.text import shown

_Verdict = Error | Failure | Skipped
_NAME_BYTES: Final = 400
_MESSAGE_BYTES: Final = 1_000
_TEXT_BYTES: Final = 8_000
_UNKNOWN_TIME: Final = "1970-01-01T00:00:00"


def junit(scorecards: Sequence[Scorecard]) -> bytes:
    """The scorecards as one document in UTF-8, in the order given; the same bytes for the same scorecards."""
    document = JUnitXml("Assay")
    suites = [_suite(place, scorecard) for place, scorecard in enumerate(scorecards)]
    for suite in suites:
        document.add_testsuite(suite)
    document.update_statistics()
    # Counting also sums up the checks' times; a grading takes longer than its checks.
    for suite, scorecard in zip(suites, scorecards, strict=True):
        suite.time = _seconds(math.fsum(phase.seconds for phase in scorecard.phases))
    document.time = _seconds(math.fsum(suite.time or 0.0 for suite in suites))
    return bytes(document.tostring())


def _suite(place: int, scorecard: Scorecard) -> TestSuite:
    suite = TestSuite(_name(f"{scorecard.challenge.id}: {scorecard.candidate}"))
    # Properties come before cases: the schema has them in this order.
    for name, value in _properties(scorecard):
        suite.add_property(name, _name(value) or "-")
    suite.add_testcases([_case(scorecard, result) for result in scorecard.results])
    suite._elem.set("id", str(place))
    suite._elem.set("package", _name(scorecard.challenge.id))
    suite.timestamp = _timestamp(scorecard.graded_at)
    # What the schema asks for where the host is not to be told.
    suite.hostname = "localhost"
    for name in ("system-out", "system-err"):
        suite._elem.append(suite._elem.makeelement(name, {}))
    return suite


def _properties(scorecard: Scorecard) -> Iterator[tuple[str, str]]:
    points, challenge = scorecard.points, scorecard.challenge
    yield "scorecard", scorecard.id
    yield "candidate", scorecard.candidate
    yield "submission.digest", scorecard.submission.digest
    yield "submission.tree_digest", scorecard.submission.tree_digest
    yield "challenge.id", challenge.id
    yield "challenge.version", challenge.version
    yield "challenge.digest", challenge.digest
    yield "environment.digest", scorecard.environment.digest
    yield "engine", f"{scorecard.engine.name} {scorecard.engine.version}".strip()
    yield "engine.unenforced", ", ".join(control.name for control in scorecard.engine.unenforced)
    yield "host.fingerprint", scorecard.host.fingerprint
    yield "assay", scorecard.host.assay
    yield "seed", str(scorecard.seed)
    yield "status", scorecard.status
    yield "points.earned", f"{points.earned:.12g}"
    yield "points.undecided", f"{points.undecided:.12g}"
    yield "points.possible", f"{points.possible:.12g}"


def _case(scorecard: Scorecard, result: CheckResult) -> TestCase:
    skill = f"{scorecard.challenge.id}.{result.check.skill}"
    case = TestCase(_name(result.check.id), _name(skill), _seconds(result.duration_s))
    kind = _kind(result.outcome)
    if kind is not None:
        case.result = [_verdict(kind, result)]
    return case


def _kind(outcome: Outcome) -> type[_Verdict] | None:
    match outcome:
        case Outcome.PASSED:
            return None
        case Outcome.FAILED:
            return Failure
        case Outcome.ERRORED:
            return Error
        case Outcome.INCONCLUSIVE:
            return Skipped


def _verdict(kind: type[_Verdict], result: CheckResult) -> _Verdict:
    why = result.message or (result.ruling.why if result.ruling else "")
    if not why:
        why = FAULTS[result.fault].meaning if result.fault else "The machine was too noisy to say."
    verdict = kind(shown(why, _MESSAGE_BYTES).text, result.fault or result.outcome)
    sentence, words = shown(result.sentence, _MESSAGE_BYTES).text, shown(why, _TEXT_BYTES, lines=True)
    note = f"[{words.note}]" if words.note else ""
    verdict.text = "\n".join(part for part in (sentence, words.text, note) if part)
    return verdict


def _name(text: str) -> str:
    return shown(text, _NAME_BYTES).text


def _seconds(value: float) -> float:
    """Tenths of a millisecond: no finer figure is written without an exponent, which the schema does not know."""
    return round(value, 4) if math.isfinite(value) and 0 <= value < 1e12 else 0.0


def _timestamp(rfc3339: str) -> str:
    """UTC without a zone: the schema knows none."""
    try:
        when = datetime.fromisoformat(rfc3339).astimezone(UTC)
    except (ValueError, OverflowError):
        return _UNKNOWN_TIME
    return when.strftime("%Y-%m-%dT%H:%M:%S")
