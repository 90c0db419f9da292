"""The page that says which challenge is about which skill, and by which checks: Markdown, from the manifests. Pure."""

from collections.abc import Iterator, Sequence

from assessments.challenge import Challenge
from assessments.check import Check
from runner.reports.wording import count, points


def skills_page(challenges: Sequence[Challenge]) -> str:
    """The whole page, ending with a line feed."""
    return "\n".join(_lines(sorted(challenges, key=lambda challenge: challenge.id))) + "\n"


def _lines(challenges: Sequence[Challenge]) -> Iterator[str]:
    yield "# Skills and challenges"
    yield ""
    yield "Which challenge is about which skill, and by which checks. This page is made from the manifests, by"
    yield "`make challenge-table`, and a test holds it to them."
    yield ""
    yield from _overview(challenges)
    for challenge in challenges:
        yield ""
        yield f"## {challenge.title}"
        yield ""
        passes = f"{challenge.pass_mark:.0%} of {points(challenge.points_possible)} points to pass"
        yield f"`{challenge.id}`, about {count(challenge.time_minutes, 'minute')}, {passes}. {challenge.summary}"
        yield ""
        yield from _checks(challenge)


def _overview(challenges: Sequence[Challenge]) -> Iterator[str]:
    """One row a skill, one column a challenge: points, and how many checks make them."""
    skills = sorted({skill for challenge in challenges for skill in challenge.skills})
    yield _row("skill", *(f"`{challenge.id}`" for challenge in challenges))
    yield _row(*["---"] * (len(challenges) + 1))
    for skill in skills:
        yield _row(skill, *(_cell(_of(challenge, skill)) for challenge in challenges))
    yield _row("all", *(_cell(challenge.checks) for challenge in challenges))


def _checks(challenge: Challenge) -> Iterator[str]:
    """One row a skill with its checks, each with its points."""
    yield _row("skill", "points", "checks")
    yield _row("---", "---", "---")
    for skill in challenge.skills:
        mine = _of(challenge, skill)
        named = ", ".join(
            f"{check.id} ({points(check.points)}{', measured' if check.budget else ''})" for check in mine
        )
        yield _row(skill, points(sum(check.points for check in mine)), named)


def _of(challenge: Challenge, skill: str) -> Sequence[Check]:
    return [check for check in challenge.checks if check.skill == skill]


def _cell(checks: Sequence[Check]) -> str:
    total = sum(check.points for check in checks)
    return f"{points(total)} ({count(len(checks), 'check')})" if checks else ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
