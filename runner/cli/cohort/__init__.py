"""`assay cohort`: one file a group of verbs, no logic."""

from typing import Final

from runner.cli.lazy import LazyGroup

_HERE: Final = "runner.cli.cohort"
_VERBS: Final = {
    "new": (f"{_HERE}.new", "new", "Make a cohort of an assessment."),
    "add": (f"{_HERE}.add", "add", "Take submissions in, from a folder or a CSV; print receipts."),
    "run": (f"{_HERE}.run", "run", "Grade what waits."),
    "status": (f"{_HERE}.run", "status", "Say how cohorts stand."),
    "resume": (f"{_HERE}.run", "resume", "Go on, and try again what waits for you."),
    "regrade": (f"{_HERE}.regrade", "regrade", "Grade again beside the old, see the difference, accept or drop it."),
    "report": (f"{_HERE}.pages", "report", "Make the pages to decide from."),
    "compare": (f"{_HERE}.pages", "compare", "Set two or three candidates side by side."),
    "similar": (f"{_HERE}.pages", "similar_code", "List whose code is alike; show two side by side."),
    "export": (f"{_HERE}.pages", "export", "Export as JSON, CSV, JUnit XML, or signed scorecards."),
    "mark": (f"{_HERE}.people", "mark", "Put a person's marks beside the scores."),
    "feedback": (f"{_HERE}.people", "feedback", "Write each candidate's page."),
    "close": (f"{_HERE}.decide", "close", "Let nothing be handed in any more."),
    "purge": (f"{_HERE}.decide", "purge", "Remove everything that was handed in, and every score."),
}

command = LazyGroup(
    name="cohort",
    help="Grade a cohort: take submissions in, run, resume, grade again, and decide from its pages.",
    commands_in=_VERBS,
)
