"""What can be said of a challenge without running a submission: its files, its table of solutions, its checks."""

import contextlib
from collections.abc import Iterable

from assessments.challenge import Challenge
from assessments.errors import AssayError
from graders import wire
from runner.certify.judged import judged
from runner.certify.kit import kit_contents
from runner.certify.leaks import leaks
from runner.certify.solutions import read_solutions
from runner.certify.verify import idle_checks
from runner.challenge_files import challenge_digest
from runner.nursery import Nursery
from runner.session import assignment

_MIN_BRIEF_BYTES = 400


def lint(challenge: Challenge, nursery: Nursery) -> tuple[str, ...]:
    """Every problem found; none means that `verify` is worth its time."""
    files = (*lint_files(challenge), *_solutions(challenge))
    return (*files, *_hidden_tests(challenge, nursery), *judged(challenge, nursery).problems)


def lint_files(challenge: Challenge) -> tuple[str, ...]:
    """What is wrong with what a candidate reads and gets."""
    return (*_brief(challenge), *_kit(challenge), *leaks(challenge))


def _brief(challenge: Challenge) -> Iterable[str]:
    brief = challenge.folder / "brief.md"
    text = brief.read_text("utf-8", "replace")
    if len(text) < _MIN_BRIEF_BYTES:
        yield f"{brief}: is shorter than {_MIN_BRIEF_BYTES} characters; say what is wanted and how it is graded"
    for skill in challenge.skills:
        if skill.replace("-", " ") not in text.lower().replace("-", " "):
            yield f"{brief}: does not mention the skill '{skill}'; say how it is weighed"


def _kit(challenge: Challenge) -> Iterable[str]:
    try:
        contents = kit_contents(challenge)
    except AssayError as error:
        return error.problems
    missing = [name for name in challenge.entry.required_files if f"starter/{name}" not in contents]
    return [f"{challenge.folder / 'starter'}: has no {name}, which every submission needs" for name in missing]


def _solutions(challenge: Challenge) -> Iterable[str]:
    try:
        solutions = read_solutions(challenge)
    except AssayError as error:
        return error.problems
    idle = idle_checks(challenge, solutions)
    return [f"{challenge.folder / 'solutions'}: no broken or slow solution must fail '{check}'" for check in idle]


def _hidden_tests(challenge: Challenge, nursery: Nursery) -> Iterable[str]:
    """Whether the tests declare exactly the manifest's checks: asked of a grader, since only pytest knows."""
    try:
        with contextlib.closing(nursery.grader(challenge.folder, challenge_digest(challenge.folder))) as grader:
            wire.send(grader.wire, assignment(challenge, seed=0, only_collect=True))
            answer = wire.receive_from_grader(grader.wire)
    except wire.WireError as error:
        return (f"{challenge.folder / 'hidden_tests'}: could not be collected: {error}",)
    if isinstance(answer, wire.Collected):
        return answer.problems
    problem = answer.problem if isinstance(answer, wire.Finished) else "a sandbox was asked for while collecting"
    return (f"{challenge.folder / 'hidden_tests'}: could not be collected: {problem}",)
