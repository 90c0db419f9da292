"""`assay cohort`: one file a group of verbs, no logic."""

import rich_click as click

from runner.cli.cohort import add, decide, new, pages, people, regrade, run

COMMANDS = (
    new.new,
    add.add,
    run.run,
    run.resume,
    run.status,
    regrade.regrade,
    pages.report,
    pages.compare,
    pages.similar_code,
    pages.export,
    people.mark,
    people.feedback,
    decide.close,
    decide.purge,
)


@click.group("cohort")
def command() -> None:
    """Grade a cohort: take submissions in, run, resume, grade again, and decide from its pages."""


for each in COMMANDS:
    command.add_command(each)
