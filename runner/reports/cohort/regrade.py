"""The page of a regrade: whose standing it changes, and what changed check by check."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from assessments.cohort import Cohort
from runner.insights.regrade import Cause, Change, Difference, Shift
from runner.reports import wording
from runner.reports.cohort.room import Room, fitted, left_out
from runner.reports.cohort.terms import STANDINGS, StandingView, name_of, places, share_range
from runner.reports.evidence import MARKS
from runner.reports.self_contained import rendered
from runner.reports.text import Text, shown

_CAUSES: Final = MappingProxyType(
    {
        Cause.CHALLENGE: "the challenge's files changed",
        Cause.ENVIRONMENT: "the environment changed",
        Cause.ENGINE: "another engine, or other limits enforced",
        Cause.SEED: "another seed",
        Cause.HOST: "another host",
        Cause.NOTHING: "nothing that is recorded changed: the outcomes are unsteady",
    }
)
_MOST_CHANGES: Final = 60
"""Of one submission."""
_MOST_NAMES: Final = 12


@dataclass(frozen=True, slots=True)
class ShiftView:
    name: Text
    share_before: str
    share_after: str
    standing_before: StandingView
    standing_after: StandingView
    place_before: str
    place_after: str
    crosses: bool


@dataclass(frozen=True, slots=True)
class ChangeView:
    check: Text
    before: str
    before_mark: str
    after: str
    after_mark: str
    points: str


@dataclass(frozen=True, slots=True)
class DifferenceView:
    """One submission graded again; `summary` says in a few words what became of it."""

    name: Text
    challenge: Text
    summary: str
    causes: tuple[str, ...]
    changes: tuple[ChangeView, ...]
    added: Text
    removed: Text
    note: str


def render_regrade(
    cohort: Cohort,
    reason: str,
    by: str,
    at: str,
    differences: Sequence[Difference],
    shifts: Sequence[Shift],
    accepted: str | None,
) -> str:
    """Render the page. `accepted` says by whom and when it was accepted; None where nobody has."""
    moved = sorted((each for each in shifts if _moves(each)), key=lambda each: not each.crosses)
    changed = [each for each in differences if each.changes or each.added or each.removed or each.before is None]

    def make(room: Room) -> str:
        return rendered(
            "regrade.html.j2",
            ("report.css", "cohort.css"),
            cohort=shown(cohort.name, 240),
            assessment=shown(cohort.assessment.title, 120),
            reason=shown(reason, 1_000),
            by=shown(by, 120),
            at=shown(wording.moment(at), 60),
            accepted=shown(accepted, 200) if accepted is not None else None,
            verdict=_verdict(shifts),
            told=_told(len(differences), len(changed), len(moved)),
            shifts=tuple(map(_shift, moved[: room.rows])),
            shifts_note=left_out(len(moved) - room.rows, "candidate"),
            differences=tuple(_difference(each) for each in changed[: room.rows]),
            differences_note=left_out(len(changed) - room.rows, "submission"),
        )

    return fitted(make, max(len(moved), len(changed)))


def _moves(shift: Shift) -> bool:
    return shift.crosses or shift.share_before != shift.share_after or shift.place_before != shift.place_after


def _verdict(shifts: Sequence[Shift]) -> str:
    crossing = sum(each.crosses for each in shifts)
    if not crossing:
        return "Nobody's standing changes."
    verb = "changes" if crossing == 1 else "change"
    return f"{crossing:,} of {wording.count(len(shifts), 'standing')} {verb}."


def _told(graded: int, changed: int, moved: int) -> str:
    return (
        f"{wording.count(graded, 'submission')} graded again: {changed:,} with another outcome. "
        f"{wording.count(moved, 'candidate')} with another share or place."
    )


def _shift(of: Shift) -> ShiftView:
    return ShiftView(
        name=name_of(of.candidate),
        share_before=share_range(of.share_before),
        share_after=share_range(of.share_after),
        standing_before=STANDINGS[of.standing_before],
        standing_after=STANDINGS[of.standing_after],
        place_before=places(*of.place_before),
        place_after=places(*of.place_after),
        crosses=of.crosses,
    )


def _difference(of: Difference) -> DifferenceView:
    after = wording.percent(of.after.points.share)
    before = (
        f"{wording.percent(of.before.points.share)} before, {after} now" if of.before else f"first grading: {after}"
    )
    return DifferenceView(
        name=name_of(of.candidate),
        challenge=shown(of.after.challenge.title, 120) if of.after.challenge.title else shown(of.challenge, 60),
        summary=f"{before}, {wording.count(len(of.changes), 'check')} changed",
        causes=tuple(_CAUSES[each] for each in of.causes),
        changes=tuple(map(_change, of.changes[:_MOST_CHANGES])),
        added=_names(of.added),
        removed=_names(of.removed),
        note=left_out(len(of.changes) - _MOST_CHANGES, "check"),
    )


def _change(of: Change) -> ChangeView:
    return ChangeView(
        check=shown(of.check, 80),
        before=of.before.value,
        before_mark=MARKS[of.before],
        after=of.after.value,
        after_mark=MARKS[of.after],
        points=f"{wording.points(of.points_before)} \u2192 {wording.points(of.points_after)}",
    )


def _names(checks: Sequence[str]) -> Text:
    more = len(checks) - _MOST_NAMES
    return shown(", ".join(checks[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else ""), 800)
