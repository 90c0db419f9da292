"""Made-up cohorts for the tests of their pages: a realistic one of fourteen, a large one, and hostile ones."""

import random
from dataclasses import replace
from pathlib import Path

from assessments.assessment import Assessment, Feedback, Part, PassMark
from assessments.cohort import AttemptState, Cohort, CohortSubmission, Mark, PinnedChallenge, candidates
from assessments.outcome import Fault, Outcome
from assessments.scorecard import ChallengeRef, Points, SkillScore, Status
from assessments.scorecard_summary import CheckFigure, ScorecardSummary
from assessments.submission import Digest
from runner.insights.attention import Concern, ConcernKind
from runner.insights.estimates import Estimate
from runner.insights.items import ChallengeStatistics, CheckConcern, CheckStatistics
from runner.insights.ranking import Ranked
from runner.insights.similarity import Pair
from runner.reports.cohort.content import CohortContent

ATTACK = (
    "<script>alert(1)</script>\"'><img src=https://evil.invalid/x onerror=alert(2)></style></table>"
    "<a href=javascript:alert(3)>x</a>{{7*7}}\u202e"
)
NAMES = (
    "Ada Lovelace", "Bashir Haddad", "Chen Wei", "Dagny Lindqvist", "Emeka Okafor", "Fatima Zahra El Idrissi",
    "Grace Hopper", "Hideo Tanaka", "Ines Carvalho", "Jakub Nowak", "Kwame Mensah", "Leila Farouk",
    "Mateus Oliveira dos Santos Albuquerque", "Nora Byrne",
)  # fmt: skip
CHALLENGES = {
    "inference-api": ("Serve a trained model", ("correctness", "robustness", "api-design", "performance")),
    "model-monitoring": ("Watch a model in production", ("instrumentation", "drift-detection", "alerting")),
    "fix-data-pipeline": ("Mend a data pipeline", ("correctness", "data-quality", "privacy", "performance")),
}
NONE = Digest("0" * 64)
MADE_AT = "2026-11-26T09:30:00Z"


def assessment(weights=None):
    weights = weights or {"inference-api": 2, "model-monitoring": 2, "fix-data-pipeline": 1}
    return Assessment(
        path=Path("machine-learning-engineer.toml"),
        id="machine-learning-engineer",
        version="1.0.0",
        title="Machine learning engineer",
        summary="Puts trained models into production.",
        window_hours=120,
        attempts=3,
        pass_mark=PassMark(0.7, 0.04),
        feedback=Feedback.PAGE,
        parts=tuple(Part(name, weight) for name, weight in weights.items()),
        skill_weights={"correctness": 1.5},
    )


def cohort(**changes):
    pinned = tuple(PinnedChallenge(name, "1.0.0", NONE) for name in CHALLENGES)
    made = Cohort("Winter 2026, Berlin", assessment(), pinned, "2026-11-09T08:00:00Z", "2026-11-24T20:00:00Z", True)
    return replace(made, **changes)


def figure(check, skill, outcome=Outcome.PASSED, points=4.0, ratio=None, limit=None):
    outcome = Outcome(outcome)
    fault = {Outcome.FAILED: Fault.WRONG_ANSWER, Outcome.ERRORED: Fault.ENGINE_FAILED}.get(outcome)
    earned = points if outcome is Outcome.PASSED else 0.0
    return CheckFigure(check, skill, points, earned, outcome, fault, 0.31, ratio, limit)


def card(candidate, challenge, figures, title=None, **changes):
    """A summary whose points, skills and status follow from its figures."""
    undecided = {Outcome.ERRORED, Outcome.INCONCLUSIVE}
    made = ScorecardSummary(
        id=f"{candidate}-{challenge}",
        graded_at="2026-11-25T10:00:00Z",
        candidate=candidate,
        challenge=ChallengeRef(challenge, "1.0.0", title or CHALLENGES[challenge][0], NONE, 0.6),
        submission=NONE,
        tree=NONE,
        environment=NONE,
        engine="bubblewrap",
        unenforced=(),
        host=NONE,
        seed=20261123,
        status=Status.INCOMPLETE if any(each.outcome in undecided for each in figures) else Status.COMPLETE,
        points=_points(figures),
        skills=tuple(
            SkillScore(skill, _points(mine), sum(each.outcome is Outcome.PASSED for each in mine), len(mine))
            for skill in dict.fromkeys(each.skill for each in figures)
            if (mine := [each for each in figures if each.skill == skill])
        ),
        checks=tuple(figures),
        seconds=212.0,
    )
    return replace(made, **changes)


