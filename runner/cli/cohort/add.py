"""`assay cohort add` takes submissions in."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click

from assessments.errors import AssayError, ExitCode
from runner.cli import options
from runner.cli.cohort.shared import NAME, challenges_of, kept_cohort
from runner.cli.screen import print_problems, say
from runner.cohort.add import Added, look_at, require_all, require_open
from runner.cohort.add import add as add_one
from runner.reports.wording import count
from runner.results import slug
from runner.state_folder import default_state
from runner.store.audit import doing_now
from runner.store.store import open_store
from runner.submissions_file import read_submissions


@click.command("add")
@NAME
@click.argument("path", type=click.Path(path_type=Path))
@click.option("-c", "--challenge", help="What all of a folder's submissions are of: its names are then candidates.")
@click.option("--dry-run", is_flag=True, help="Say everything that is wrong, and take nothing in.")
@click.option("--skip-refused", is_flag=True, help="Take in what can be, also where something else cannot.")
@click.option(
    "--receipts", type=click.Path(file_okay=False, path_type=Path), help="Write receipts into this folder, too."
)
@options.challenges
def add(
    name: str,
    path: Path,
    challenge: str | None,
    dry_run: bool,
    skip_refused: bool,
    receipts: Path | None,
    challenges: Path | None,
) -> None:
    """Hand in submissions: PATH is a folder, or a CSV of candidate, challenge and path.

    A folder holds <candidate>/<challenge>.zip (or .tar, .tar.gz, or a folder); with --challenge, <candidate>.zip. A
    submission is on disk and recorded before its receipt is printed. What was handed in before is not taken twice, so
    the same command can be run again after whatever stopped it.
    """
    with open_store(default_state()) as store:
        kept = kept_cohort(store, name)
        require_open(kept)
        found = challenges_of(kept, challenges)
        listed = read_submissions(path, tuple(found), challenge=challenge, say=say)
        refused = look_at(listed, found)
        if not skip_refused or dry_run:
            require_all(refused)
        if dry_run:
            say(f"{count(len(listed), 'submission')}: nothing is wrong with them. Nothing was taken in.")
            return
        skipped = {id(one.listed) for one in refused}
        added: list[Added] = []
        problems: list[str] = []
        worst = ExitCode.INVALID if refused else ExitCode.DONE
        for one in listed:
            if id(one) in skipped:
                continue
            try:
                added.append(add_one(store, kept, one, found[one.challenge], doing_now()))
            except AssayError as error:
                problems += [f"{one.where}: {problem}" for problem in error.problems]
                worst = max(worst, error.exit_code)
                if error.exit_code == ExitCode.INFRASTRUCTURE:
                    break
                continue
            _receipt(added[-1], receipts)
    problems += [f"{one.listed.where}: {problem}" for one in refused for problem in one.problems]
    again = sum(one.again for one in added)
    already = f", {again} of them here before" if again else ""
    say(f"{count(len(added), 'submission')} taken in{already}. Grade with: assay cohort run {name}")
    _end(problems, worst)


def _receipt(added: Added, folder: Path | None) -> None:
    print(added.receipt, flush=True)
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        # Two labels may come to the same slug, and one candidate may hand in twice: each has a receipt of its own.
        own = hashlib.sha256(added.receipt.encode("ascii")).hexdigest()[:8]
        (folder / f"{slug(added.listed.candidate)}-{added.listed.challenge}-{own}.json").write_text(
            added.receipt + "\n"
        )


def _end(problems: Sequence[str], code: ExitCode) -> None:
    print_problems(problems)
    if problems:
        sys.exit(code)
