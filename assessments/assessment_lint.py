"""Whether an assessment makes sense beside the challenges it is made of. Pure."""

from collections.abc import Iterator, Mapping

from assessments.assessment import Assessment, Part
from assessments.challenge import Challenge

_BAND = 2


def assessment_problems(assessment: Assessment, challenges: Mapping[str, Challenge]) -> Iterator[str]:
    """Every problem, with the field and what to do. `challenges`: those that there are, by id."""
    missing = [part for part in assessment.parts if part.challenge not in challenges]
    for part in missing:
        place = assessment.parts.index(part)
        yield f"challenges.{place}.id: there is no challenge '{part.challenge}'; add it, or name another"
    here = [(part, challenges[part.challenge]) for part in assessment.parts if part not in missing]
    if not missing:  # a weight may be for a skill of the one that is missing
        yield from _unknown_skills(assessment, [challenge for _, challenge in here])
    yield from _window(assessment, [challenge for _, challenge in here])
    yield from _band(assessment, here)
    if not missing:
        yield from _starters(assessment, here)


def _unknown_skills(assessment: Assessment, challenges: list[Challenge]) -> Iterator[str]:
    known = {skill for challenge in challenges for skill in challenge.skills}
    for skill in assessment.skill_weights:
        if skill not in known:
            there_are = ", ".join(sorted(known))
            yield f"skills.{skill}: no challenge of this assessment has it; take it out (there are: {there_are})"
    for place, (part, challenge) in enumerate(zip(assessment.parts, challenges, strict=True)):
        if all(assessment.skill_weight(skill) == 0 for skill in challenge.skills):
            yield f"challenges.{place}: every skill of '{part.challenge}' weighs nothing; raise one, or take it out"


def _window(assessment: Assessment, challenges: list[Challenge]) -> Iterator[str]:
    minutes = sum(challenge.time_minutes for challenge in challenges)
    if assessment.window_hours * 60 < minutes:
        yield (
            f"window_hours: {assessment.window_hours:g} hours are less than the {minutes} minutes that the challenges "
            f"take; give at least {-(-minutes // 60)}"
        )


def _band(assessment: Assessment, here: list[tuple[Part, Challenge]]) -> Iterator[str]:
    """One check must not carry anybody from one side of the band to the other."""
    width = _BAND * assessment.pass_mark.doubt
    for part, challenge in here:
        weights = {check.id: check.points * assessment.skill_weight(check.skill) for check in challenge.checks}
        possible = sum(weights.values())
        heaviest = max(weights, key=lambda check: weights[check])
        share = assessment.part_share(part) * weights[heaviest] / possible if possible else 0.0
        if share > width:
            yield (
                f"pass_mark.doubt: the check '{heaviest}' of '{part.challenge}' is {share:.1%} of the whole, more than "
                f"the band of {width:.1%}: it alone would decide; make the band wider, or weigh the challenge less"
            )


def _starters(assessment: Assessment, here: list[tuple[Part, Challenge]]) -> Iterator[str]:
    share = sum(assessment.part_share(part) * challenge.baseline.starter_share_max for part, challenge in here)
    if share >= assessment.pass_mark.not_passed_below:
        yield (
            f"pass_mark: untouched starters may earn {share:.0%}, which is not below the band; raise share, or lower "
            "baseline.starter_share_max of the challenges"
        )