def _points(figures):
    undecided = {Outcome.ERRORED, Outcome.INCONCLUSIVE}
    return Points(
        sum(each.earned for each in figures),
        sum(each.points for each in figures if each.outcome in undecided),
        sum(each.points for each in figures),
    )


def figures_of(challenge, able, dice, checks=14):
    """So many checks, each passed the likelier the abler the candidate is; the last two are budgets."""
    skills = CHALLENGES[challenge][1]
    for at in range(checks - 2):
        passed = dice.random() < min(max(able + 0.25 - 0.5 * at / checks, 0.02), 0.99)
        yield figure(
            f"{skills[at % len(skills)]}-holds-{at + 1}", skills[at % len(skills)], "passed" if passed else "failed"
        )
    for name, limit in (("p95-under-load", 1.5), ("memory-under-load", 2.0)):
        ratio = limit * dice.lognormvariate(0.45 - able * 0.9, 0.25)
        outcome = "inconclusive" if 0.97 < ratio / limit < 1.03 else "passed" if ratio <= limit else "failed"
        yield figure(name, skills[-1], outcome, 5.0, ratio, limit)


def submission(number, who, challenge, summary=None, state=None, problem=""):
    state = state or (AttemptState.ENDED if summary else AttemptState.WAITING)
    return CohortSubmission(
        number, who, challenge, NONE, "2026-11-20T10:00:00Z", f"{who}.zip", AttemptState(state), problem, summary
    )


def people(names=NAMES, seed=7, checks=14, **changes):
    """Candidates of very different ability: one is held, one handed in one challenge less, one came twice."""
    dice = random.Random(seed)
    submissions, marks = [], []
    for at, name in enumerate(names):
        able = 0.98 - 0.75 * at / max(len(names) - 1, 1)
        for place, challenge in enumerate(CHALLENGES):
            number = len(submissions) + 1
            summary = card(name, challenge, list(figures_of(challenge, able, dice, checks)), **changes)
            if at == 4 and place == 1:
                submissions.append(submission(number, name, challenge, state="held", problem="the disk was full"))
            elif at != 10 or place != 2:
                submissions.append(submission(number, name, challenge, summary))
            if at == 2 and place == 0:
                submissions.append(submission(number + 1, name, challenge, summary))
        if at % 4 == 0:
            marks.append(Mark(name, "clarity", 4.0, 5.0, "Reads well.", "Eve", MADE_AT))
            marks.append(Mark(name, "choice of tests", 3.0, 5.0, "Thin on errors.", "Eve", MADE_AT))
    return candidates(assessment(), submissions, marks)


def ranked(found):
    """Places as ranges: who is within two points of a hundred of somebody shares a range with them."""
    best_first = sorted(found, key=lambda each: -each.result.share.low)
    lows = [each.result.share.low for each in best_first]
    return tuple(
        Ranked(
            each,
            1 + sum(low > each.result.share.high + 0.02 for low in lows),
            sum(low >= each.result.share.low - 0.02 for low in lows),
        )
        for each in best_first
    )


def statistics(found, few=False):
    """Of each challenge, from the candidates; figures of the checks are simple ones."""
    return tuple(_statistics(challenge, found, few) for challenge in CHALLENGES)


