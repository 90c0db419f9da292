"""`assay cohort mark` and `feedback`: what people say of candidates, and what candidates are told."""

from pathlib import Path

import rich_click as click

from assessments.cohort import Mark
from assessments.errors import UsageError
from runner.cli.cohort.shared import NAME, kept_cohort
from runner.cli.screen import say
from runner.cohort.feedback import write_feedback
from runner.cohort.pages import named, standing_of
from runner.labels import label, label_problem
from runner.marks_file import LARGEST_MARK, NOTE_CHARACTERS, read_marks
from runner.reports.wording import count
from runner.state_folder import default_state
from runner.store import marks
from runner.store.audit import doing_now
from runner.store.store import open_store


@click.command("mark")
@NAME
@click.argument("candidate", required=False)
@click.option("--criterion", help="What of the rubric the mark is for.")
@click.option("--mark", "value", type=float, help="The mark; leave it out for a note alone.")
@click.option("--of", "out_of", type=float, help="The highest mark there is.")
@click.option("--note", default="", help="In words.")
@click.option("--file", "path", type=click.Path(dir_okay=False, path_type=Path), help="A CSV of many marks instead.")
def mark(
    name: str,
    candidate: str | None,
    criterion: str | None,
    value: float | None,
    out_of: float | None,
    note: str,
    path: Path | None,
) -> None:
    """Put your mark of CANDIDATE beside the automatic score, which it never changes.

    A file has the columns candidate, criterion, mark, out_of, note. Your later mark by a criterion replaces your
    earlier one on the pages; the log keeps both.
    """
    if (path is None) == (candidate is None):
        raise UsageError("give a candidate with --criterion, or --file")
    doing = doing_now()
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        standing = standing_of(store, kept)
        if path:
            given = read_marks(path, [one.name for one in standing.candidates], by=doing.by, at=doing.at)
        else:
            named(standing, [candidate or ""])
            given = (_mark(candidate or "", criterion, value, out_of, note, doing.by, doing.at),)
        with store.database.writing() as connection:
            kept_marks = marks.add(connection, kept, given, doing)
    say(f"{count(kept_marks, 'mark')} by {doing.by}")


def _mark(
    candidate: str, criterion: str | None, value: float | None, out_of: float | None, note: str, by: str, at: str
) -> Mark:
    if not criterion:
        raise UsageError("--criterion: say what the mark is for")
    if (value is None) != (out_of is None) or (value is None and not note):
        raise UsageError("give --mark with --of, or --note, or both")
    if wrong := label_problem(label(criterion)):
        raise UsageError(f"--criterion: {wrong}")
    if len(note) > NOTE_CHARACTERS:
        raise UsageError(f"--note: has {len(note):,} characters; {NOTE_CHARACTERS:,} are the most")
    if out_of is not None and not 0 < out_of <= LARGEST_MARK:
        raise UsageError(f"--of: {out_of:g} is not more than 0 and at most {LARGEST_MARK:,.0f}")
    if value is not None and out_of is not None and not 0 <= value <= out_of:
        raise UsageError(f"--mark: {value:g} is not between 0 and {out_of:g}")
    return Mark(candidate, label(criterion), value, out_of, note, by, at)


@click.command("feedback")
@NAME
@click.option(
    "-o", "--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder for the pages."
)
def feedback(name: str, out: Path) -> None:
    """Write each candidate's page of the cohort NAME: as much as its assessment says, and nothing hidden."""
    with open_store(default_state()) as store:
        written = write_feedback(store, kept_cohort(store, name), out)
    say(f"{out}: {count(written, 'page')}")
