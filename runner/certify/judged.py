"""Whether a challenge's judges accept and refuse what its `judge_data` says they must: asked of a grader."""

import contextlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assessments.challenge import Challenge
from graders import wire
from graders.checks.authored import JUDGES
from graders.checks.judge_data import ACCEPT, JUDGE_DATA, REFUSE, judge_files
from runner.challenge_files import challenge_digest
from runner.nursery import Nursery
from runner.session import assignment


@dataclass(frozen=True, slots=True)
class Judged:
    """How many answers each check's judge was tried on, and every wrong verdict."""

    answers: Mapping[str, Mapping[str, int]]
    """check -> {"accept": so many, "refuse": so many}"""
    problems: tuple[str, ...]


def judged(challenge: Challenge, nursery: Nursery) -> Judged:
    """Have a fresh grader try the judges. A challenge without judge_data and without judges is fine."""
    try:
        with contextlib.closing(nursery.grader(challenge.folder, challenge_digest(challenge.folder))) as grader:
            wire.send(grader.wire, assignment(challenge, seed=0, only_collect=True, tries_judges=True))
            while not isinstance(answer := wire.receive_from_grader(grader.wire), wire.Judged):
                if isinstance(answer, wire.Finished):
                    return Judged({}, (f"{challenge.folder / JUDGES}: could not be tried: {answer.problem}",))
    except wire.WireError as error:
        return Judged({}, (f"{challenge.folder / JUDGES}: could not be tried: {error}",))
    return compared(challenge, answer)


def compared(challenge: Challenge, said: wire.Judged) -> Judged:
    """What the judges said, held against the folders the answers stand in."""
    files = [path.relative_to(challenge.folder).parts for path in judge_files(challenge.folder)]
    counts = Counter((check, kind) for _, check, kind, _ in files)
    answers = {
        check: {kind: counts[check, kind] for kind in (ACCEPT, REFUSE)}
        for check in sorted({check for check, _ in counts})
    }
    return Judged(answers, (*_wrong(challenge, said), *_loose_ends(challenge, said, answers)))


def _wrong(challenge: Challenge, said: wire.Judged) -> Iterable[str]:
    if said.problem:
        yield f"{challenge.folder / JUDGES}: {said.problem}"
    for verdict in said.verdicts:
        path = challenge.folder / verdict.file
        if verdict.broke:
            yield f"{path}: the judge broke on it: {verdict.message}"
        elif verdict.accepts and path.parent.name == REFUSE:
            yield f"{path}: is accepted, and must be refused"
        elif not verdict.accepts and path.parent.name == ACCEPT:
            yield f"{path}: is refused, and must be accepted: {verdict.message}"


def _loose_ends(challenge: Challenge, said: wire.Judged, answers: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    """Judges that nothing tries, answers that nothing judges."""
    known = {str(check.id) for check in challenge.checks}
    judges = set(said.judges)
    folder = challenge.folder / JUDGE_DATA
    for check in sorted({*answers, *judges} - known):
        yield f"{folder / check}: '{check}' is no check of the manifest"
    for check in sorted(set(answers) & known - judges if not said.problem else ()):
        yield f"{folder / check}: make_judges in {JUDGES} has no judge for it; add one, or take the answers out"
    for check in sorted(judges & known):
        missing = [kind for kind in (ACCEPT, REFUSE) if not answers.get(check, {}).get(kind)]
        for kind in missing:
            yield f"{folder / check / kind}: holds no answer (*.json) to {kind}; a judge is tried on both kinds"
