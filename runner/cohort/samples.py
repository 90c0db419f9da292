"""A small cohort of sample solutions over every challenge that ships: what a newcomer sees of a cohort."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.challenge import Challenge
from assessments.errors import UsageError
from runner import catalogue
from runner.bench import Bench
from runner.certify.solutions import read_solutions
from runner.cohort.add import add
from runner.cohort.make import make_cohort
from runner.cohort.run import Stop, Tell, Work, run
from runner.intake import write_tree
from runner.store.audit import doing_now
from runner.store.cohorts import Kept
from runner.store.store import Store
from runner.submissions_file import Listed

CHALLENGES: Final = ("model-monitoring", "inference-api", "rag-service", "fix-data-pipeline")
"""Those that take longest come first, so that lanes are busy to the end."""
CANDIDATES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "ada": dict.fromkeys(CHALLENGES, "accepted/reference"),
        "ben": {
            "inference-api": "broken/honest-attempt",
            "rag-service": "broken/honest-attempt",
            "model-monitoring": "broken/odd-parcels-refused",
            "fix-data-pipeline": "broken/currencies-not-converted",
        },
        "cleo": {
            "inference-api": "accepted/flask-waitress",
            "rag-service": "accepted/flask-waitress",
            "fix-data-pipeline": "broken/label-leaks",
        },
        "dora": {"inference-api": "accepted/flask-waitress"},
        "mallory": {
            "inference-api": "cheat/forged-report",
            "rag-service": "cheat/forged-report",
            "fix-data-pipeline": "cheat/forged-report",
        },
    }
)
"""Who hands in what: all right, mended in part, one challenge short, somebody else's bytes, and a forgery."""
SUBMISSIONS: Final = sum(map(len, CANDIDATES.values()))
_NAME: Final = "demo"


def sample_cohort(store: Store, scratch: Path) -> tuple[Kept, Mapping[str, Challenge]]:
    """Make the cohort and hand everything in. Raises UsageError where a sample solution is missing."""
    challenges = {name: catalogue.find(name, None) for name in CHALLENGES}
    kept = make_cohort(store, _NAME, _assessment(), doing_now(), uncertified_allowed=True)
    for name, challenge in challenges.items():
        solutions = {one.label: one for one in read_solutions(challenge)}
        for candidate, handed_in in CANDIDATES.items():
            if name not in handed_in:
                continue
            if handed_in[name] not in solutions:
                raise UsageError(f"{name} has no sample solution {handed_in[name]}")
            folder = scratch / candidate / name
            folder.mkdir(parents=True)
            write_tree(solutions[handed_in[name]].contents, folder)
            add(store, kept, Listed(candidate, name, folder, None, str(folder)), challenge, doing_now())
    return kept, challenges


def grade_samples(
    store: Store, bench: Bench, kept: Kept, challenges: Mapping[str, Challenge], lanes: int, tell: Tell
) -> None:
    """Grade them, but for the budgets: those would take a minute or two each."""
    run(store, bench, Work(kept, challenges, lanes, unenforced_allowed=True, measures=False), tell, Stop())


def _assessment() -> Assessment:
    return Assessment(
        path=Path(_NAME),
        id=_NAME,
        version="1.0.0",
        title="Every challenge that ships",
        summary="Sample solutions of all challenges, so that there is a cohort to look at.",
        window_hours=96,
        attempts=1,
        pass_mark=PassMark(0.7, 0.04),
        feedback=Feedback.PAGE,
        parts=tuple(Part(challenge, 1) for challenge in CHALLENGES),
        skill_weights={},
    )
