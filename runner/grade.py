"""Grades one submission of one challenge: the flow of the design, from bytes to a scorecard.

submission bytes -> intake -> workspace -> sandbox runs -> observations -> outcomes -> scorecard
"""

import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assessments.challenge import Challenge
from assessments.check import CheckResult
from assessments.errors import InfrastructureError, InvalidSubmission
from assessments.outcome import FAULTS
from assessments.scorecard import ChallengeRef, Phase, Scorecard, score, skill_scores, status
from graders.decision import decide
from runner.bench import Bench
from runner.calibration import Calibrations
from runner.challenge_files import challenge_digest
from runner.control import has_reference, to_try, with_control
from runner.host import this_host
from runner.intake import Archive, Received, receive, unpack, write_tree
from runner.reports.text import shown
from runner.session import Judged, Session
from runner.trial import Trial, scratch_below

MAX_TRIES = 3
"""How often an infrastructure failure is met with another try before it is left to the operator."""


@dataclass(frozen=True, slots=True)
class Order:
    """What to grade. `seed` None: a fresh one nobody can predict."""

    submitted: Path | Archive
    candidate: str
    revision: str | None = None
    seed: int | None = None
    unenforced_allowed: bool = False
    measures: bool = True
    """Whether budgets are measured; if not, their checks stay undecided."""
    controlled: bool = True
    """Whether what fails is tried with the reference too (see runner.control)."""


@dataclass(frozen=True, slots=True)
class Graded:
    """A scorecard, and the bytes it is about."""

    scorecard: Scorecard
    received: Received


def grade(order: Order, challenge: Challenge, bench: Bench) -> Graded:
    """Grade a submission.

    Raises InvalidSubmission (the candidate's archive cannot be accepted), InvalidChallenge (its lock or files are
    wrong) and InfrastructureError (no sandbox, or a needed control is missing and was not waived). Whatever goes
    wrong later is in the scorecard.
    """
    clock = _Clock()
    engine = bench.engine.describe(unenforced_allowed=order.unenforced_allowed)
    if engine.unenforced and not order.unenforced_allowed:
        missing = "; ".join(f"{control.name} ({control.how})" for control in engine.unenforced)
        msg = (
            f"this host cannot enforce: {missing}. Grade as root or as assay doctor says, or pass --allow-unenforced: "
            "the scorecard says so"
        )
        raise InfrastructureError(msg)
    with clock.phase("intake"):
        received = take_in(order.submitted, challenge, order.revision)
    with clock.phase("environment"):
        environment = bench.environment(challenge)
    with clock.phase("provenance"):
        reference = _reference(challenge)  # before anything is read from it for judging
        controlled = order.controlled and has_reference(challenge)
        if controlled:
            bench.reference(challenge)  # one that cannot be read is told before anybody is judged
    seed = secrets.randbits(63) if order.seed is None else order.seed
    with tempfile.TemporaryDirectory(dir=bench.run.folder) as scratch:
        with clock.phase("workspace"):
            workspace = _workspace(received, Path(scratch))
        trial = Trial(challenge, reference.digest, bench, environment, workspace, Path(scratch))
        with clock.phase("judging"):
            results, judged = _judge(trial, seed, measures=order.measures)
        if controlled and to_try(results):
            with clock.phase("control"):
                results = with_control(trial, _calibrations(trial), seed, results)
            _unless_interrupted(bench)
    scorecard = Scorecard(
        id=secrets.token_hex(16),
        graded_at=datetime.now(UTC).isoformat(timespec="seconds"),
        candidate=order.candidate,
        challenge=reference,
        submission=received.submission,
        environment=bench.environment_ref(challenge),
        engine=engine,
        host=this_host(),
        seed=seed,
        status=status(results),
        points=score(results),
        skills=skill_scores(challenge.skills, results),
        results=results,
        runs=judged.runs,
        phases=clock.phases,
        measurements=tuple(measured.measurement for measured in judged.account.measured),
    )
    return Graded(scorecard, received)


def _judge(trial: Trial, seed: int, *, measures: bool) -> tuple[tuple[CheckResult, ...], Judged]:
    """Judge until the outcome is not one that another try can mend; the last try's outcome stands."""
    challenge, bench = trial.challenge, trial.bench
    calibrations = _calibrations(trial)
    for _ in range(MAX_TRIES):
        with scratch_below(trial.scratch) as scratch:
            judged = Session(replace(trial, scratch=scratch), calibrations).judge(seed, measures=measures)
        _unless_interrupted(bench)
        results = decide(challenge.checks, judged.account)
        if not any(result.fault is not None and FAULTS[result.fault].retry for result in results):
            break
    for measured in judged.account.measured:
        calibrations.learn(measured.measurement)
    return results, judged


def _calibrations(trial: Trial) -> Calibrations:
    names = this_host().fingerprint, trial.bench.engine.describe(unenforced_allowed=True).name
    return Calibrations.of(trial.bench.state, *names, trial.digest, trial.environment.digest)


def _unless_interrupted(bench: Bench) -> None:
    if bench.interrupted:
        raise InfrastructureError("grading was interrupted")


def take_in(submitted: Path | Archive, challenge: Challenge, revision: str | None = None) -> Received:
    """A submission of this challenge, with every file that the challenge asks for.

    Raises what `receive` does, and InvalidSubmission for files that are missing.
    """
    needed = challenge.entry.required_files
    if isinstance(submitted, Archive):
        received = unpack(submitted.content, submitted.format, submitted.origin, required_files=needed)
    else:
        received = receive(submitted, revision=revision, required_files=needed)
    missing = [name for name in needed if name not in received.contents]
    if missing:
        origin = shown(received.submission.origin, 120).text
        raise InvalidSubmission(
            f"{origin}: {name} is missing; {challenge.id} needs it at the submission's top" for name in missing
        )
    return received


def _workspace(received: Received, scratch: Path) -> Path:
    scratch.chmod(0o711)  # boxes pass through; they cannot list what else is there
    workspace = scratch / "submission"
    workspace.mkdir(mode=0o755)
    write_tree(received.contents, workspace)
    return workspace


def _reference(challenge: Challenge) -> ChallengeRef:
    digest = challenge_digest(challenge.folder)
    return ChallengeRef(challenge.id, challenge.version, challenge.title, digest, challenge.pass_mark)


class _Clock:
    """Names the phases of a grading and how long each took, in the order they ended."""

    def __init__(self) -> None:
        self._phases: list[Phase] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self._phases.append(Phase(name, time.monotonic() - started))

    @property
    def phases(self) -> tuple[Phase, ...]:
        return tuple(self._phases)
