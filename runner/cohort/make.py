"""A new cohort: an assessment, and the exact files of its challenges."""

import re
from pathlib import Path

from assessments.assessment import Assessment
from assessments.assessment_lint import assessment_problems
from assessments.errors import InvalidAssessment, InvalidChallenge, UsageError
from runner import assessment_files
from runner.certify.certificate import warning
from runner.challenge_files import author_files
from runner.cohort.held_to import pin
from runner.intake import pack
from runner.store import cohorts
from runner.store.audit import Doing
from runner.store.cohorts import Kept, NewCohort
from runner.store.store import Store

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def make_cohort(
    store: Store,
    name: str,
    assessment: Assessment,
    doing: Doing,
    *,
    challenges: Path | None = None,
    seed: int | None = None,
    uncertified_allowed: bool = False,
) -> Kept:
    """Make a cohort. Raises UsageError, InvalidAssessment, and InvalidChallenge for one without a certificate."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' is no name for a cohort: use letters, digits, '.', '_' and '-', 80 at most")
    found = assessment_files.challenges_of(assessment, challenges)
    missing = [part.challenge for part in assessment.parts if part.challenge not in found]
    if missing:
        raise InvalidAssessment(f"{assessment.path}: there is no challenge '{name}' here" for name in missing)
    parts = [found[part.challenge] for part in assessment.parts]
    doubts = [
        *(f"{assessment.path}: {problem}" for problem in assessment_problems(assessment, found)),
        *(doubt for challenge in parts if (doubt := warning(challenge))),
    ]
    if doubts and not uncertified_allowed:
        otherwise = "with --allow-uncertified the cohort is made all the same, and its page says so"
        raise InvalidChallenge([*doubts, otherwise])
    packed = {one.id: pack(author_files(one.folder / "starter")) for one in parts}
    starters = {challenge: store.artefacts.put(content) for challenge, content in packed.items()}
    new = NewCohort(name, assessment, [pin(one) for one in parts], starters, certified=not doubts, seed=seed)
    with store.database.writing() as connection:
        kept = cohorts.make(connection, new, doing)
        for content in packed.values():  # a purge may have removed one since it was put: from here on it cannot
            store.artefacts.put(content)
    return kept