def _statistics(challenge, found, few):
    cards = [each.submissions[challenge].scorecard for each in found if challenge in each.submissions]
    cards = [each for each in cards if each]
    checks = []
    for at, shape in enumerate(cards[0].checks if cards else ()):
        outcomes = [each.checks[at].outcome for each in cards]
        counts = {outcome: outcomes.count(outcome) for outcome in Outcome}
        share = counts[Outcome.PASSED] / len(outcomes)
        concerns = [CheckConcern.ALWAYS_PASSED] if share == 1 else []
        concerns += [CheckConcern.NEVER_PASSED] if share == 0 else []
        concerns += [CheckConcern.FLAKY] if at == 5 else []
        checks.append(
            CheckStatistics(
                shape.check,
                shape.skill,
                shape.points,
                shape.limit is not None,
                len(cards),
                counts[Outcome.PASSED],
                counts[Outcome.FAILED],
                counts[Outcome.INCONCLUSIVE],
                counts[Outcome.ERRORED],
                None if few else Estimate(share, max(share - 0.2, 0), min(share + 0.18, 1)),
                None if few else 0.8 - 0.09 * at,
                0.31,
                1.84,
                tuple(concerns),
            )
        )
    alpha = None if few else Estimate(0.83, 0.71, 0.9)
    mean = sum(each.points.share for each in cards) / max(len(cards), 1)
    return ChallengeStatistics(challenge, CHALLENGES[challenge][0], len(cards), tuple(checks), alpha, mean, 212, 388.4)


def concerns(names=NAMES):
    alike = f"81% of its own code is also {names[11]}'s, in 9 places."
    return (
        Concern(ConcernKind.HELD, names[4], "model-monitoring", "Grading stopped three times: the disk was full."),
        Concern(ConcernKind.SIMILAR, names[8], "inference-api", alike),
        Concern(ConcernKind.TOO_CLOSE, names[5], None, "The share is within the band of doubt around the mark."),
    )


def content(found=None, **changes):
    """A cohort's content, realistic unless told otherwise."""
    found = people() if found is None else found
    made = CohortContent(
        cohort=cohort(),
        candidates=found,
        ranking=ranked(found),
        concerns=concerns(),
        statistics=statistics(found),
        pairs={"inference-api": (Pair(NAMES[8], NAMES[11], 0.813, 212), Pair(NAMES[2], NAMES[3], 0.44, 61))},
        links={
            part.scorecard: f"reports/2026-11-25-{number:08x}.html"
            for number, part in enumerate(part for each in found for part in each.result.parts if part.scorecard)
        },
        side_by_side={("inference-api", Pair(NAMES[8], NAMES[11], 0.813, 212)): "alike/0123456789abcdef.html"},
        made_at=MADE_AT,
        regrades_open=0,
    )
    return replace(made, **changes)


def large(number=1_000, checks=40, suffix=""):
    """So many candidates with three challenges of so many checks each."""
    names = [f"Candidate {at:04} of a long list{suffix}" for at in range(number)]
    found = people(names, checks=checks)
    pairs = {name: tuple(Pair(names[at], names[at + 1], 0.9, 40) for at in range(300)) for name in CHALLENGES}
    close = tuple(Concern(ConcernKind.TOO_CLOSE, name, None, "Within the band of doubt.") for name in names[:400])
    return content(found, pairs=pairs, concerns=close)


def hostile(text=ATTACK):
    """A cohort in which `text` stands wherever a candidate, a person or a challenge can put it."""
    found = []
    for at in range(3):
        name = f"{text}{at}"
        submissions = [
            submission(
                place + 1,
                name,
                challenge,
                card(name, challenge, [figure(text, text, "passed" if at else "failed", 4.0, 1.2, 1.0)], title=text),
            )
            for place, challenge in enumerate(CHALLENGES)
        ]
        found += candidates(assessment(), submissions, [Mark(name, text, 1.0, 5.0, text, text, MADE_AT)])
    names = [each.name for each in found]
    check = CheckStatistics(text, text, 1.0, True, 3, 1, 1, 1, 0, None, None, 0.1, 0.2, tuple(CheckConcern))
    whole = assessment()
    return content(
        tuple(found),
        cohort=cohort(name=text, assessment=replace(whole, title=text, version=text)),
        concerns=tuple(Concern(kind, names[0], text, text) for kind in ConcernKind),
        statistics=tuple(ChallengeStatistics(name, text, 3, (check,), None, 0.5, 1, 2) for name in CHALLENGES),
        pairs={"inference-api": (Pair(names[0], names[1], 1.0, 10), Pair(text, names[2], 1.0, 10))},
        links={part.scorecard: "javascript:alert(9)" for each in found for part in each.result.parts},
        made_at=text,
        regrades_open=2,
    )
