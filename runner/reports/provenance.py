"""Where a scorecard comes from: everything needed to trace its figures, as rows of a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from assessments.scorecard import Control, Scorecard
from runner.reports import wording
from runner.reports.text import Text, shown

NOTHING: Final = Text("")
_MOST_CONTROLS: Final = 40
_MOST_PACKAGES: Final = 40
_WIDEST: Final = 300


@dataclass(frozen=True, slots=True)
class Row:
    """A name, its value, and what may stand below it in small type."""

    name: str
    value: Text
    note: Text = NOTHING


@dataclass(frozen=True, slots=True)
class ControlView:
    name: Text
    enforced: bool
    how: Text


def facts(scorecard: Scorecard) -> tuple[Row, ...]:
    """The few facts that stand under the verdict."""
    return (
        Row("Submission", Text(wording.short(shown(scorecard.submission.digest, 80).text))),
        Row("Engine", shown(f"{scorecard.engine.name} {scorecard.engine.version}", 60)),
        Row("Grading took", Text(wording.seconds(sum(phase.seconds for phase in scorecard.phases)))),
    )


def rows(scorecard: Scorecard, *, all_known: bool) -> tuple[Row, ...]:
    """All of it; a candidate's copy knows neither the seed, nor the machine, nor what only hidden checks may use."""
    submission, challenge = scorecard.submission, scorecard.challenge
    handed_in = (
        _row("Scorecard", scorecard.id),
        _row("Graded at", scorecard.graded_at),
        _row("Challenge", f"{challenge.id} {challenge.version}", f"files {challenge.digest}"),
        _row("Handed in as", submission.origin, _packing(scorecard)),
        _row("Submission's bytes", submission.digest, "SHA-256 of the archive as it was received"),
        _row("Submission's files", submission.tree_digest, "SHA-256 of paths and contents, however packed"),
        _row("Environment", scorecard.environment.digest, f"Python {scorecard.environment.python}"),
    )
    return (*handed_in, *_grading_rows(scorecard)) if all_known else handed_in


def control_views(controls: Sequence[Control]) -> tuple[ControlView, ...]:
    """The sandbox's controls; those that this host does not enforce come first."""
    ordered = sorted(controls, key=lambda control: control.enforced)
    return tuple(
        ControlView(shown(control.name, 80), control.enforced, shown(control.how, 200))
        for control in ordered[:_MOST_CONTROLS]
    )


def _grading_rows(scorecard: Scorecard) -> tuple[Row, ...]:
    engine, host = scorecard.engine, scorecard.host
    allowed = "grading with controls missing was allowed by the operator" if engine.unenforced_allowed else ""
    return (
        _row("Seed", str(scorecard.seed)),
        *(
            _row("Package of a companion", package.archive, f"SHA-256 {package.sha256}")
            for package in scorecard.environment.packages[:_MOST_PACKAGES]
        ),
        _row("Engine", f"{engine.name} {engine.version}", allowed),
        _row(
            "Host",
            f"{host.system}, kernel {host.kernel}, {host.machine}",
            f"{wording.count(host.cores, 'core')}, {wording.size(host.memory_bytes)} of memory",
        ),
        _row("Host's fingerprint", host.fingerprint),
        _row("Assay", host.assay),
    )


def _packing(scorecard: Scorecard) -> str:
    submission = scorecard.submission
    files = wording.count(len(submission.files), "file")
    return f"{submission.format}, {files}, {wording.size(submission.total_bytes)}"


def _row(name: str, value: str, note: str = "") -> Row:
    return Row(name, shown(value, _WIDEST), shown(note, _WIDEST))
