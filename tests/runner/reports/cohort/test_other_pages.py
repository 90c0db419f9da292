"""The owner's page, the comparison, the likeness of two submissions, and a regrade."""

from dataclasses import replace

import pytest

from assessments.assessment_result import ShareRange, Standing
from assessments.outcome import Outcome
from runner.insights.regrade import Cause, Change, Difference, Shift
from runner.insights.similarity import Match
from runner.reports.cohort.compare import render_comparison
from runner.reports.cohort.owner import render_owner
from runner.reports.cohort.regrade import render_regrade
from runner.reports.cohort.room import COHORT_BYTES
from runner.reports.cohort.side_by_side import render_similarity

FORBIDDEN = {"script", "img", "iframe", "base", "object", "embed", "form", "link"}


def _inert(page):
    assert not [tag for tag, _ in page.tags if tag in FORBIDDEN]
    assert sum(tag == "style" for tag, _ in page.tags) == 1
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on") or name == "style"]
    assert "\u202e" not in page.text


def test_the_owners_page_says_how_hard_each_check_is_and_how_sure_that_is(cohorts, read):
    page = read(render_owner(cohorts.cohort(), cohorts.statistics(cohorts.people()), cohorts.MADE_AT))
    assert "0.83 (0.71 to 0.90)" in page.text
    assert "Flaky: robustness-holds-6" in page.text
    assert "\u22120.37" in page.text, "what tells the wrong way has a true minus"
    assert "92.8% (72.8% to 100%)" in page.text


def test_the_owners_page_does_not_guess_and_is_inert(cohorts, read):
    few = read(render_owner(cohorts.cohort(), cohorts.statistics(cohorts.people(), few=True), cohorts.MADE_AT))
    assert few.text.count("too few to say") == 3 * (2 * 14 + 1)
    hostile = cohorts.hostile()
    _inert(read(render_owner(hostile.cohort, hostile.statistics, cohorts.ATTACK)))


def test_the_owners_page_says_which_checks_it_left_out(cohorts):
    (first, *_) = cohorts.statistics(cohorts.people())
    html = render_owner(cohorts.cohort(), [replace(first, checks=first.checks * 20)] * 3, cohorts.MADE_AT)
    assert "130 more checks left out" in html


def test_a_comparison_shows_what_differs_first(cohorts, read):
    found = cohorts.people()
    html = render_comparison([found[0], found[13]], cohorts.cohort(), cohorts.content().links, cohorts.MADE_AT)
    text = read(html).text
    assert "What differs: " in text
    assert text.index("What differs") < text.index("The same for all")
    differing = html[html.index("What differs") : html.index("The same for all")]
    assert differing.count('class="differs"') == differing.count("<tr") - differing.count("<thead")
    assert "clarity 4 of 5" in text
    assert "reports/2026-11-25-" in html


@pytest.mark.parametrize("number", [0, 1, 4])
def test_no_other_number_than_two_or_three_is_compared(cohorts, number):
    with pytest.raises(ValueError, match=f"not {number}"):
        render_comparison(cohorts.people()[:number], cohorts.cohort(), {}, cohorts.MADE_AT)


def test_a_comparison_tells_who_is_not_graded_and_is_inert(cohorts, read):
    found = cohorts.people()
    text = read(render_comparison([found[4], found[10]], cohorts.cohort(), {}, cohorts.MADE_AT)).text
    assert "held" in text
    assert "not graded" in text
    hostile = cohorts.hostile()
    _inert(read(render_comparison(hostile.candidates, hostile.cohort, hostile.links, cohorts.ATTACK)))
    assert "javascript:alert(9)" not in render_comparison(hostile.candidates, hostile.cohort, hostile.links, "")


SOURCE = b"".join(b"value_%d = %d  # <b>\n" % (at, at) for at in range(1, 101))


def test_matching_lines_stand_side_by_side_with_their_own_numbers(cohorts, read):
    match = Match("a.py", 3, 5, "b.py", 97, 99)
    html = render_similarity("Ada", "Bob", "Serve", 0.813, [match], {"a.py": SOURCE}, {"b.py": SOURCE}, cohorts.MADE_AT)
    page = read(html)
    numbers = [attributes["data-line"] for _, attributes in page.tags if "data-line" in attributes]
    assert numbers == ["3", "4", "5", "97", "98", "99"]
    assert "81.3% alike" in page.text
    assert "value_97 = 97  # <b>" in page.text
    assert "value_6 " not in page.text
    _inert(page)


