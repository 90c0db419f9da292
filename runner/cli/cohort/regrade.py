"""`assay cohort regrade`: grade again, see the difference, accept or drop it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from rich import box
from rich.table import Table
from rich.text import Text

from assessments.errors import ExitCode, UsageError
from assessments.outcome import Outcome
from runner.cli.cohort.grading import How, grade_waiting, how
from runner.cli.cohort.shared import NAME, challenges_of, kept_cohort
from runner.cli.screen import data_console, say
from runner.cohort.regrade import Compared, Wanted, accept, compare, drop, order_regrade
from runner.reports.cohort.regrade import render_regrade
from runner.reports.text import shown
from runner.reports.wording import count, moment, percent
from runner.state_folder import default_state
from runner.store import regrades
from runner.store.attempts import Counts
from runner.store.audit import doing_now
from runner.store.cohorts import Kept
from runner.store.regrades import Decision, Regrade
from runner.store.store import Store, open_store

_ROWS = 40


@click.command("regrade")
@NAME
@click.option("--reason", help="Why; it stays in the audit log and on the pages.")
@click.option("-c", "--challenge", "only_challenges", multiple=True, help="Only submissions of this challenge.")
@click.option("--candidate", "only_candidates", multiple=True, help="Only this candidate's submissions.")
@click.option("--check", "only_checks", multiple=True, help="Only submissions of challenges with this check.")
@click.option(
    "--outcome",
    "only_outcomes",
    multiple=True,
    type=click.Choice([outcome.value for outcome in Outcome]),
    help="Only submissions with such an outcome.",
)
@click.option("--fresh-seeds", is_flag=True, help="Grade with new hidden data. [default: the same as before]")
@click.option("--show", "show_id", type=int, help="Show what came of this regrade.")
@click.option("--accept", "accept_id", type=int, help="Let this regrade's scorecards count from now on.")
@click.option("--drop", "drop_id", type=int, help="Leave everything as it is; this regrade's scorecards never count.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write the difference as a page, too.")
@how
def regrade(
    name: str,
    reason: str | None,
    only_challenges: Sequence[str],
    only_candidates: Sequence[str],
    only_checks: Sequence[str],
    only_outcomes: Sequence[str],
    fresh_seeds: bool,
    show_id: int | None,
    accept_id: int | None,
    drop_id: int | None,
    page: Path | None,
    how: How,
) -> None:
    """Grade submissions of the cohort NAME again, beside the old scorecards, and show the difference.

    Nothing takes effect until --accept. The challenges are taken as they are now.
    """
    chosen = [one for one in (show_id, accept_id, drop_id) if one is not None]
    if len(chosen) + (reason is not None) != 1:
        raise UsageError("give one of --reason (to order a regrade), --show, --accept or --drop")
    wanted = Wanted(
        only_challenges, only_candidates, only_checks, tuple(map(Outcome, only_outcomes)), fresh_seeds=fresh_seeds
    )
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        if reason is not None:
            ordered = order_regrade(store, kept, wanted, challenges_of(kept, how.challenges), reason, doing_now())
            counts = grade_waiting(store, kept, how, ordered)
        else:
            with store.database.reading() as connection:
                ordered = regrades.find(connection, kept, chosen[0])
            counts = Counts()
        compared = compare(store, kept, ordered)
        if accept_id is not None:
            accept(store, kept, ordered, doing_now())
        if drop_id is not None:
            drop(store, kept, ordered, doing_now())
        ordered = _as_it_is(store, kept, ordered)
    if page:
        page.write_text(_page(kept, ordered, compared), "utf-8")
    _print(kept, ordered, compared, as_json=how.as_json)
    if counts.open or counts.held:
        sys.exit(ExitCode.INTERRUPTED if counts.open else ExitCode.INFRASTRUCTURE)


def _as_it_is(store: Store, kept: Kept, ordered: Regrade) -> Regrade:
    with store.database.reading() as connection:
        return regrades.find(connection, kept, ordered.id)


def _page(kept: Kept, ordered: Regrade, compared: Compared) -> str:
    accepted = ordered.decision is Decision.ACCEPTED
    decision = f"{ordered.decided_by} on {moment(ordered.decided_at or '')}" if accepted else None
    return render_regrade(
        kept.cohort, ordered.reason, ordered.by, ordered.at, compared.differences, compared.shifts, decision
    )


def _print(kept: Kept, ordered: Regrade, compared: Compared, *, as_json: bool) -> None:
    changed = [one for one in compared.differences if one.changes or one.added or one.removed]
    if as_json:
        print(json.dumps(_document(ordered, compared)))
    else:
        _print_changes(compared)
    crossing = sum(shift.crosses for shift in compared.shifts)
    say(
        f"regrade {ordered.id}: {len(changed)} of {count(len(compared.differences), 'submission')} came out otherwise; "
        f"{count(len(compared.shifts), 'candidate')} would move, {crossing} across the pass mark"
    )
    if compared.missing:
        say(f"{count(compared.missing, 'grading')} not done yet; go on with: assay cohort resume {kept.cohort.name}")
    elif ordered.decision:
        say(f"regrade {ordered.id} is {ordered.decision}")
    else:
        say(f"nothing has taken effect; decide with: assay cohort regrade {kept.cohort.name} --accept {ordered.id}")


def _print_changes(compared: Compared) -> None:
    table = Table("candidate", "challenge", "check", "before", "after", "points", "differs in", box=box.SIMPLE_HEAD)
    rows = [(one, change) for one in compared.differences for change in one.changes]
    for one, change in rows[:_ROWS]:
        points = f"{change.points_before:g} to {change.points_after:g}"
        causes = ", ".join(one.causes)
        name = Text(shown(one.candidate, 60).text)
        table.add_row(name, one.challenge, change.check, str(change.before), str(change.after), points, causes)
    console = data_console()
    if rows:
        console.print(table)
    if len(rows) > _ROWS:
        console.print(f"and {len(rows) - _ROWS:,} more: see them all with --page or --json")
    for shift in compared.shifts[:_ROWS]:
        before, after = (_range(each.low, each.high) for each in (shift.share_before, shift.share_after))
        standing = f"{shift.standing_before} to {shift.standing_after}" if shift.crosses else shift.standing_after
        console.print(Text(f"{shown(shift.candidate, 60).text}: {before} to {after}, {standing}"), soft_wrap=True)


def _range(low: float, high: float) -> str:
    return percent(low) if high - low < 1e-9 else f"{percent(low)}-{percent(high)}"


def _document(ordered: Regrade, compared: Compared) -> dict[str, object]:
    return {
        "regrade": ordered.id,
        "reason": ordered.reason,
        "decision": ordered.decision,
        "missing": compared.missing,
        "changes": [
            {
                "candidate": one.candidate,
                "challenge": one.challenge,
                "check": change.check,
                "before": change.before,
                "after": change.after,
                "points_before": change.points_before,
                "points_after": change.points_after,
                "differs_in": list(one.causes),
            }
            for one in compared.differences
            for change in one.changes
        ],
        "moved": [
            {
                "candidate": shift.candidate,
                "share_before": [shift.share_before.low, shift.share_before.high],
                "share_after": [shift.share_after.low, shift.share_after.high],
                "standing_before": shift.standing_before,
                "standing_after": shift.standing_after,
            }
            for shift in compared.shifts
        ],
    }