@pytest.mark.parametrize(
    "match",
    [Match("gone.py", 1, 4, "b.py", 1, 4), Match("a.py", 500, 900, "b.py", 1, 2), Match("a.py", 9, 3, "b.py", -4, 0)],
)
def test_lines_that_are_not_there_are_no_error(cohorts, read, match):
    html = render_similarity("Ada", "Bob", "Serve", 0.5, [match], {"a.py": SOURCE}, {"b.py": SOURCE}, cohorts.MADE_AT)
    assert "Place 1" in read(html).text


def test_likeness_is_bounded_and_inert_whatever_was_handed_in(cohorts, read):
    lines = b"x = '" + b"&" * 390 + b"'\n"
    files = {cohorts.ATTACK: lines * 9_000, "b.py": cohorts.ATTACK.encode() * 2_000}
    matches = [Match(cohorts.ATTACK, 1 + at, 4_000 + at, "b.py", 1, 1) for at in range(300)]
    html = render_similarity(cohorts.ATTACK, "Bob", cohorts.ATTACK, 1.0, matches, files, files, cohorts.ATTACK)
    assert len(html.encode()) < 400_000
    assert "220 more places left out" in html
    assert "more lines not shown" in html
    _inert(read(html))


def _regrade(cohorts, differences, shifts, accepted=None, text="The check counted the warm-up."):
    return render_regrade(cohorts.cohort(), text, "Eve", cohorts.MADE_AT, differences, shifts, accepted)


def _difference(cohorts, who=0, **changes):
    candidate = cohorts.people()[who]
    card = candidate.submissions["inference-api"].scorecard
    change = Change("p95-under-load", Outcome.FAILED, Outcome.PASSED, 0.0, 5.0)
    made = Difference(candidate.name, "inference-api", card, card, (change,), (), (), (Cause.CHALLENGE, Cause.SEED))
    return replace(made, **changes)


def _shift(name="Ada Lovelace", after=0.75, standing=Standing.PASSED):
    return Shift(
        name, ShareRange(0.6, 0.6), ShareRange(after, after), Standing.NOT_PASSED, standing, (5, 6), (3, 4)
    )  # fmt: skip


def test_a_regrade_says_whose_standing_changes_first(cohorts, read):
    stays = _shift("Bashir Haddad", 0.61, Standing.NOT_PASSED)
    text = read(_regrade(cohorts, [_difference(cohorts)], [stays, _shift()])).text
    assert "1 of 2 standings changes." in text
    assert text.index("Ada Lovelace") < text.index("Bashir Haddad")
    assert "Not accepted" in text
    assert "the challenge's files changed; another seed" in text
    assert "0 \u2192 5" in text


def test_a_regrade_that_changes_nothing_says_so(cohorts, read):
    still = replace(_shift("Bashir Haddad", 0.6, Standing.NOT_PASSED), place_after=(5, 6))
    text = read(_regrade(cohorts, [_difference(cohorts, changes=())], [still], "Eve, 27 November")).text
    assert "Nobody's standing changes." in text
    assert "Every outcome is what it was." in text
    assert "Accepted" in text
    assert "Bashir" not in text


def test_new_and_gone_checks_and_first_gradings_are_told(cohorts, read):
    one = _difference(
        cohorts, before=None, changes=(), added=("new-check",), removed=("old-check",), causes=tuple(Cause)
    )
    text = read(_regrade(cohorts, [one], [])).text
    assert "first grading" in text
    assert "New checks: new-check" in text
    assert "Checks that are gone: old-check" in text


def test_a_large_and_hostile_regrade_is_bounded_and_inert(cohorts, read):
    bad = cohorts.ATTACK
    change = Change(bad, Outcome.PASSED, Outcome.ERRORED, 1.0, 0.0)
    one = _difference(cohorts, candidate=bad, challenge=bad, changes=(change,) * 80, added=(bad,) * 80)
    html = _regrade(cohorts, [one] * 120, [_shift(bad)] * 1_000, bad, bad)
    assert len(html.encode()) < COHORT_BYTES
    assert "left out to keep this page small" in html
    _inert(read(html))
